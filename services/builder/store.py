"""The builder's SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.builder import tables
from services.builder.build_run import Built
from shared.artifacts import Stored
from shared.db import Reading, Transaction
from shared.events import BuildRequested
from shared.ids import Digest


@dataclass(frozen=True, slots=True)
class Artifact:
    """A row of the index."""

    stored: Stored
    built_by: int
    duration_seconds: float
    log: str


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request that has no answer yet."""

    request: Any
    pipeline: str
    revision: int
    artifact: str


@dataclass(frozen=True, slots=True)
class Store:
    """Reads and writes inside one transaction."""

    tx: Transaction

    async def add_request(self, asked: BuildRequested) -> None:
        """Note that an answer is owed; safe to repeat."""
        row = {
            "request": asked.request,
            "build_key": asked.build_key,
            "pipeline": asked.pipeline,
            "revision": asked.revision,
            "artifact": asked.artifact,
            "answered": False,
        }
        await self.tx.insert_or_ignore(tables.requests, row)

    async def take_open_requests(self, build_key: str) -> Sequence[OpenRequest]:
        """Return the requests that are owed an answer, which the caller gives in this transaction."""
        open_ = sa.and_(tables.requests.c.build_key == build_key, sa.not_(tables.requests.c.answered))
        rows = (await self.tx.execute(sa.select(tables.requests).where(open_).with_for_update())).all()
        await self.tx.execute(sa.update(tables.requests).where(open_).values(answered=True))
        return [OpenRequest(row.request, row.pipeline, row.revision, row.artifact) for row in rows]

    async def begin_build(self, asked: BuildRequested) -> int | None:
        """Begin the key's next attempt; None when one is being built, which will answer for all."""
        last = sa.select(sa.func.max(tables.builds.c.attempt)).where(
            tables.builds.c.build_key == asked.build_key
        )
        attempt: int = ((await self.tx.execute(last)).scalar() or 0) + 1
        row = {
            "build_key": asked.build_key,
            "attempt": attempt,
            "state": "building",
            "order": asked.model_dump(mode="json"),
            "began_at": self.tx.now,
        }
        return attempt if await self.tx.insert_or_ignore(tables.builds, row) else None

    async def end_build(self, build_key: str, attempt: int, state: str) -> None:
        """Write how an attempt ended."""
        this = sa.and_(tables.builds.c.build_key == build_key, tables.builds.c.attempt == attempt)
        values = {"state": state, "ended_at": self.tx.now}
        await self.tx.execute(sa.update(tables.builds).where(this).values(values))

    async def keep_artifact(self, build_key: str, built: Built, built_by: int, log: str) -> None:
        """Put an artifact into the index, in place of one that was lost."""
        await self.tx.execute(sa.delete(tables.artifacts).where(tables.artifacts.c.build_key == build_key))
        row = {
            "build_key": build_key,
            "digest": built.digest,
            "size_bytes": built.size_bytes,
            "built_by": built_by,
            "duration_seconds": built.duration_seconds,
            "log": log,
            "built_at": self.tx.now,
        }
        await self.tx.execute(sa.insert(tables.artifacts).values(row))


async def read_artifact(reading: Reading, build_key: str) -> Artifact | None:
    """Return what the index knows under the key."""
    query = sa.select(tables.artifacts).where(tables.artifacts.c.build_key == build_key)
    row = (await reading.execute(query)).first()
    if row is None:
        return None
    stored = Stored(Digest(row.digest), row.size_bytes)
    return Artifact(stored, row.built_by, row.duration_seconds, row.log)


async def read_open_builds(reading: Reading) -> Sequence[tuple[BuildRequested, int]]:
    """Return every build under way: the request that began it, and the attempt."""
    rows = await reading.execute(sa.select(tables.builds).where(tables.builds.c.state == "building"))
    return [(BuildRequested.model_validate(row.order), row.attempt) for row in rows]
