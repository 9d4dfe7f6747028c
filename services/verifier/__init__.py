"""Decides from HTTP answers whether a deployment is good.

Hears `verification.requested`; `run.cancelling` and every final event of a run, which end its probes.
Says `verification.passed` or `verification.failed`, one of them once per verification, and neither
for a run that is over.
Owns the verifications under way.
"""
