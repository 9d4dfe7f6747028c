"""Ingest's outside systems: the key file and the folders of local repositories."""
