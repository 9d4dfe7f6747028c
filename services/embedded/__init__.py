"""`windlass up`: every service in one process, on one SQLite file and the embedded bus.

The composition root. It alone imports the services' `app` modules, and it decides nothing.
"""
