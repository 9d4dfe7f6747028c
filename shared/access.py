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

from shared.db import INSTANT, Database, Reading, hold, metadata
from shared.problems import ProblemError

TOKEN_BYTES = 32
ANY_ALARM = "*"  # a token for it may say every alarm
TOKEN_CHARACTERS_MAX = 512  # longer ones are refused unread

access_tokens = sa.Table(
    "access_tokens",
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    sa.Column("holder", sa.String, nullable=False, unique=True),  # named as the actor of what is asked
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("alarm", sa.String),  # all that the holder may say, or `*`: any alarm; null: whatever is asked
)

_bearer = HTTPBearer(
    auto_error=False,
    description="The token that `windlass up` wrote to client.json, or `windlass token` printed.",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


@dataclass(frozen=True, slots=True)
class Teller:
    """Whoever may say how an alarm stands."""

    holder: str
    named: bool  # the token is for this alarm and no other


@dataclass(frozen=True, slots=True)
class Access:
    """Knows tokens. As a FastAPI dependency it gives the token's holder, or ends the request with 401."""

    database: Database

    async def __call__(self, credentials: Credentials) -> str:
        """Return the name of whoever asks."""
        holder = await self.holder(credentials.credentials) if credentials else None
        if holder is None:
            raise _no_valid_token()
        return holder

    async def holder(self, token: str) -> str | None:
        """Return who holds `token` and may ask for everything with it, or None when nobody does."""
        return await self._holder(token, access_tokens.c.alarm.is_(None))

    async def teller(self, token: str, alarm: str) -> Teller | None:
        """Return who holds `token` and may say with it how the alarm stands, or None when nobody does."""
        told = access_tokens.c.alarm
        alone = await self._holder(token, told == alarm) if alarm != ANY_ALARM else None
        if alone is not None:
            return Teller(alone, named=True)
        other = await self._holder(token, sa.or_(told.is_(None), told == ANY_ALARM))
        return Teller(other, named=False) if other is not None else None

    async def grant(self, holder: str, token: str) -> None:
        """Make `token` the one that `holder` has; an earlier one is worth nothing from then on."""
        async with self.database.begin() as (connection, _):
            await hold(connection, "access_tokens")  # granted twice at once, the later one stands
            await self._put(connection, holder, token, None)

    async def grant_alarm(self, holder: str, token: str, alarm: str) -> bool:
        """Give `holder` a token with which nothing but that alarm, or `*`, may be said.

        False when the holder has a token for everything: it is not taken away by way of a lesser one.
        """
        full = sa.select(access_tokens.c.holder).where(
            access_tokens.c.holder == holder, access_tokens.c.alarm.is_(None)
        )
        async with self.database.begin() as (connection, _):
            await hold(connection, "access_tokens")
            if (await connection.execute(full)).first() is not None:
                return False
            await self._put(connection, holder, token, alarm)
        return True

    async def _put(self, connection: Reading, holder: str, token: str, alarm: str | None) -> None:
        row = {
            "token_sha256": _hash(token),
            "holder": holder,
            "created_at": self.database.clock.now(),
            "alarm": alarm,
        }
        await connection.execute(sa.delete(access_tokens).where(access_tokens.c.holder == holder))
        await connection.execute(sa.insert(access_tokens).values(row))

    async def _holder(self, token: str, may: sa.ColumnElement[bool]) -> str | None:
        if not token or len(token) > TOKEN_CHARACTERS_MAX:
            return None
        query = sa.select(access_tokens.c.holder).where(access_tokens.c.token_sha256 == _hash(token), may)
        async with self.database.reading() as reading:
            found: str | None = (await reading.execute(query)).scalar()
        return found


@dataclass(frozen=True, slots=True)
class AlarmAccess:
    """Lets those through who may say how the alarm in the address stands."""

    access: Access

    async def __call__(self, name: str, credentials: Credentials) -> Teller:
        """Return whoever says it."""
        teller = await self.access.teller(credentials.credentials, name) if credentials else None
        if teller is None:
            raise _no_valid_token()
        return teller


def _no_valid_token() -> ProblemError:
    return ProblemError(
        401,
        "no-valid-token",
        "This needs a valid token.",
        next_="Send 'Authorization: Bearer TOKEN'; `windlass up` wrote one to client.json in its "
        "data folder, readable by its owner only, and `windlass token NAME` prints one for an "
        "installation of `windlass serve`.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def new_token() -> str:
    """Return a token nobody can guess."""
    return f"wl_{secrets.token_urlsafe(TOKEN_BYTES)}"


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
