"""The seam between judging a deployment and asking it."""

from typing import Protocol

from services.verifier.probe import Answer, Probe


class Prober(Protocol):
    """Makes one GET. Safe to repeat; whatever the other side does is an answer, never an exception."""

    async def ask(self, probe: Probe) -> Answer:
        """Return what came back within the probe's time, or the fault that stands for it."""
        ...
