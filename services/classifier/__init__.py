"""Says what a failure is, in the fixed vocabulary, and what is worth trying.

Hears `run.failed` and `run.timed_out`, which carry their evidence.
Says `failure.classified`, once per failed run.
Owns nothing but its rules.
"""
