"""What must hold of every story the deployer tells, whatever was done to it on the way."""

from collections import Counter
from typing import Any

import sqlalchemy as sa

from services.deployer import tables
from services.deployer.run_state import HOLDS_LOCK, TERMINAL
from services.deployer.step_state import ENDED
from shared.db.tables import inbox, outbox, work
from shared.delivery import MessageDied
from shared.events import (
    ArtifactBuilt,
    ArtifactFailed,
    OperationRequested,
    RevisionPlanned,
    RunCancelled,
    RunFailed,
    RunQueued,
    RunRollingBack,
    RunStarted,
    RunSucceeded,
    RunSuperseded,
    RunTimedOut,
    StepCancelled,
    StepFailed,
    StepSkipped,
    StepStarted,
    StepSucceeded,
    StepTimedOut,
    VerificationFailed,
    VerificationPassed,
)
from shared.events.runs import RunEvent
from shared.events.steps import StepEvent
from tests.integration.deployer.stand import Stand

HEARD = (
    ArtifactBuilt,
    ArtifactFailed,
    OperationRequested,
    RevisionPlanned,
    VerificationFailed,
    VerificationPassed,
)
SAID = sa.select(sa.func.count()).where(outbox.c.type != MessageDied.type)
UNDER_WAY = (
    sa.select(sa.func.count()).where(tables.runs.c.state.in_(HOLDS_LOCK)),
    sa.select(sa.func.count()).where(tables.runs.c.ready, tables.runs.c.state.not_in(TERMINAL)),
    sa.select(sa.func.count()).where(work.c.state != "done"),
    sa.select(sa.func.count()).where(
        outbox.c.type.in_([kind.type for kind in HEARD]),
        outbox.c.id.not_in(sa.select(inbox.c.event).where(inbox.c.consumer_group == "deployer")),
    ),
)
STATE = sa.select(*(question.scalar_subquery() for question in (*UNDER_WAY, SAID)))
RUN_ENDS = (RunCancelled, RunFailed, RunSucceeded, RunSuperseded, RunTimedOut)
RUN_STARTS = (RunStarted, RunRollingBack)
STEP_ENDS = (StepCancelled, StepFailed, StepSkipped, StepSucceeded, StepTimedOut)


def at_rest(stand: Stand) -> bool:
    """Tell whether nothing is under way, nothing could begin by itself, and all of it was heard."""
    (counts,) = stand.store.look(STATE)
    return not any(counts[:-1]) and counts[-1] == len(stand.story)


async def rest(stand: Stand) -> None:
    """Wait until the stand is at rest."""
    await stand.until(lambda: at_rest(stand))


def kept(stand: Stand) -> None:
    """Assert every promise that can be read from the story and the rows of a stand at rest."""
    _one_run_at_a_time(stand)
    _ended_once_and_for_all(stand)
    _forward_only(stand)
    _effects_once(stand)
    _nothing_left_behind(stand)
    _nothing_died(stand)


def final_rows(stand: Stand) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the rows of finished runs and their steps: none of them may ever change (S2)."""
    runs = {(row["run"],): row for row in stand.rows(tables.runs) if _final(row)}
    steps = {(row["run"], row["step"]): row for row in stand.rows(tables.steps) if (row["run"],) in runs}
    return {**runs, **steps}


def unchanged(stand: Stand, before: dict[tuple[Any, ...], dict[str, Any]]) -> None:
    """Assert that the rows that were final are as they were."""
    after = final_rows(stand)
    changed = {key: (row, after[key]) for key, row in before.items() if after[key] != row}
    assert not changed, f"a finished run was changed (S2): {changed}"


def _final(row: dict[str, Any]) -> bool:
    return row["state"] in TERMINAL


def _one_run_at_a_time(stand: Stand) -> None:
    holder: dict[str, Any] = {}
    for event in stand.story:
        if isinstance(event, RUN_STARTS):
            assert holder.get(event.stage) is None, f"two runs at once in {event.stage} (S1)"
            holder[event.stage] = event.run
        if isinstance(event, RUN_ENDS) and holder.get(event.stage) == event.run:
            holder[event.stage] = None


def _ended_once_and_for_all(stand: Stand) -> None:
    over: set[Any] = set()
    for event in stand.story:
        if isinstance(event, RunEvent | StepEvent):
            assert event.run not in over, f"a finished run goes on: {event} (S2)"
        if isinstance(event, StepEvent):
            step = (event.run, event.step, event.attempt)
            assert step not in over, f"a finished step goes on: {event}"
            over |= {step} if isinstance(event, STEP_ENDS) else set()
        if isinstance(event, RUN_ENDS):
            over.add(event.run)


def _forward_only(stand: Stand) -> None:
    for stage in {event.stage for event in stand.said(RunQueued)}:
        deployed = [event.revision for event in stand.said(RunStarted, stage=stage, kind="deploy")]
        assert deployed == sorted(set(deployed)), f"{stage} went backwards: {deployed} (S5)"


def _effects_once(stand: Stand) -> None:
    acts = Counter((act, log.split("/")[0], step) for act, log, step in stand.carrier.effects)
    assert set(acts.values()) <= {1}, f"an effect was repeated: {acts} (S4)"
    started = Counter((event.run, event.step) for event in stand.said(StepStarted))
    assert set(started.values()) <= {1}, f"a step was started again: {started}"


def _nothing_left_behind(stand: Stand) -> None:
    assert not stand.carrier.candidates
    for row in stand.rows(tables.steps):
        assert row["state"] in ENDED, f"a step was left {row['state']}"
    deployed = {row["run"]: row for row in stand.rows(tables.runs)}
    assert {str(run) for run in deployed} >= set(stand.carrier.live.values())


def _nothing_died(stand: Stand) -> None:
    died = stand.store.look(sa.select(outbox.c.body).where(outbox.c.type == MessageDied.type))
    assert not died, "a message was buried"
