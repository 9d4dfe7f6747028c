"""The HTTP side of a Windlass program: its server, whether it is well, its figures, and how it ends.

No service's routes are here; a program puts them in.
"""
