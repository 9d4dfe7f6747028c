"""What is, what was and why: the read model, the logs, the history of events, and operations asked for.

Hears: everything.
Says: `operation.requested`.
Owns: the event history, the log lines, the views folded from them; none of it decides anything.
"""
