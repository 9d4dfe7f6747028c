"""Who may ask: bearer tokens, of which only the sha256 is kept. A contract of all HTTP services.

There is no request without a token but the signed webhooks, `/healthz`, `/readyz` and `/`, and no way
to turn that off.

Who holds a token made beside the database (by `windlass up`, or `windlass token` with WINDLASS_DATABASE)
may give other people theirs over HTTP. Who was given one that way may do everything else: if they could
make up a second person, a gate that asks for two people would ask for one.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

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
    sa.Column("granted_by", sa.String),  # who gave it over HTTP; null: it was made beside the database
)

_bearer = HTTPBearer(
    auto_error=False,
    description="The token that `windlass up` wrote to client.json, or `windlass token` printed.",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of a token, or of a name that has one."""

    holder: str
    alarm: str | None
    granted_by: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    """Whose token is to be made, and what it is to be good for."""

    holder: str
    alarm: str | None = None  # None: whatever is asked
    by: str | None = None  # who gives it over HTTP; None: it is made beside the database
    replace: bool = False  # the token that the holder has is to be worth nothing from then on


@dataclass(frozen=True, slots=True)
class NotGranted:
    """Why a token was not made, and what to do about it."""

    slug: str
    why: str
    next: str


def look_alike(grant: Grant, others: Sequence[Held]) -> NotGranted | None:
    """Decide whether somebody may be called that, given who is called the same but for capitals."""
    for other in others:
        if other.holder != grant.holder:
            why = (
                f"The name {grant.holder} differs from {other.holder}, who has a token, only in its capitals."
            )
            return NotGranted("name-taken", why, "Choose a name that nobody can mistake for another.")
        if other.alarm is None and grant.alarm is not None:
            why = f"{other.holder} has a token for everything, which this would take away."
            return NotGranted(
                "holder-has-a-token", why, "Choose a name for the monitor that nobody else has."
            )
        if not grant.replace:
            why = f"There is a token of {other.holder} already; nothing was changed."
            next_ = "Choose another name, or make the old token worth nothing with --replace."
            return NotGranted("name-taken", why, next_)
        if other.alarm is None and other.granted_by is None and grant.by is not None:
            why = f"The token of {other.holder} was made beside the database, and is replaced only there."
            next_ = "`windlass up` makes a new one for the owner when it starts without client.json."
            return NotGranted("made-beside-the-database", why, next_)
    return None


@dataclass(frozen=True, slots=True)
class Teller:
    """Whoever may say how an alarm stands."""

    holder: str
    named: bool  # the token is for this alarm and no other


@dataclass(frozen=True, slots=True)
class Access:
    """Knows tokens. As a FastAPI dependency it gives the token's holder, or ends the request."""

    database: Database

    async def __call__(self, credentials: Credentials) -> str:
        """Return the name of whoever asks and may ask for everything."""
        return (await self.whole(credentials)).holder

    async def whole(self, credentials: Credentials) -> Held:
        """Return what is known of whoever asks and may ask for everything."""
        held = await self.held(credentials)
        if held.alarm is not None:
            raise _good_for_alarms(held.alarm)
        return held

    async def holder(self, token: str) -> str | None:
        """Return who holds `token` and may ask for everything with it, or None when nobody does."""
        held = await self._find(token)
        return held.holder if held and held.alarm is None else None

    async def held(self, credentials: Credentials) -> Held:
        """Return what is known of a token, whatever it is good for."""
        held = await self._find(credentials.credentials) if credentials else None
        if held is None:
            raise _no_valid_token()
        return held

    async def grant(self, holder: str, token: str) -> None:
        """Make `token` the one that `holder` has; an earlier one is worth nothing from then on."""
        async with self.database.begin() as (connection, _):
            await hold(connection, "access_tokens")  # granted twice at once, the later one stands
            await self._put(connection, Grant(holder), token)

    async def give(self, grant: Grant, token: str) -> NotGranted | None:
        """Make `token` the one that its holder has, unless the name belongs to another."""
        same = sa.func.lower(access_tokens.c.holder) == grant.holder.lower()
        async with self.database.begin() as (connection, _):
            await hold(connection, "access_tokens")  # of two who ask for one name at once, one gets it
            rows = (await connection.execute(_HELD.where(same))).all()
            refusal = look_alike(grant, [_held(row) for row in rows])
            if refusal is None:
                await self._put(connection, grant, token)
        return refusal

    async def _put(self, connection: Reading, grant: Grant, token: str) -> None:
        row = {
            "token_sha256": _hash(token),
            "holder": grant.holder,
            "created_at": self.database.clock.now(),
            "alarm": grant.alarm,
            "granted_by": grant.by,
        }
        await connection.execute(sa.delete(access_tokens).where(access_tokens.c.holder == grant.holder))
        await connection.execute(sa.insert(access_tokens).values(row))

    async def _find(self, token: str) -> Held | None:
        if not token or len(token) > TOKEN_CHARACTERS_MAX:
            return None
        query = _HELD.where(access_tokens.c.token_sha256 == _hash(token))
        async with self.database.reading() as reading:
            row = (await reading.execute(query)).one_or_none()
        return _held(row) if row else None


_HELD = sa.select(access_tokens.c.holder, access_tokens.c.alarm, access_tokens.c.granted_by)


def _held(row: sa.Row[Any]) -> Held:
    return Held(row.holder, row.alarm, row.granted_by)


@dataclass(frozen=True, slots=True)
class AlarmAccess:
    """Lets those through who may say how the alarm in the address stands."""

    access: Access

    async def __call__(self, name: str, credentials: Credentials) -> Teller:
        """Return whoever says it."""
        held = await self.access.held(credentials)
        if held.alarm not in {None, ANY_ALARM, name}:
            raise _good_for_alarms(str(held.alarm))
        return Teller(held.holder, named=held.alarm == name != ANY_ALARM)


def _good_for_alarms(alarm: str) -> ProblemError:
    one = alarm != ANY_ALARM
    return ProblemError(
        403,
        "token-for-alarms-only",
        f"This token is good for {f'alarm {alarm}' if one else 'telling of alarms'} only.",
        next_="Send a token that is meant for this: `windlass token NAME` makes one for a person, and "
        "`windlass token NAME --alarm ALARM` one for a monitor.",
    )


def _no_valid_token() -> ProblemError:
    return ProblemError(
        401,
        "no-valid-token",
        "This needs a valid token.",
        next_="Send 'Authorization: Bearer TOKEN'; `windlass up` wrote one to client.json in its "
        "data folder, readable by its owner only, and `windlass token NAME` prints one for anybody else.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def new_token() -> str:
    """Return a token nobody can guess."""
    return f"wl_{secrets.token_urlsafe(TOKEN_BYTES)}"


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
