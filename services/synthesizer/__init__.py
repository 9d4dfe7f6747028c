"""Hears `push.received`; says `revision.planned`, `plan.rejected`, `revision.skipped`, `push.refused`.

Owns the git mirrors, revision numbers, and plans by content hash.
"""
