"""Windlass and its peers: how each is installed, started, pushed to and asked."""
