"""A forge: it signs deliveries and posts them."""

import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import httpx
import sqlalchemy as sa

from shared.db import tables
from tests.integration.web import Web

REMOTE = "https://git.example/acme/shop"
COMMIT = "4f" * 20


def push_body(**changes: Any) -> bytes:
    push = {"ref": "refs/heads/main", "before": "0" * 40, "after": COMMIT, "pusher": {"name": "ann"}}
    return json.dumps(push | changes).encode()


@dataclass(frozen=True)
class Forge:
    """One repository's forge."""

    web: Web
    secret: str
    name: str = "acme/shop"

    async def deliver(
        self,
        body: bytes | AsyncIterator[bytes],
        delivery: str = "d-1",
        event: str = "push",
        **headers: str | None,
    ) -> httpx.Response:
        """Post a delivery; a header given as None is left out."""
        signature = (
            hmac.new(self.secret.encode(), body, sha256).hexdigest() if isinstance(body, bytes) else ""
        )
        given = {
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": f"sha256={signature}",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.web.stranger.post(
            "/webhooks/github",
            params={"repository": self.name},
            content=body,
            headers={name: value for name, value in given.items() if value is not None},
        )


async def registered(web: Web, remote: str = REMOTE, **more: Any) -> Forge:
    """Register a repository and return its forge."""
    answer = await web.client.post("/api/v1/repositories", json={"remote": remote, **more})
    assert answer.status_code == 201, answer.text
    return Forge(web, answer.json()["secret"], answer.json()["name"])


async def published(web: Web) -> list[dict[str, Any]]:
    """Return the bodies of what was said, in order."""
    async with web.database.reading() as reading:
        rows = await reading.execute(sa.select(tables.outbox.c.body).order_by(tables.outbox.c.position))
        return [json.loads(row.body) for row in rows]
