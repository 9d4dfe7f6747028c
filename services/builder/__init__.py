"""Builds artifacts, once per content.

Hears `build.requested`, and `run.cancelled`, `run.failed`, `run.timed_out`, to call builds off that
nobody waits for any more. Says `artifact.built`, `artifact.failed`, `build.backing_off`, `log.appended`.
Owns the builds and the index of the artifact store.
"""
