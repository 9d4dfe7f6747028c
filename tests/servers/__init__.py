"""Kafka and PostgreSQL for tests: from the environment, from Docker, or as processes of this machine.

One of each serves a whole run, also under xdist, started at first need. If there is no way to have one,
whoever needs it fails and is told what to install.
"""
