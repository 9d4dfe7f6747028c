"""Says what a failure is, in the fixed vocabulary, and what is worth trying.

Hears `run.failed`, `run.timed_out` and `attempt.failed`, which carry their evidence.
Says `failure.classified`, once per failed run, and `attempt.classified`, once per attempt.
Owns nothing: its rules are `shared/diagnosis`.
"""
