"""The seam between judging a service and looking at what it runs on."""

from typing import Protocol

from services.verifier.signals import Signals
from shared.events import Diagnostics, LocalPlace


class Observer(Protocol):
    """Looks at one place of a target and changes nothing there. Safe to repeat."""

    async def signals(self, place: LocalPlace) -> Signals | None:
        """Return how the service's processes are doing; None: that cannot be seen from here."""
        ...

    async def diagnostics(self, place: LocalPlace) -> Diagnostics | None:
        """Return what is found there at this moment; None: nothing can be seen from here."""
        ...

    async def takes_connections(self, place: LocalPlace, host: str, port: int) -> bool | None:
        """Tell whether the service's latest process itself does there; None: that cannot be seen from here.

        Asked right after a connection was taken: whoever took it is there to be found.
        """
        ...
