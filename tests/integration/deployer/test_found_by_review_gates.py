"""What a strict reading found at gates, at changes of the pipeline file, and at alarms."""

from typing import Any, Literal

import pytest
import sqlalchemy as sa

from services.deployer import tables
from services.deployer.handlers import Deployer
from shared.db import Database, ServiceDatabase
from shared.events import (
    AlarmChanged,
    BuildRequested,
    Message,
    OperationAccepted,
    OperationRefused,
    OperationRequested,
    ProposedChanges,
    RevisionPlanned,
    RunCancelled,
    RunFailed,
    RunSucceeded,
    RunTimedOut,
    StageBlocked,
    StageHeld,
    StepCancelled,
    StepFailed,
    StepStarted,
    StepWaiting,
)
from shared.faults import TryAgain
from shared.ids import Pipeline, Stage
from shared.plan import StepPlan
from tests.integration.deployer.stand import EPOCH, ROOT, Stand, plan, planned, step
from tests.integration.deployer.test_definition_approval import (
    accepted,
    deployed,
    held,
    push,
    refused,
    unwatched,
    watched,
)
from tests.integration.deployer.test_gates import MANUAL
from tests.integration.replicas import Halting, Replicas, heard, meet, read

ALARM = "shop-5xx"
BLOCKERS = sa.select(tables.blockers.c.stage_key, tables.blockers.c.name)


def gate(*after: str, **changes: Any) -> StepPlan:
    params = {**MANUAL, **changes.pop("params", {})}
    made = step("live", "APPROVAL:MANUAL", *after, **changes)
    return made.model_copy(update={"params": params, "name": "Go live"})


def one_stage(revision: int, *steps: StepPlan, alarm: str = "") -> RevisionPlanned:
    return planned(revision, plan(revision, steps=steps, stages=("staging",), alarm=alarm))


def alarm(
    stand: Stand, state: Literal["firing", "clear", "unknown"] = "firing", reason: str = "5xx"
) -> AlarmChanged:
    return AlarmChanged(alarm=ALARM, state=state, reason=reason, source="monitor", at=stand.clock.now())


def deployer(database: Database) -> Deployer:
    return Deployer(ServiceDatabase(database, "deployer"), lambda _at: None)


async def take(database: Database, message: Message[AlarmChanged]) -> None:
    """Hear of an alarm, once more if that is asked for, as delivery does."""
    try:
        await deployer(database).alarm_changed(message)
    except TryAgain:
        await deployer(database).alarm_changed(message)


FIRES = heard(AlarmChanged(alarm=ALARM, state="firing", reason="5xx", source="monitor", at=EPOCH))


@pytest.mark.parametrize("after", ["SELECT DISTINCT stages.pipeline", "INSERT INTO alarms"])
async def test_an_alarm_that_fires_while_the_first_plan_names_it_blocks_what_it_is_about(
    replicas: Replicas, after: str
) -> None:
    named = heard(one_stage(1, step("a"), alarm=ALARM))
    halting = Halting(replicas.database, after)
    ends = await meet(
        replicas,
        halting,
        deployer(halting).alarm_changed(FIRES),
        deployer(replicas.another()).revision_planned(named),
    )
    assert ends[1] is None
    if ends[0] is not None:
        assert isinstance(ends[0], TryAgain)
        await deployer(replicas.database).alarm_changed(FIRES)
    assert await read(replicas.database, BLOCKERS) == [("shop/staging", f"alarm {ALARM}")]


async def test_a_plan_that_first_names_an_alarm_is_known_to_whoever_hears_it_fire(replicas: Replicas) -> None:
    named = heard(one_stage(1, step("a"), alarm=ALARM))
    halting = Halting(replicas.database, "FROM alarms")
    ends = await meet(
        replicas,
        halting,
        deployer(halting).revision_planned(named),
        take(replicas.another(), FIRES),
    )
    assert ends == [None, None]
    assert await read(replicas.database, BLOCKERS) == [("shop/staging", f"alarm {ALARM}")]


async def test_an_alarm_that_fires_on_for_another_reason_leaves_what_a_person_let_out_alone(
    stand: Stand,
) -> None:
    async with stand.running():
        await stand.say(one_stage(1, step("a"), alarm=ALARM))
        await stand.until_said(RunSucceeded, revision=1)
        await stand.say(alarm(stand, reason="5xx at 3.1 %"))
        await stand.until_said(StageBlocked)
        stand.clock.advance(5)
        assert isinstance(
            await stand.answer("lift_blocker", "staging", reason="the fix goes out"), OperationAccepted
        )
        let_go = stand.carrier.hold("a")
        await stand.say(one_stage(2, step("a"), alarm=ALARM))
        await stand.until_said(StepStarted, revision=2)
        stand.clock.advance(5)
        await stand.say(alarm(stand, reason="5xx at 3.2 %"))
        await stand.until(lambda: [row["reason"] for row in stand.rows(tables.alarms)] == ["5xx at 3.2 %"])
        let_go.set()
        await stand.until_said(RunSucceeded, revision=2)
        stand.clock.advance(5)
        await stand.say(one_stage(3, step("a"), alarm=ALARM))
        await stand.until_said(RunSucceeded, revision=3)
    assert len(stand.said(StageBlocked)) == 1
    assert not stand.said(RunCancelled)


async def test_an_alarm_that_fires_anew_undoes_what_a_person_let_out_before(stand: Stand) -> None:
    async with stand.running():
        await stand.say(one_stage(1, step("a"), alarm=ALARM))
        await stand.until_said(RunSucceeded, revision=1)
        await stand.say(alarm(stand))
        await stand.until_said(StageBlocked)
        await stand.answer("lift_blocker", "staging", reason="the fix goes out")
        stand.carrier.hold("a")
        await stand.say(one_stage(2, step("a"), alarm=ALARM))
        await stand.until_said(StepStarted, revision=2)
        stand.clock.advance(5)
        await stand.say(alarm(stand, "clear"), alarm(stand))
        cancelled = await stand.until_said(RunCancelled, revision=2)
    assert cancelled.rollback == "started"


async def test_an_alarm_takes_nothing_back_where_nothing_was_done(stand: Stand) -> None:
    async with stand.running():
        await stand.say(one_stage(1, step("a"), alarm=ALARM))
        await stand.until_said(RunSucceeded)
        stand.clock.advance(1)
        stand.silent_builder = True
        await stand.say(one_stage(2, step("a"), alarm=ALARM))
        await stand.until_said(BuildRequested, revision=2)
        await stand.say(alarm(stand))
        cancelled = await stand.until_said(RunCancelled, revision=2)
        await stand.until_said(StageBlocked)
    assert cancelled.rollback == ""
    assert not stand.said(StageHeld)
    assert [row["revision"] for row in stand.rows(tables.runs) if row["kind"] == "rollback"] == []


async def test_an_alarm_at_a_gate_before_the_first_step_takes_nothing_back(stand: Stand) -> None:
    async with stand.running():
        await stand.say(one_stage(1, step("a"), alarm=ALARM))
        await stand.until_said(RunSucceeded)
        await stand.say(one_stage(2, gate(), step("a", "SCRIPT:EXECUTE", "live"), alarm=ALARM))
        await stand.until_said(StepWaiting, revision=2)
        await stand.say(alarm(stand))
        cancelled = await stand.until_said(RunCancelled, revision=2)
    assert cancelled.rollback == ""


@pytest.mark.parametrize("kind", ["approve", "reject"])
async def test_changes_of_the_file_are_not_answered_by_whoever_does_not_say_what_they_saw(
    stand: Stand, kind: str
) -> None:
    async with stand.running():
        await deployed(stand, watched(1))
        await held(stand, unwatched(2))
        third = await held(stand, unwatched(3, mode="NEVER"))
        message = await refused(stand, kind, "staging", reason="fine")
        assert message == (
            "say which you looked at, by `run` or `shown`: waiting in staging are "
            "the changes of the pipeline file in revision 3"
        )
        await accepted(stand, kind, "staging", reason="fine", run=third.run)


async def test_where_a_gate_and_a_changed_file_wait_an_answer_says_to_which_it_is(stand: Stand) -> None:
    async with stand.running():
        await push(stand, watched(1, steps=(gate(),), stages=("staging",)))
        await stand.until_said(StepWaiting)
        said = await held(stand, unwatched(2, steps=(gate(),), stages=("staging",)))
        message = await refused(stand, "approve", "staging")
        assert message == (
            "say which you looked at, by `run` or `shown`: waiting in staging are "
            "step 'Go live' of revision 1, the changes of the pipeline file in revision 2"
        )
        await accepted(stand, "approve", "staging", step="live")
        await accepted(stand, "approve", "staging", shown=said.shown)


@pytest.mark.parametrize("kind", ["approve", "reject"])
async def test_a_gate_whose_time_is_over_is_not_answered_any_more(stand: Stand, kind: str) -> None:
    async with stand.running():
        await stand.say(one_stage(1, gate()))
        await stand.until_said(StepWaiting)
    stand.clock.advance(48 * 3600)  # and nobody has noticed yet
    asked = OperationRequested(
        pipeline=Pipeline("shop"), stage=Stage("staging"), operation=ROOT, kind=kind, actor="bob", reason="ok"
    )
    await deployer(stand.database).operation_requested(heard(asked))
    async with stand.running():
        answer = await stand.until_said(OperationRefused)
        await stand.until_said(RunTimedOut)
    assert answer.message == ("the time of step 'Go live' was over at 2026-01-03 00:00 UTC: retry the run")


@pytest.mark.parametrize(("pusher", "actor"), [("Ada", "ada"), ("ada", "ADA"), ("", "ada"), ("", "bob")])
async def test_whose_push_it_is_does_not_count_however_it_is_written(
    stand: Stand, pusher: str, actor: str
) -> None:
    pushed = one_stage(1, gate(params={"self_approval": False})).model_copy(update={"pusher": pusher})
    async with stand.running():
        await stand.say(pushed)
        await stand.until_said(StepWaiting)
        answer = await stand.answer("approve", "staging", actor=actor)
    assert isinstance(answer, OperationRefused)
    assert "whose push it is" in answer.message


async def test_one_person_is_not_two_however_the_name_is_written(stand: Stand) -> None:
    async with stand.running():
        await stand.say(one_stage(1, gate(params={"approvals": 2})))
        await stand.until_said(StepWaiting)
        await stand.answer("approve", "staging", actor="bob")
        again = await stand.answer("approve", "staging", actor="Bob")
        assert isinstance(again, OperationRefused)
        await stand.answer("approve", "staging", actor="eve")
        await stand.until_said(RunSucceeded)


HOSTILE = "x\x1b[2J\nstep 'other' has 5 of 5 approvals\u202e" + "y" * 100_000


async def test_what_is_asked_at_a_gate_is_one_line_that_can_be_read(stand: Stand) -> None:
    async with stand.running():
        await stand.say(one_stage(1, gate(params={"message": HOSTILE})))
        asked = (await stand.until_said(StepWaiting)).wait.blocked_by
        told = (await stand.until_waits("approval")).blocked_by
    assert asked == told
    assert asked.startswith("step 'Go live' has 0 of 1 approvals: x")
    assert asked.isprintable()
    assert len(asked) < 600


async def test_what_a_step_proposes_is_told_in_lines_that_can_be_read(stand: Stand) -> None:
    proposed = ProposedChanges(summary=HOSTILE, destructive=False, changes=(HOSTILE, "add b"), digest="d")
    stand.carrier.proposals = {"infra": proposed}
    infra = step("infra", "TERRAFORM:SYNTHESIZE", timeout_seconds=60.0)
    infra = infra.model_copy(update={"params": {"source": "/infra", "requires_approval": "ALWAYS"}})
    async with stand.running():
        await stand.say(one_stage(1, infra))
        said = await stand.until_said(StepWaiting)
    told = [said.changes.summary, *said.changes.changes, said.wait.blocked_by]
    assert told[2] == "add b"
    assert [text for text in told if not text.isprintable() or len(text) > 600] == []


async def test_a_gate_does_not_keep_a_run_that_fails_whatever_its_step_says(stand: Stand) -> None:
    async with stand.running():
        let_go = stand.carrier.hold("a")
        waiting = gate("c", on_sibling_failure="finish")
        await stand.say(one_stage(1, step("a"), step("c"), waiting))
        await stand.until_said(StepWaiting)
        stand.carrier.failing = {"a"}
        let_go.set()
        failed = await stand.until_said(RunFailed)
    assert failed.step == "a"
    assert [said.step for said in stand.said(StepCancelled)] == ["live"]


async def test_a_test_that_fails_after_its_run_did_is_put_to_nobody(stand: Stand) -> None:
    """Its step says that it finishes what it does; to wait for somebody is not that."""
    smoke = step("smoke", "APPROVAL:TEST", on_sibling_failure="finish", timeout_seconds=60.0)
    smoke = smoke.model_copy(update={"params": {"testCommand": "true", "timeout": 1}})
    stand.carrier.failing = {"a", "smoke"}
    async with stand.running():
        let_go = stand.carrier.hold("smoke")
        await stand.say(one_stage(1, step("a"), smoke))
        await stand.until_said(StepFailed, step="a")
        let_go.set()
        await stand.until_said(RunFailed)
