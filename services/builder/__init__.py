"""Builds artifacts, once per content.

Hears `build.requested`. Says `artifact.built`, `artifact.failed`, `log.appended`. Owns the builds
and the index of the artifact store.
"""
