"""A route that is described as any other, and answered by its endpoint with nothing in between.

What the framework does before and after an endpoint, for parameters that need no validation and features that
are not used, takes as long as the half of accepting a push. So `ShortWays` looks for these routes before
anything else, by the very path. What is put around the application, as the counting, stays around them.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from shared.faults import TryAgain
from shared.problems import ProblemError, defect, response_to

Endpoint = Callable[..., Awaitable[Response]]  # given the request, and what it names of the query


class ShortWay(APIRoute):
    """Gives its endpoint the request and the query's strings, empty where there are none.

    What that raises is told as everywhere: as a problem document.
    """

    def __init__(self, path: str, endpoint: Endpoint, **more: Any) -> None:
        super().__init__(path, endpoint, **more)
        named = [parameter.alias for parameter in self.dependant.query_params]

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            try:
                response = await endpoint(
                    request, **{name: request.query_params.get(name, "") for name in named}
                )
            except (ProblemError, TryAgain) as fault:
                response = response_to(fault)
            except Exception:
                await defect().response()(scope, receive, send)
                raise  # the server's log has it
            await response(scope, receive, send)

        self.app = answer


class ShortWays(FastAPI):
    """An application that takes its short ways first."""

    _by_path: dict[tuple[str, str], ShortWay]

    def shorten(self) -> None:
        """Find the short ways among its routes, once it has them all."""
        ways = [route for route in self.routes if isinstance(route, ShortWay)]
        self._by_path = {(method, way.path): way for way in ways for method in way.methods or ()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        way = self._by_path.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if way is None:
            await super().__call__(scope, receive, send)
        else:
            scope["route"] = way  # as the router notes it, for who counts
            await way.app(scope, receive, send)
