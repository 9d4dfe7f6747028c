"""In front of the services' routes until the process has begun: nobody's request waits for a schema."""

from dataclasses import dataclass
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.problems import unavailable

ALWAYS_OPEN = frozenset({"/", "/healthz", "/readyz", "/metrics", "/openapi.json"})


class Beginning(Protocol):
    """Whoever knows whether the process has begun."""

    closed: str  # why it has not; empty once it has


@dataclass(frozen=True, slots=True)
class Gate:
    """An ASGI application that answers for another one while that cannot."""

    app: ASGIApp
    life: Beginning

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let it through."""
        if self.life.closed and scope["path"] not in ALWAYS_OPEN:
            await unavailable(f"Windlass is starting: {self.life.closed}.").response()(scope, receive, send)
        else:
            await self.app(scope, receive, send)
