"""Who may ask: bearer tokens, of which only the sha256 is kept. A contract of all HTTP services.

There is no request without a token but the signed webhooks, `/healthz`, `/readyz` and `/`, and no way
to turn that off.
"""

import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.db import INSTANT, Database, hold, metadata
from shared.problems import ProblemError

TOKEN_BYTES = 32
TOKEN_CHARACTERS_MAX = 512  # longer ones are refused unread

access_tokens = sa.Table(
    "access_tokens",
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    sa.Column("holder", sa.String, nullable=False, unique=True),  # named as the actor of what is asked
    sa.Column("created_at", INSTANT, nullable=False),
)

_bearer = HTTPBearer(
    auto_error=False,
    description="The token that `windlass up` wrote to client.json, or `windlass token` printed.",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


@dataclass(frozen=True, slots=True)
class Access:
    """Knows tokens. As a FastAPI dependency it gives the token's holder, or ends the request with 401."""

    database: Database

    async def __call__(self, credentials: Credentials) -> str:
        """Return the name of whoever asks."""
        holder = await self.holder(credentials.credentials) if credentials else None
        if holder is None:
            raise ProblemError(
                401,
                "no-valid-token",
                "This needs a valid token.",
                next_="Send 'Authorization: Bearer TOKEN'; `windlass up` wrote one to client.json in its "
                "data folder, readable by its owner only, and `windlass token NAME` prints one for an "
                "installation of `windlass serve`.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return holder

    async def holder(self, token: str) -> str | None:
        """Return who holds `token`, or None when nobody does."""
        if not token or len(token) > TOKEN_CHARACTERS_MAX:
            return None
        query = sa.select(access_tokens.c.holder).where(access_tokens.c.token_sha256 == _hash(token))
        async with self.database.reading() as reading:
            found: str | None = (await reading.execute(query)).scalar()
        return found

    async def grant(self, holder: str, token: str) -> None:
        """Make `token` the one that `holder` has; an earlier one is worth nothing from then on."""
        row = {"token_sha256": _hash(token), "holder": holder, "created_at": self.database.clock.now()}
        async with self.database.begin() as (connection, _):
            await hold(connection, "access_tokens")  # granted twice at once, the later one stands
            await connection.execute(sa.delete(access_tokens).where(access_tokens.c.holder == holder))
            await connection.execute(sa.insert(access_tokens).values(row))


def new_token() -> str:
    """Return a token nobody can guess."""
    return f"wl_{secrets.token_urlsafe(TOKEN_BYTES)}"


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
