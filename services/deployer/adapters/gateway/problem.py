"""Answers of the gateway's own, as `application/problem+json`."""

import json
from http import HTTPStatus

from aiohttp import web

from services.deployer.adapters.gateway.route import Route


def problem(status: HTTPStatus, detail: str, route: Route | None = None) -> web.Response:
    """Return what a person or a probe is told instead of the release's answer."""
    document = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
    headers = {"Cache-Control": "no-store", **(markers(route) if route else {})}
    return web.Response(
        status=status,
        body=json.dumps(document).encode() + b"\n",
        content_type="application/problem+json",
        headers=headers,
    )


def markers(route: Route) -> dict[str, str]:
    """Return the headers by which an answer can be told from another release's."""
    return {
        "Windlass-Release": route.release,
        "Windlass-Revision": str(route.revision),
        "Server": "windlass",
    }
