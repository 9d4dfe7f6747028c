"""The way in: signed webhooks and deployments asked for by hand become pushes.

Hears: `revision.planned`, `plan.rejected` (which repository a pipeline belongs to).
Says: `push.received`.
Owns: the registered repositories and their secrets, the deliveries seen, the pushes known.
"""
