"""What must hold when the faults are over and time has gone on."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.deployer import tables
from services.deployer.records import run_record
from services.deployer.run_state import HOLDS_LOCK, TERMINAL
from services.deployer.step_state import ENDED
from services.status import tables as status
from services.status.store.writing import Projection
from shared.db import ServiceDatabase
from shared.db.tables import inbox, outbox, work
from shared.events import OperationAccepted, RevisionPlanned, RunSucceeded
from shared.events.waits import Wait
from tests.distributed.rebuild import Undoing, differences
from tests.simulation.process import Process
from tests.simulation.shapes import Shape
from tests.simulation.watch import Watch
from tests.simulation.world import World

ENDS_WITHIN = timedelta(
    hours=6
)  # a run that has begun, whatever gates and limits it has; its window may open late
LATE = timedelta(seconds=90)  # past a deadline: a sweep, and what clocks may be off
BY_PEOPLE = frozenset({"stopped", "blocker", "hold", "previous_stage", "window", "approval"})
ENDS_WITH_ANOTHER = frozenset({"lock"})  # for which the same is asked
OPEN_WORK = sa.select(sa.func.count()).where(work.c.state != "done")


async def at_rest(process: Process) -> list[str]:
    """Return what still goes on though it should have ended, or waits for nothing and nobody (L2)."""
    now = process.clock.now()
    async with process.reading() as reading:
        rows = (await reading.execute(sa.select(tables.runs))).all()
        steps = (await reading.execute(sa.select(tables.steps))).all()
        open_work = (await reading.execute(sa.select(work).where(work.c.state != "done"))).all()
    runs = [run_record(row) for row in rows]
    begun_lately = {row.run for row in rows if row.started_at and now - row.started_at < ENDS_WITHIN}
    locked = {run.stage_key for run in runs if run.state in HOLDS_LOCK}
    over = {run.run for run in runs if run.state in TERMINAL}
    found = [f"L2: an order {row.kind} {row.payload} stays {row.state}" for row in open_work]
    for run in runs:
        if run.state not in TERMINAL:
            what = f"r{run.revision} in {run.stage_key} ({run.kind}, {run.state})"
            if run.run in begun_lately:
                continue
            found += [f"L2: {what} {why}" for why in _waits_badly(run.state in HOLDS_LOCK, run.wait, now)]
            if run.wait and run.wait.reason == "lock" and run.stage_key not in locked:
                found.append(f"L2: {what} waits for a lock that nobody holds")
    found += [f"L2: step {row.step} of a finished run stays {row.state}" for row in steps
              if row.run in over and row.state not in ENDED]  # fmt: skip
    return found


def _waits_badly(holds: bool, wait: Wait | None, now: datetime) -> Iterator[str]:
    if holds:
        yield f"goes on for ever: {wait}"
    elif wait is None:
        yield "waits and does not say for what"
    elif not (wait.blocked_by and wait.released_by):
        yield f"does not say what it waits for, or what ends that: {wait}"
    elif wait.deadline is None and wait.reason not in BY_PEOPLE | ENDS_WITH_ANOTHER:
        yield f"waits for no person and without a limit: {wait}"
    elif wait.deadline is not None and wait.deadline + LATE < now:
        yield f"waits past its limit: {wait}"


def ended_badly_again(watch: Watch, operations: Sequence[UUID]) -> list[str]:
    """Return the retries that came to nothing though all was well by then (L1).

    Where a person or a time is asked for, it may have ended so rightly.
    """
    plans = {(e.pipeline, e.revision): e.plan for e in watch.events if isinstance(e, RevisionPlanned)}
    asked = set(operations)
    found: list[str] = []
    for answer in watch.events:
        if not isinstance(answer, OperationAccepted) or answer.operation not in asked or not answer.started:
            continue
        run = watch.runs[answer.started]
        stages = plans[answer.pipeline, run.revision].stages
        steps = next(stage.steps for stage in stages if stage.name == answer.stage)
        gated = any(step.type.startswith("APPROVAL") for step in steps)
        if run.over not in {"Succeeded", "Superseded", ""} and not gated:
            found.append(f"L1: r{run.revision}, tried again in {run.stage}, {run.over}")
    return found


def left_behind(world: World) -> list[str]:
    """Return candidates of releases that came to nothing, and what has an address it should not (S4)."""
    found = [f"S4: a candidate was left behind: {each}" for each in sorted(world.candidates, key=str)]
    found += [f"S4: {act.stage} {act.attempt[1]} still acts" for act in world.acts.values()
              if act.goes_on(world.now)]  # fmt: skip
    return found


def live(watch: Watch, shapes: Sequence[Shape]) -> list[str]:
    """Return the stages in which the newest revision is not live (L1)."""
    last: dict[str, int] = {}
    for event in watch.events:
        if isinstance(event, RunSucceeded):
            last[event.key] = event.revision
    return [
        f"L1: {shape.pipeline}/{stage.name} runs r{last.get(f'{shape.pipeline}/{stage.name}')}, "
        f"the newest is r{shape.revision}"
        for shape in shapes
        for stage in shape.stages
        if last.get(f"{shape.pipeline}/{stage.name}") != shape.revision
    ]


async def rebuilt(process: Process) -> list[str]:
    """Return the views that are not what the history makes of them (L3)."""
    async with process.reading() as reading:
        history = (await reading.execute(sa.select(sa.func.count()).select_from(status.history))).scalar()
        chunks = (await reading.execute(sa.select(sa.func.count()).select_from(status.log_chunks))).scalar()
        said = (await reading.execute(sa.select(sa.func.count()).select_from(outbox))).scalar()
        heard = sa.select(inbox.c.event).where(inbox.c.consumer_group == "deployer")
        deaf = await reading.execute(
            sa.select(outbox.c.type).where(outbox.c.type.in_(HEARD), outbox.c.id.not_in(heard))
        )
        found = [f"S6: the deployer never heard {row.type}" for row in deaf]
        before = await _views(reading)
    if (history or 0) + (chunks or 0) < (said or 0):
        found.append(f"S6: {said} events were said and {history} + {chunks} are in the history")
    undoing = Undoing(process, process.clock)
    await Projection(ServiceDatabase(undoing, "status")).rebuild()
    return found + [f"L3: {each}" for each in differences(before, undoing.seen)]


HEARD = [
    f"windlass.{name}.v1"
    for name in (
        "revision.planned", "artifact.built", "artifact.failed", "verification.passed",
        "verification.failed", "attempt.classified", "operation.requested",
    )
]  # fmt: skip


async def _views(reading: Any) -> dict[str, tuple[Any, ...]]:
    from tests.distributed.rebuild import _views as views  # noqa: PLC0415

    return dict(await views(reading))
