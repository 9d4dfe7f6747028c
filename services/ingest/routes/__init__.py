"""Ingest's HTTP side, one module a subject."""
