"""Around the application: a request that the program's end cuts short is answered, not torn down.

The server cancels what is left when its grace is over: streams, which would go on for ever, end as if
nothing more had happened, and whoever has no answer yet is told to come again.
"""

import asyncio
from dataclasses import dataclass
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.problems import unavailable

BODY = "http.response.body"


@dataclass(frozen=True, slots=True)
class LastAnswers:
    """An ASGI application that gives another one's requests an end."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer: Literal["", "begun", "whole"] = ""

        async def telling(message: Message) -> None:
            nonlocal answer
            answer = "begun" if message.get("more_body", message["type"] != BODY) else "whole"
            await send(message)

        try:
            await self.app(scope, receive, telling)
        except asyncio.CancelledError:
            if not answer:
                await unavailable("Windlass is stopping.").response()(scope, receive, send)
            elif answer == "begun":
                await send({"type": BODY})
