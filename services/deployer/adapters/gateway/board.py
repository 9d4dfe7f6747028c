"""Which release answers where right now, and which requests it still owes an answer.

Pure bookkeeping of one event loop: no sockets, no files.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.deployer.adapters.gateway.route import Address, Route


@dataclass(frozen=True, slots=True)
class Table:
    """Routes, each with an address of its own, and those that were left out and why."""

    routes: Mapping[Address, Route] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


def settle(wanted: Mapping[str, Route], serving: Mapping[Address, Route]) -> Table:
    """Give each address to one route: the one that has it already, else the first by name."""
    routes: dict[Address, Route] = {}
    problems: dict[str, str] = {}

    def newcomer(route: Route) -> tuple[bool, str]:
        holder = serving.get(route.address)
        return holder is None or holder.name != route.name, route.name

    for route in sorted(wanted.values(), key=newcomer):
        holder = routes.setdefault(route.address, route)
        if holder is not route:
            problems[route.name] = f"port {route.port} belongs to {holder.name}"
    return Table(routes, problems)


class Board:
    """The routes in force and the requests in flight."""

    def __init__(self) -> None:
        self.routes: Mapping[Address, Route] = {}
        self._in_flight: Counter[tuple[str, str]] = Counter()
        self._emptied: dict[tuple[str, str], asyncio.Event] = {}

    @contextmanager
    def serving(self, address: Address) -> Iterator[Route | None]:
        """Choose who answers one request; it counts as that release's until it is over."""
        route = self.routes.get(address)
        if route is None:
            yield None
            return
        key = (route.name, route.release)
        self._in_flight[key] += 1
        try:
            yield route
        finally:
            self._in_flight[key] -= 1
            if not self._in_flight[key]:
                self._empty(key)

    def in_flight(self, name: str) -> Mapping[str, int]:
        """Return how many requests each release still has to answer under a route."""
        return {release: count for (route, release), count in self._in_flight.items() if route == name}

    async def drained(self, name: str, release: str, seconds: float) -> bool:
        """Wait until the release owes nothing under this route; False when `seconds` were too few."""
        key = (name, release)
        if not self._in_flight[key]:
            return True
        emptied = self._emptied.setdefault(key, asyncio.Event())
        try:
            async with asyncio.timeout(seconds):
                await emptied.wait()
        except TimeoutError:
            return False
        return True

    def _empty(self, key: tuple[str, str]) -> None:
        del self._in_flight[key]
        if emptied := self._emptied.pop(key, None):
            emptied.set()
