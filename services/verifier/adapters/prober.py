"""The seam between judging a deployment and asking it."""

from typing import Protocol

from services.verifier.probe import Answer, Connection, Probe

CONNECTIONS_MAX = 256  # of one prober, side by side


class Prober(Protocol):
    """Asks, once. Safe to repeat; whatever the other side does is an answer, never an exception."""

    async def ask(self, probe: Probe) -> Answer:
        """Make a GET; return what came back within its time, or the fault that stands for it."""
        ...

    async def connect(self, connection: Connection) -> Answer:
        """Make a TCP connection and close it; without a fault it was taken."""
        ...
