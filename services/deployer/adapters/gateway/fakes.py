"""A gateway without a process, for tests of those who route through it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.deployer.adapters.gateway.board import settle
from services.deployer.adapters.gateway.client import GatewayState, RouteState
from services.deployer.adapters.gateway.route import Address, Route


@dataclass(slots=True)
class FakeGateway:
    """Keeps the routes written and the routes in force apart, as the real one does."""

    taken: set[int] = field(default_factory=set)  # ports that somebody else listens on
    in_flight: dict[str, dict[str, int]] = field(default_factory=dict)  # route -> release -> requests
    written: dict[str, Route] = field(default_factory=dict)
    in_force: Mapping[Address, Route] = field(default_factory=dict)
    process: int = 0  # raised by each start; nobody is there while `running` is false
    running: bool = False

    async def ensure_running(self) -> None:
        """See `Gateway`."""
        if not self.running:
            self.running = True
            self.process += 1
            self.in_force = {}
            self._sync()

    def route(self, name: str) -> Route | None:
        """See `Gateway`."""
        return self.written.get(name)

    def routes(self) -> Mapping[str, Route]:
        """See `Gateway`."""
        return dict(self.written)

    def set_route(self, route: Route) -> None:
        """See `Gateway`."""
        self.written[route.name] = route

    def remove_route(self, name: str) -> None:
        """See `Gateway`."""
        self.written.pop(name, None)

    async def sync(self) -> GatewayState:
        """See `Gateway`."""
        await self.ensure_running()
        return self._sync()

    async def drained(self, name: str, release: str, seconds: float) -> bool:  # noqa: ARG002 - no time passes
        """See `Gateway`; what is in flight stays so until a test takes it away."""
        return not (self.running and self.in_flight.get(name, {}).get(release))

    async def shut_down(self) -> None:
        """See `Gateway`."""
        self.running = False
        self.in_force = {}
        self.in_flight = {}

    def _sync(self) -> GatewayState:
        table = settle(self.written, self.in_force)
        self.in_force = {
            a: r for a, r in table.routes.items() if r.port not in self.taken or a in self.in_force
        }
        listening = {route.name for route in self.in_force.values()}
        states = {}
        for name in sorted(self.written):
            problem = table.problems.get(name, "" if name in listening else "Address already in use")
            states[name] = RouteState(name in listening, problem, dict(self.in_flight.get(name, {})))
        return GatewayState(self.process, states)
