"""Ingest's SQL.

Replicas write deliveries side by side. The keys of the tables keep one from being news twice, and rows
are written in the order of their keys, so that two groups with the same deliveries cannot wait for each
other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.ingest import acceptance, tables
from services.ingest.acceptance import Answer, Delivery, Place, Registered, Seen, Verdict
from services.ingest.github import Moved
from shared.db import Cause, Reading, ServiceDatabase, Transaction, hold
from shared.events import AlarmChanged, Message, PushReceived, RevisionPlanned
from shared.events.alarms import FIRING
from shared.events.revisions import RevisionEvent
from shared.faults import TryAgain
from shared.ids import Pipeline, Repository

ROUNDS_MAX = 3  # of judging: as new, then knowing where it moved, then knowing the delivery too
KEPT = timedelta(days=90)  # how long a redelivery is known as one; git knows its commit for ever
UNNAMED_ALARMS_MAX = 1_000  # told of with tokens for every alarm: a monitor that makes names up ends here

Repositories = tables.repositories.c
Deliveries = tables.deliveries.c
Pushes = tables.pushes.c
Pipelines = tables.pipelines.c

# Fixed statements for the way every webhook takes: building one anew costs more than running it.
_BY_NAME = sa.select(tables.repositories).where(Repositories.name == sa.bindparam("name"))
_ALARM = sa.select(tables.alarms).where(tables.alarms.c.name == sa.bindparam("called"))
_INSERT_DELIVERY = sa.insert(tables.deliveries)
_INSERT_PUSH = sa.insert(tables.pushes)


@dataclass(frozen=True, slots=True)
class RepositoryRow:
    """A registered repository with its encrypted secret."""

    registered: Registered
    secret: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Home:
    """Where a pipeline comes from."""

    pipeline: Pipeline
    repository: Repository
    branch: str  # empty: only tags of it were seen


@dataclass(frozen=True, slots=True)
class AlarmTold:
    """What was last told of an alarm."""

    state: str
    reason: str
    event: UUID

    def says(self, alarm: AlarmChanged) -> bool:
        """Tell whether this is the same news; who says it does not count."""
        return (self.state, self.reason) == (str(alarm.state), alarm.reason)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a group of deliveries."""

    seen: Mapping[tuple[str, str], Seen]
    pushed: Mapping[Place, UUID]


@dataclass(frozen=True, slots=True)
class IngestStore:
    """Everything ingest keeps."""

    db: ServiceDatabase

    async def repository(self, name: str) -> RepositoryRow | None:
        """Return the repository of that name."""
        async with self.db.reading() as reading:
            row = (await reading.execute(_BY_NAME, {"name": name})).one_or_none()
        return _repository(row) if row else None

    async def repository_at(self, remote: str) -> RepositoryRow | None:
        """Return the repository with that remote."""
        query = sa.select(tables.repositories).where(Repositories.remote == remote)
        async with self.db.reading() as reading:
            row = (await reading.execute(query)).one_or_none()
        return _repository(row) if row else None

    async def repositories(self) -> list[RepositoryRow]:
        """Return all, by name."""
        query = sa.select(tables.repositories).order_by(Repositories.name)
        async with self.db.reading() as reading:
            return [_repository(row) for row in await reading.execute(query)]

    async def register(self, registered: Registered, secret: bytes) -> RepositoryRow | None:
        """Keep a new repository; None when its name or remote is taken."""
        cause = Cause(acceptance.DELIVERIES)  # says nothing, so nothing follows from it
        async with self.db.transaction(cause, "repository.registered") as tx:
            row = asdict(registered) | {"secret": secret, "created_at": tx.now}
            if not await tx.insert_or_ignore(tables.repositories, row):
                return None
            return RepositoryRow(registered, secret, tx.now)

    async def rotate(self, name: str, secret: bytes) -> bool:
        """Give a repository another secret; False when there is none."""
        async with self.db.transaction(Cause(acceptance.DELIVERIES), "repository.rotated") as tx:
            change = sa.update(tables.repositories).where(Repositories.name == name)
            changed = await tx.execute(change.values(secret=secret))
        return changed.rowcount == 1

    async def forget(self, name: str) -> bool:
        """Remove a repository; False when there is none. Its pushes stay known."""
        async with self.db.transaction(Cause(acceptance.DELIVERIES), "repository.forgotten") as tx:
            removed = await tx.execute(sa.delete(tables.repositories).where(Repositories.name == name))
            await tx.execute(sa.delete(tables.pipelines).where(tables.pipelines.c.repository == name))
        return removed.rowcount == 1

    async def accept(self, group: Sequence[Delivery]) -> list[Answer]:
        """Judge deliveries and commit what is new about them, all in one transaction.

        They are taken for new at first, as nearly all are; the database's keys tell when one is not,
        also when another replica was quicker, and then they are judged by what is known. When others stay
        quicker, each has a transaction of its own: what is news of it is decided after as many rounds.
        """
        known = Known({}, {})
        for _ in range(ROUNDS_MAX):
            try:
                async with self.db.transaction(Cause(group[0].push), "deliveries.accepted") as tx:
                    verdicts = acceptance.judge(group, known.seen, known.pushed)
                    await _carry_out(tx, verdicts)
            except sa.exc.IntegrityError:
                known = await self._known(group)
            else:
                return [verdict.answer for verdict in verdicts]
        if len(group) == 1:
            raise TryAgain("other replicas keep accepting the same delivery")
        return [answer for delivery in group for answer in await self.accept([delivery])]

    async def _known(self, group: Sequence[Delivery]) -> Known:
        async with self.db.reading() as reading:
            return Known(await _seen(reading, group), await _pushed(reading, group))

    async def ask(self, push: PushReceived, body_sha256: str) -> Answer:
        """Say a push that a person asked for; the same push again gives the same answer."""
        key = f"manual:{push.push}"
        async with self.db.transaction(Cause(push.push), "deployment.asked") as tx:
            answer = Answer(acceptance.ACCEPTED, {"push": str(push.push), "position": str(tx.id_of(push))})
            asked = {"repository": push.repository, "delivery": key, "body_sha256": body_sha256}
            told = {"status": answer.status, "answer": answer.document, "received_at": tx.now}
            if await tx.insert_or_ignore(tables.deliveries, asked | told):
                tx.emit(push)
                return answer
            mine = sa.and_(Deliveries.repository == push.repository, Deliveries.delivery == key)
            seen = _seen_row((await tx.execute(sa.select(tables.deliveries).where(mine))).one())
            return seen.answer if seen.body_sha256 == body_sha256 else Answer(acceptance.CONFLICT, {})

    async def told(self, alarm: str) -> AlarmTold | None:
        """Return what was last told of an alarm; None: nothing yet."""
        async with self.db.reading() as reading:
            return _told((await reading.execute(_ALARM, {"called": alarm})).one_or_none())

    async def tell(self, alarm: AlarmChanged, cause: UUID, *, named: bool) -> UUID | None:
        """Say how an alarm stands, unless that was the last that was said; return that event's id.

        None: it is new, whoever says it has no token for it alone, and there are as many as there may be.
        """
        async with self.db.transaction(Cause(cause), "alarm.told") as tx:
            await hold(tx, f"alarm {alarm.alarm}")  # two who tell at once are heard one after the other
            last = _told((await tx.execute(_ALARM, {"called": alarm.alarm})).one_or_none())
            if last and last.says(alarm):
                return last.event
            if last is None and not named and not await _has_room(tx):
                return None
            row = {"state": alarm.state, "reason": alarm.reason, "event": tx.emit(alarm), "told_at": tx.now}
            if named:
                row["named"] = True
            change = sa.update(tables.alarms).where(tables.alarms.c.name == alarm.alarm)
            if last:
                await tx.execute(change.values(row))
            else:
                await tx.execute(sa.insert(tables.alarms), row | {"name": alarm.alarm, "named": named})
            return UUID(str(row["event"]))

    async def homes(self) -> list[Home]:
        """Return where each known pipeline comes from."""
        async with self.db.reading() as reading:
            rows = await reading.execute(sa.select(tables.pipelines).order_by(tables.pipelines.c.pipeline))
            return [Home(row.pipeline, row.repository, row.branch) for row in rows]

    async def stages_of(self, alarm: str) -> list[str]:
        """Return the stages that name the alarm, as pipeline/stage, as they were last planned."""
        known = sa.select(Pipelines.pipeline, Pipelines.alarms).where(Pipelines.alarms.is_not(None))
        async with self.db.reading() as reading:
            rows = (await reading.execute(known)).all()
        named = (
            f"{row.pipeline}/{stage}"
            for row in rows
            for stage, name in (row.alarms or {}).items()
            if name == alarm
        )
        return sorted(named)

    async def learn_homes(self, messages: Sequence[Message[RevisionEvent]]) -> None:
        """Remember which repository and branch pipelines come from, by what is told last of each."""
        async with self.db.hearing_together(messages) as (tx, news):
            told: dict[str, list[RevisionEvent]] = {}
            for message in news:
                told.setdefault(message.body.pipeline, []).append(message.body)
            for pipeline, bodies in told.items():
                known = {"pipeline": pipeline, "branch": bodies[0].branch} | _told_by(bodies[0])
                is_new = await tx.insert_or_ignore(tables.pipelines, known)
                change = _last_told(bodies[1:] if is_new else bodies)
                if change:
                    await tx.execute(
                        sa.update(tables.pipelines).where(Pipelines.pipeline == pipeline), change
                    )

    async def resume(self) -> datetime | None:
        """Forget deliveries nobody will send again, and alarms that have not fired for as long."""
        oldest = self.db.clock.now() - KEPT
        alarms = tables.alarms.c
        for table, old in (
            (tables.deliveries, Deliveries.received_at < oldest),
            (tables.pushes, Pushes.received_at < oldest),
            (tables.alarms, sa.and_(alarms.told_at < oldest, alarms.state.not_in(FIRING))),
        ):
            async with self.db.reading() as reading:
                found = (await reading.execute(sa.select(sa.literal(1)).where(old).limit(1))).scalar()
            if found:
                async with self.db.transaction(Cause(acceptance.DELIVERIES), f"{table.name}.pruned") as tx:
                    await tx.execute(sa.delete(table).where(old))
        return None


def _told_by(body: RevisionEvent) -> dict[str, Any]:
    row: dict[str, Any] = {"repository": body.repository}
    if isinstance(body, RevisionPlanned):
        row["alarms"] = {stage.name: stage.alarm for stage in body.plan.stages if stage.alarm}
    return row


def _last_told(bodies: Sequence[RevisionEvent]) -> dict[str, Any]:
    """Return what changes about a pipeline that is known; a file that was refused changes nothing."""
    planned = [body for body in bodies if isinstance(body, RevisionPlanned)]
    if not planned:
        return {}
    branches = [body.branch for body in planned if not body.tag]  # a tag says nothing of the branch
    return _told_by(planned[-1]) | ({"branch": branches[-1]} if branches else {})


async def _has_room(tx: Transaction) -> bool:
    """Tell whether one more alarm may be kept that no token is for alone."""
    await hold(tx, "alarms")
    unnamed = sa.select(sa.literal(1)).where(sa.not_(tables.alarms.c.named)).limit(UNNAMED_ALARMS_MAX)
    return len((await tx.execute(unnamed)).all()) < UNNAMED_ALARMS_MAX


def _told(row: sa.Row[Any] | None) -> AlarmTold | None:
    return AlarmTold(row.state, row.reason, row.event) if row else None


def _repository(row: sa.Row[Any]) -> RepositoryRow:
    return RepositoryRow(Registered(row.name, row.remote, row.branch), row.secret, row.created_at)


async def _seen(reading: Reading, group: Sequence[Delivery]) -> dict[tuple[str, str], Seen]:
    """Return those heard before; others of the same ids may come along and do no harm."""
    query = sa.select(tables.deliveries).where(
        Deliveries.repository.in_({delivery.repository.name for delivery in group}),
        Deliveries.delivery.in_([delivery.delivery for delivery in group]),
    )
    return {(row.repository, row.delivery): _seen_row(row) for row in await reading.execute(query)}


def _seen_row(row: sa.Row[Any]) -> Seen:
    return Seen(row.body_sha256, Answer(row.status, row.answer))


async def _pushed(reading: Reading, group: Sequence[Delivery]) -> dict[Place, UUID]:
    places = [place for place in map(acceptance.place_of, group) if place]
    names, refs, commits = ({place[part] for place in places} for part in range(3))
    query = sa.select(tables.pushes).where(
        Pushes.repository.in_(names), Pushes.ref.in_(refs), Pushes.commit.in_(commits)
    )
    return {(row.repository, row.ref, row.commit): row.push for row in await reading.execute(query)}


async def _carry_out(tx: Transaction, verdicts: Sequence[Verdict]) -> None:
    moves = [(verdict.delivery, verdict.moved) for verdict in verdicts if verdict.moved]
    for delivery, moved in moves:
        tx.cause = Cause(delivery.push)
        tx.emit(_push_received(delivery, moved, tx.now))
    if moves:
        pushes = [_push_row(*move, tx.now) for move in moves]
        await tx.execute(_INSERT_PUSH, _by_key(tables.pushes, pushes))
    first = [_delivery_row(verdict, tx.now) for verdict in verdicts if verdict.first]
    if first:
        await tx.execute(_INSERT_DELIVERY, _by_key(tables.deliveries, first))


def _by_key(table: sa.Table, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: [row[column.name] for column in table.primary_key])


def _push_received(delivery: Delivery, moved: Moved, now: datetime) -> PushReceived:
    return PushReceived(
        push=delivery.push,
        repository=delivery.repository.name,
        remote=delivery.repository.remote,
        branch=moved.branch,
        tag=moved.tag,
        commit=moved.commit,
        trigger="push",
        pusher=moved.pusher,
        received_at=now,
    )


def _push_row(delivery: Delivery, moved: Moved, now: datetime) -> dict[str, Any]:
    return {
        "repository": delivery.repository.name,
        "ref": moved.ref,
        "commit": moved.commit,
        "push": delivery.push,
        "received_at": now,
    }


def _delivery_row(verdict: Verdict, now: datetime) -> dict[str, Any]:
    delivery, answer = verdict.delivery, verdict.answer
    return {
        "repository": delivery.repository.name,
        "delivery": delivery.delivery,
        "body_sha256": delivery.body_sha256,
        "status": answer.status,
        "answer": answer.document,
        "received_at": now,
    }
