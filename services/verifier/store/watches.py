"""The services that are watched, and their stages.

Whoever changes what is known of a stage's health locks the stage's row first, then its watches in the order
of their services; whoever takes looks locks watches alone, in the order of all. So nobody waits in a ring.
A watch is written by compare-and-set: what was taken by another meanwhile, or is of another run, stays.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.verifier.sample import document, sample_from
from services.verifier.tables import watched_stages, watches
from services.verifier.watch import Stretch, Watch
from services.verifier.watched_stage import Heard, WatchedStage
from shared.db import INSTANT, Reading, Transaction
from shared.events import Health, ProbeTarget

CLOCK_SET_BACK_SECONDS = 60.0  # a look that was taken later than that from now was taken by a wrong clock

_arg = sa.bindparam
_W, _S = watches.c, watched_stages.c
_HERE = sa.and_(_W.pipeline == _arg("of_pipeline"), _W.stage == _arg("of_stage"))
_THIS_STAGE = sa.and_(_S.pipeline == _arg("of_pipeline"), _S.stage == _arg("of_stage"))
_SEEN = sa.and_(_HERE, _W.service == _arg("of_service"), _W.run == _arg("of_run"), _W.version == _arg("seen"))
_LANES = _W.lingers.in_(_arg("lanes", expanding=True))

STAGE = sa.select(watched_stages).where(_THIS_STAGE).with_for_update()
KEEP_STAGE = sa.update(watched_stages).where(_THIS_STAGE)
OF_STAGE = sa.select(watches).where(_HERE).order_by(_W.service)
HEALTHS = sa.select(_W.health).where(_HERE)
DUE = (
    sa.select(watches, _S.busy_run.is_not(None).label("busy"))
    .join_from(watches, watched_stages, sa.and_(_S.pipeline == _W.pipeline, _S.stage == _W.stage))
    .where(
        sa.or_(_W.next_at <= _arg("now", type_=INSTANT), _W.taken_at > _arg("ahead", type_=INSTANT)), _LANES
    )
    .order_by(_W.next_at)
    .limit(_arg("count"))
)
NEXT_DUE = sa.select(sa.func.min(_W.next_at, type_=INSTANT)).where(_LANES)
TAKE = (
    sa.update(watches)
    .where(_SEEN)
    .values(version=_W.version + 1, next_at=_arg("until", type_=INSTANT), taken_at=_arg("now", type_=INSTANT))
)
PUT = sa.update(watches).where(_SEEN)
ADD = sa.insert(watches)
FORGET = sa.delete(watches).where(_HERE, _W.service == _arg("of_service"))


@dataclass(frozen=True, slots=True)
class Lanes:
    """Which looks may be taken: those that are over soon, those that took long the last time."""

    quick: bool = True
    lingering: bool = True

    @property
    def told(self) -> list[bool]:
        """Return them as they stand in the rows."""
        return [lingers for lingers, is_open in ((False, self.quick), (True, self.lingering)) if is_open]


async def due(reading: Reading, now: datetime, lanes: Lanes, count: int) -> Sequence[Watch]:
    """Return the watches whose time has come, the longest overdue first.

    Also those that a clock ahead of ours has put off: it was set back since, or is another host's.
    """
    ahead = now + timedelta(seconds=CLOCK_SET_BACK_SECONDS)
    given = {"now": now, "ahead": ahead, "lanes": lanes.told, "count": count}
    return [_watch(row, busy=bool(row.busy)) for row in (await reading.execute(DUE, given)).all()]


async def next_due(reading: Reading, lanes: Lanes) -> datetime | None:
    """Return when the next is due; None: there is none."""
    at: datetime | None = (await reading.execute(NEXT_DUE, {"lanes": lanes.told})).scalar()
    return at


async def take(tx: Transaction, watch: Watch) -> bool:
    """Take the look; False when another has, or the watch is over."""
    given = {"until": watch.taken_until(tx.now), "now": tx.now} | _key(watch)
    return (await tx.execute(TAKE, given)).rowcount == 1


async def put(tx: Transaction, seen: Watch, watch: Watch) -> bool:
    """Write what a look made of a watch; False when it was taken by another since, or is over."""
    return (await tx.execute(PUT, _key(seen) | _known(watch))).rowcount == 1


async def add(tx: Transaction, watch: Watch) -> None:
    """Begin a watch."""
    row = {
        "pipeline": watch.pipeline,
        "stage": watch.stage,
        "service": watch.service,
        "run": watch.run,
        "revision": watch.revision,
        "target": watch.target.model_dump(mode="json"),
        "private_addresses": watch.private_addresses,
        "taken_at": tx.now,
    }
    await tx.execute(ADD, row | _known(watch))


async def forget(tx: Transaction, watch: Watch) -> None:
    """End a watch."""
    key = _key(watch)
    await tx.execute(FORGET, {name: key[name] for name in ("of_pipeline", "of_stage", "of_service")})


async def of_stage(tx: Transaction, stage: WatchedStage) -> dict[str, Watch]:
    """Return the watches of a stage that is locked, by service, in their order."""
    rows = (await tx.execute(OF_STAGE, _of(stage))).all()
    return {row.service: _watch(row, busy=False) for row in rows}


async def healths(tx: Transaction, stage: WatchedStage) -> Collection[Health]:
    """Return how the services of a stage that is locked do."""
    return frozenset((await tx.execute(HEALTHS, _of(stage))).scalars())


async def lock_stage(tx: Transaction, about: WatchedStage) -> WatchedStage:
    """Return what is known of a stage, which nobody else changes until this transaction ends.

    `about` says which, and is what is known if nothing is.
    """
    found = (await tx.execute(STAGE, _of(about))).one_or_none()
    if found is None:
        await tx.insert_or_ignore(
            watched_stages, {"pipeline": about.pipeline, "stage": about.stage, **_stage_known(about)}
        )
        found = (await tx.execute(STAGE, _of(about))).one()
    return WatchedStage(
        about.pipeline,
        about.stage,
        found.busy_run,
        _heard(found.run_position, found.run_at),
        _heard(found.success_position, found.success_at),
        found.alarm,
    )


async def keep_stage(tx: Transaction, stage: WatchedStage) -> None:
    """Write what is known of a stage that is locked."""
    await tx.execute(KEEP_STAGE, _of(stage) | _stage_known(stage))


def _of(stage: WatchedStage) -> dict[str, Any]:
    return {"of_pipeline": stage.pipeline, "of_stage": stage.stage}


def _key(watch: Watch) -> dict[str, Any]:
    return {
        "of_pipeline": watch.pipeline,
        "of_stage": watch.stage,
        "of_service": watch.service,
        "of_run": watch.run,
        "seen": watch.version,
    }


def _stage_known(stage: WatchedStage) -> dict[str, Any]:
    run, success = stage.run, stage.success
    return {
        "busy_run": stage.busy_run,
        "run_position": run.position if run else None,
        "run_at": run.at if run else None,
        "success_position": success.position if success else None,
        "success_at": success.at if success else None,
        "alarm": stage.alarm,
    }


def _heard(position: int | None, at: datetime | None) -> Heard | None:
    return None if position is None or at is None else Heard(position, at)


def _known(watch: Watch) -> dict[str, Any]:
    return {
        "version": watch.version,
        "next_at": watch.next_at,
        "health": watch.health,
        "reason": watch.reason,
        "lingers": watch.lingers,
        "seen_so_far": {
            "samples": [document(sample) for sample in watch.samples],
            "stayed": watch.stayed,
            "problem": watch.problem,
            "stretch": _stretch_document(watch.stretch),
            "absent": list(watch.absent),
        },
    }


def _watch(row: sa.Row[Any], *, busy: bool) -> Watch:
    seen = row.seen_so_far
    return Watch(
        pipeline=row.pipeline,
        stage=row.stage,
        run=UUID(str(row.run)),
        revision=row.revision,
        target=ProbeTarget.model_validate(row.target),
        private_addresses=row.private_addresses,
        next_at=row.next_at,
        version=row.version,
        busy=busy,
        health=row.health,
        reason=row.reason,
        stayed=seen["stayed"],
        samples=tuple(sample_from(each) for each in seen["samples"]),
        problem=seen["problem"],
        stretch=_stretch(seen["stretch"]),
        absent=tuple(seen["absent"]),
        lingers=row.lingers,
    )


def _stretch_document(stretch: Stretch | None) -> dict[str, Any] | None:
    return None if stretch is None else {**asdict(stretch), "begins_at": stretch.begins_at.isoformat()}


def _stretch(told: dict[str, Any] | None) -> Stretch | None:
    return (
        None if told is None else Stretch(**{**told, "begins_at": datetime.fromisoformat(told["begins_at"])})
    )
