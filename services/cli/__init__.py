"""The operator's command line, `windlass`: speaks HTTP, imports no service's core."""
