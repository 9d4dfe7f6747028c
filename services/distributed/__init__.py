"""`windlass serve`: any of the services in one process, on PostgreSQL and Kafka, beside any number of others.

A composition root like `services/embedded`: it imports the services' `app` modules and decides nothing.
"""
