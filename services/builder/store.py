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

_OPEN = sa.and_(tables.requests.c.build_key == sa.bindparam("its_key"), sa.not_(tables.requests.c.answered))
_OPEN_REQUESTS = sa.select(tables.requests).where(_OPEN).with_for_update()
_ANSWER_REQUESTS = sa.update(tables.requests).where(_OPEN).values(answered=True)

_OPEN_REQUEST = sa.select(tables.requests.c.request).where(_OPEN).limit(1)

_ITS_REQUESTS = sa.and_(
    tables.requests.c.pipeline == sa.bindparam("its_pipeline"),
    tables.requests.c.revision == sa.bindparam("its_revision"),
    sa.not_(tables.requests.c.answered),
)
_others = tables.requests.alias()
_OF_OTHERS = sa.select(_others.c.request).where(
    _others.c.build_key == tables.requests.c.build_key,
    sa.not_(_others.c.answered),
    sa.or_(
        _others.c.pipeline != sa.bindparam("its_pipeline"),
        _others.c.revision != sa.bindparam("its_revision"),
    ),
)
_ONLY_ITS_KEYS = (
    sa.select(tables.requests.c.build_key)
    .where(_ITS_REQUESTS, sa.not_(_OF_OTHERS.exists()))
    .distinct()
    .order_by(tables.requests.c.build_key)
)
_DROP_REQUESTS = sa.update(tables.requests).where(_ITS_REQUESTS).values(answered=True)

_LAST_BUILD = (
    sa.select(tables.builds.c.ended_at)
    .where(tables.builds.c.build_key == sa.bindparam("its_key"))
    .order_by(tables.builds.c.attempt.desc())
    .limit(1)
    .with_for_update()
)
_BUILD_UNDER_WAY = sa.select(tables.builds).where(
    tables.builds.c.build_key == sa.bindparam("its_key"), tables.builds.c.state == "building"
)
_LAST_ATTEMPT = sa.select(sa.func.max(tables.builds.c.attempt)).where(
    tables.builds.c.build_key == sa.bindparam("its_key")
)
_END_BUILD = (
    sa.update(tables.builds)
    .where(
        tables.builds.c.build_key == sa.bindparam("its_key"),
        tables.builds.c.attempt == sa.bindparam("its_attempt"),
    )
    .values(state=sa.bindparam("its_state"), ended_at=sa.bindparam("now"))
)

_THIS_ARTIFACT = tables.artifacts.c.build_key == sa.bindparam("its_key")
_ARTIFACT = sa.select(tables.artifacts).where(_THIS_ARTIFACT)
_FORGET_ARTIFACT = sa.delete(tables.artifacts).where(_THIS_ARTIFACT)
_KEEP_ARTIFACT = sa.insert(tables.artifacts)


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
        key = {"its_key": build_key}
        rows = (await self.tx.execute(_OPEN_REQUESTS, key)).all()
        await self.tx.execute(_ANSWER_REQUESTS, key)
        return [OpenRequest(row.request, row.pipeline, row.revision, row.artifact) for row in rows]

    async def open_requests(self, build_key: str) -> Sequence[OpenRequest]:
        """Return the requests that are owed an answer, and leave them so."""
        rows = (await self.tx.execute(_OPEN_REQUESTS, {"its_key": build_key})).all()
        return [OpenRequest(row.request, row.pipeline, row.revision, row.artifact) for row in rows]

    async def asked_for_only_by(self, pipeline: str, revision: int) -> Sequence[str]:
        """Return, sorted, the build keys for which nobody but the revision is owed an answer."""
        these = {"its_pipeline": pipeline, "its_revision": revision}
        return (await self.tx.execute(_ONLY_ITS_KEYS, these)).scalars().all()

    async def drop_requests(self, pipeline: str, revision: int) -> None:
        """Forget that the revision is owed answers."""
        await self.tx.execute(_DROP_REQUESTS, {"its_pipeline": pipeline, "its_revision": revision})

    async def is_wanted(self, build_key: str) -> bool:
        """Tell whether anybody is owed an answer for the key."""
        return (await self.tx.execute(_OPEN_REQUEST, {"its_key": build_key})).first() is not None

    async def locked_build_goes_on(self, build_key: str) -> bool:
        """Lock the key's last build, if there is one, and tell whether it is under way."""
        row = (await self.tx.execute(_LAST_BUILD, {"its_key": build_key})).first()
        return row is not None and row.ended_at is None

    async def under_way(self, build_key: str) -> tuple[BuildRequested, int] | None:
        """Return the key's build under way: the request that began it, and the attempt."""
        row = (await self.tx.execute(_BUILD_UNDER_WAY, {"its_key": build_key})).first()
        return (BuildRequested.model_validate(row.order), row.attempt) if row else None

    async def begin_build(self, asked: BuildRequested) -> int | None:
        """Begin the key's next attempt; None when one is being built, which will answer for all."""
        last = await self.tx.execute(_LAST_ATTEMPT, {"its_key": asked.build_key})
        attempt: int = (last.scalar() or 0) + 1
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
        this = {"its_key": build_key, "its_attempt": attempt}
        await self.tx.execute(_END_BUILD, this | {"its_state": state, "now": self.tx.now})

    async def keep_artifact(self, build_key: str, built: Built, built_by: int, log: str) -> None:
        """Put an artifact into the index, in place of one that was lost."""
        await self.tx.execute(_FORGET_ARTIFACT, {"its_key": build_key})
        row = {
            "build_key": build_key,
            "digest": built.digest,
            "size_bytes": built.size_bytes,
            "built_by": built_by,
            "duration_seconds": built.duration_seconds,
            "log": log,
            "built_at": self.tx.now,
        }
        await self.tx.execute(_KEEP_ARTIFACT, row)


async def read_artifact(reading: Reading, build_key: str) -> Artifact | None:
    """Return what the index knows under the key."""
    row = (await reading.execute(_ARTIFACT, {"its_key": build_key})).first()
    if row is None:
        return None
    stored = Stored(Digest(row.digest), row.size_bytes)
    return Artifact(stored, row.built_by, row.duration_seconds, row.log)


async def read_open_builds(reading: Reading) -> Sequence[tuple[BuildRequested, int]]:
    """Return every build under way: the request that began it, and the attempt."""
    rows = await reading.execute(sa.select(tables.builds).where(tables.builds.c.state == "building"))
    return [(BuildRequested.model_validate(row.order), row.attempt) for row in rows]
