"""Around the application: every answer is counted, by its route's pattern and never by its path."""

from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.metrics import REQUESTS

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "none"  # whatever somebody asks for that is not there


@dataclass(frozen=True, slots=True)
class Counted:
    """An ASGI application that counts another one's answers."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in METHODS else "other"
                route = getattr(scope.get("route"), "path", NO_ROUTE)
                REQUESTS.add(method, route, str(message["status"]))
            await send(message)

        await self.app(scope, receive, counting)
