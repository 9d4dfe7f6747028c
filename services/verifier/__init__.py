"""Decides whether a deployment is good, from answers and its target's signals, and looks after what is live.

Hears `verification.requested`; `run.cancelling` and every final event of a run, which end its probes;
`run.started` and its like, and `run.succeeded`: what it brought is watched from then on.
Says `verification.passed` or `verification.failed`, one of them once per verification, and neither
for a run that is over; `verification.probed` on the way of one that lasts; `health.changed`,
`health.sampled` and `health.ended`, and by them `alarm.changed` of the alarms called
`health:<pipeline>/<stage>`.
Owns the verifications under way, and the watches.
"""
