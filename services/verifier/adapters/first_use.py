"""A prober that is made when it is first asked."""

from collections.abc import Callable

from services.verifier.adapters.prober import Prober
from services.verifier.probe import Answer, Connection, Probe


class OnFirstUse:
    """Stands for a prober that takes long to make."""

    def __init__(self, make: Callable[[], Prober]) -> None:
        self._make = make
        self._prober: Prober | None = None

    async def ask(self, probe: Probe) -> Answer:
        """Have the prober make the GET."""
        return await self.made().ask(probe)

    async def connect(self, connection: Connection) -> Answer:
        """Have the prober make the connection."""
        return await self.made().connect(connection)

    def made(self) -> Prober:
        """Return the prober, made by now."""
        self._prober = self._prober or self._make()
        return self._prober
