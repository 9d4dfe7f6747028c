"""What a strict review found about what runs take over from runs before them, each in its shortest way."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.deployer import tables
from services.deployer.step_order import Done, StepAnswer, StepOrder
from shared.db import Cause, ServiceDatabase
from shared.events import (
    OperationAccepted,
    OperationRefused,
    RevisionPlanned,
    RunCancelled,
    RunFailed,
    RunSucceeded,
    StepApplying,
    StepFailed,
    StepKept,
    StepSkipped,
    StepStarted,
    StepWaiting,
    VerificationRequested,
)
from shared.ids import Step
from shared.placeholder import OutputOf, Placeholder
from shared.plan import StepPlan
from tests.integration.deployer.stand import SERVICE, Stand, plan, planned, step
from tests.integration.deployer.test_asked_after_running import CHANGES
from tests.integration.deployer.test_late_values import Recorder, with_env

MANUAL = {"approvers": [], "approvals": 1, "self_approval": True, "expires_after_hours": 48}
IT = OutputOf(step=Step("gives"), name="it")
GONE = OutputOf(step=Step("gives"), name="gone")
GIVES = step("gives", on_rollback="skip")
USES = with_env("uses", IT, "gives")
A, B = step("a"), step("b", "SCRIPT:EXECUTE", "a")
SYNC, WEB = step("sync"), step("web", SERVICE, "sync")
CHECK = step("check", "APPROVAL:TEST", "web").model_copy(
    update={"params": {"testCommand": "x", "timeout": 1}}
)
LIVE = step("live", "APPROVAL:MANUAL", "web").model_copy(update={"params": MANUAL})
SOAK = step("soak", "APPROVAL:BAKE", "web").model_copy(update={"params": {"duration_minutes": 5}})


def asking(value: OutputOf) -> StepPlan:
    """Return a gate whose message another step gives."""
    gate = step("live", "APPROVAL:MANUAL", "gives", on_rollback="run")
    late = (Placeholder(at=("message",), value=value),)
    return gate.model_copy(update={"params": {**MANUAL, "message": None}, "late": late})


@dataclass
class Giving(Recorder):
    """Each run of `gives` gives another value."""

    async def run(self, order: StepOrder, called_off: Any) -> StepAnswer:
        answer = await Recorder.run(self, order, called_off)
        gives = isinstance(answer, Done) and order.step.id == "gives"
        return Done({"it": f"of {order.revision}"}) if gives else answer

    def env(self, step: str) -> list[str]:
        return [params["env"]["URL"] for params in self.params(step)]


@pytest.fixture
def carrier(stand: Stand) -> Giving:
    giving = Giving()
    stand.carrier = giving
    return giving


def of(revision: int, *steps: StepPlan, queue: str = "newest") -> RevisionPlanned:
    made = plan(revision, steps=steps, stages=("staging",))
    stages = tuple(stage.model_copy(update={"queue": queue}) for stage in made.stages)
    return planned(revision, made.model_copy(update={"stages": stages}))


async def goes_out(stand: Stand, revision: int, *steps: StepPlan) -> None:
    await stand.say(of(revision, *steps))
    await stand.until_said(RunSucceeded, revision=revision)
    stand.clock.advance(1)


async def fails(stand: Stand, revision: int, at: str, *steps: StepPlan, queue: str = "newest") -> UUID:
    """Let the revision fail at that step, and nothing fail any more after it; return the run."""
    stand.carrier.failing = {at}
    await stand.say(of(revision, *steps, queue=queue))
    failed: RunFailed = await stand.until_said(RunFailed, revision=revision)
    stand.carrier.failing = set()
    stand.clock.advance(1)
    return failed.run


async def accepted(stand: Stand, kind: str, **fields: Any) -> OperationAccepted:
    answer = await stand.answer(kind, "staging", **fields)
    assert isinstance(answer, OperationAccepted), answer.message
    stand.clock.advance(1)
    return answer


async def refused(stand: Stand, kind: str, **fields: Any) -> str:
    answer = await stand.answer(kind, "staging", **fields)
    assert isinstance(answer, OperationRefused), answer
    return answer.message


async def rolled_back(stand: Stand, times: int = 1) -> None:
    """Wait for so many rollbacks to end well."""
    await stand.until(
        lambda: bool(stand.said(RunFailed)) or len(stand.said(RunSucceeded, kind="rollback")) == times
    )
    assert not stand.said(RunFailed), stand.said(RunFailed)[0].evidence.message
    stand.clock.advance(1)


def started(stand: Stand, run: UUID | None) -> list[str]:
    return [event.step for event in stand.said(StepStarted, run=run)]


def kept(stand: Stand) -> list[str]:
    return [event.step for event in stand.said(StepKept)]


async def test_a_second_rollback_to_a_revision_knows_what_the_steps_it_leaves_out_gave(
    stand: Stand, carrier: Giving
) -> None:
    async with stand.running():
        await goes_out(stand, 1, GIVES, USES)
        for revision, times in ((2, 1), (3, 2)):
            await goes_out(stand, revision, GIVES, USES)
            await accepted(stand, "rollback", revision=1)
            await rolled_back(stand, times)
    assert carrier.env("uses") == ["of 1", "of 2", "of 1", "of 3", "of 1"]
    assert len(stand.said(StepSkipped, step="gives")) == 2


async def test_a_rollback_by_itself_knows_them_too(stand: Stand, carrier: Giving) -> None:
    web = with_env("web", IT, "gives", type_=SERVICE)
    stand.bad_releases = {2}
    async with stand.running():
        await goes_out(stand, 1, GIVES, web)
        await stand.say(of(2, GIVES, web))
        await stand.until_said(RunSucceeded, kind="rollback")
    assert carrier.env("web") == ["of 1", "of 2", "of 1"]


async def test_a_rollback_to_what_another_rollback_brought_before_this_release_knows_them(
    stand: Stand, carrier: Giving
) -> None:
    """Rollbacks of earlier releases kept no outputs of the steps that they left out."""
    async with stand.running():
        await goes_out(stand, 1, GIVES, USES)
        await goes_out(stand, 2, GIVES, USES)
        first = await accepted(stand, "rollback", revision=1)
        await rolled_back(stand)
        await forget_outputs(stand, first.started)
        await goes_out(stand, 3, GIVES, USES)
        await accepted(stand, "rollback", revision=1)
        await rolled_back(stand, 2)


async def forget_outputs(stand: Stand, run: UUID | None) -> None:
    """Let the steps of a run have given nothing, as an earlier release left them."""
    async with ServiceDatabase(stand.database, "deployer").transaction(Cause(UUID(int=99)), "test") as tx:
        await tx.execute(sa.update(tables.steps).where(tables.steps.c.run == run).values(outputs=None))


async def test_a_service_that_a_rollback_leaves_out_is_not_one_that_it_brought(
    stand: Stand, carrier: Giving
) -> None:
    """Its address is known to later steps; the run neither verifies nor tells it as its own."""
    web = step("web", SERVICE, on_rollback="skip")
    other, uses = step("other", SERVICE), with_env("uses", OutputOf(step=Step("web"), name="url"), "web")
    async with stand.running():
        for revision in (1, 2):
            await goes_out(stand, revision, web, other, uses)
        await accepted(stand, "rollback")
        await rolled_back(stand)
    assert carrier.env("uses")[2] == carrier.env("uses")[0]
    assert set(stand.said(RunSucceeded, kind="rollback")[0].urls) == {"other"}
    asked = stand.said(VerificationRequested, step="")
    assert [target.service for target in asked[-1].targets] == ["other"]


async def test_a_gate_in_a_rollback_shows_what_a_left_out_step_gave(stand: Stand, carrier: Giving) -> None:
    async with stand.running():
        for revision in (1, 2):
            await stand.say(of(revision, GIVES, asking(IT)))
            await stand.until_said(StepWaiting, revision=revision)
            await accepted(stand, "approve")
            await stand.until_said(RunSucceeded, revision=revision)
        back = await accepted(stand, "rollback")
        await stand.until(lambda: bool(stand.said(StepWaiting, run=back.started) or stand.said(RunFailed)))
        assert not stand.said(RunFailed), stand.said(RunFailed)[0].evidence.message
        assert stand.said(StepWaiting, run=back.started)[0].wait.blocked_by.endswith("approvals: of 1")
        await accepted(stand, "approve")
        await rolled_back(stand)


async def test_changes_that_a_rollback_proposes_with_a_left_out_step_s_value_are_put_to_a_person(
    stand: Stand, carrier: Giving
) -> None:
    infra = with_env("infra", IT, "gives")
    async with stand.running():
        for revision in (1, 2):
            await goes_out(stand, revision, GIVES, infra)
        carrier.proposals = {"infra": CHANGES}
        back = await accepted(stand, "rollback")
        asked = await stand.until_said(StepWaiting, run=back.started)
        await accepted(stand, "approve", shown=asked.shown)
        await stand.until_said(StepApplying, run=back.started)
        await rolled_back(stand)
    assert carrier.env("infra") == ["of 1", "of 2", "of 1"]


async def test_a_gate_that_lacks_a_value_fails_before_it_is_put_to_anybody(
    stand: Stand, carrier: Giving
) -> None:
    async with stand.running():
        await stand.say(of(1, GIVES, asking(GONE)))
        failed = await stand.until_said(RunFailed)
    assert failed.evidence.message.startswith("step 'live' cannot be put to anybody: ")
    assert not stand.said(StepWaiting)


@pytest.mark.parametrize("by", ["an answer", "another message", "a start"])
@pytest.mark.parametrize("proposes", [True, False])
async def test_a_step_that_waits_and_lost_a_value_fails_and_stands_in_nobody_s_way(
    stand: Stand, carrier: Giving, proposes: bool, by: str
) -> None:
    """So may a release leave it that did not keep what left-out steps gave, or took other values."""
    carrier.proposals = {"infra": CHANGES} if proposes else {}
    waits = with_env("infra", IT, "gives") if proposes else asking(IT)
    async with stand.running():
        await stand.say(of(1, GIVES, waits))
        asked = await stand.until_said(StepWaiting)
        await forget_outputs(stand, asked.run)
        if by == "an answer":
            assert "waits for an answer" in await refused(stand, "approve")
        elif by == "another message":
            await stand.say(of(2, A))
        if by != "a start":
            await stand.until_said(RunFailed, run=asked.run)
    async with stand.running():
        failed = await stand.until_said(StepFailed, run=asked.run)
        assert failed.evidence.stated == "lacking"
        await stand.say(of(3, A))
        await stand.until_said(RunSucceeded, revision=3)


@pytest.mark.parametrize("gate", [CHECK, LIVE, SOAK], ids=lambda gate: gate.type)
async def test_what_came_after_a_service_is_done_again_after_it(stand: Stand, gate: StepPlan) -> None:
    steps = (SYNC, WEB, gate, step("last", "SCRIPT:EXECUTE", gate.id))

    async def passes(times: int) -> None:
        if gate is CHECK:
            return
        await stand.until(lambda: len(stand.said(StepWaiting)) == times)
        await accepted(stand, "approve")

    stand.carrier.failing = {"last"}
    async with stand.running():
        await stand.say(of(1, *steps))
        await passes(1)
        await stand.until_said(RunFailed)
        stand.carrier.failing = set()
        stand.clock.advance(1)
        again = await accepted(stand, "retry", from_failed_step=True)
        await passes(2)
        await stand.until_said(RunSucceeded)
    assert kept(stand) == ["sync"]
    assert again.message == "revision 1 is deployed to staging once more; kept is what step sync did"


async def test_what_a_rollback_did_since_is_not_taken_for_kept(stand: Stand) -> None:
    stand.bad_releases = {2}
    async with stand.running():
        await goes_out(stand, 1, SYNC, WEB)
        await stand.say(of(2, SYNC, WEB))
        failed = await stand.until_said(RunFailed, revision=2)
        await stand.until_said(RunSucceeded, kind="rollback")
        stand.clock.advance(1)
        stand.bad_releases = set()
        await accepted(stand, "release_hold")
        message = await refused(stand, "retry", run=failed.run, from_failed_step=True)
        assert message == (
            "a rollback to revision 1 ran in staging since (Rolled Back), so nothing that revision 2 did is "
            "kept: retry the whole"
        )
        again = await accepted(stand, "retry", run=failed.run)
        await stand.until_said(RunSucceeded, revision=2)
    assert started(stand, again.started) == ["sync", "web"]


async def test_nothing_is_kept_of_an_older_run_than_the_last(stand: Stand) -> None:
    async with stand.running():
        first = await fails(stand, 1, "b", A, B)
        stand.carrier.failing = {"a"}
        second = await accepted(stand, "retry")
        await stand.until_said(RunFailed, run=second.started)
        stand.carrier.failing = set()
        stand.clock.advance(1)
        message = await refused(stand, "retry", run=first, from_failed_step=True)
        assert message.startswith("a retry of revision 1 ran in staging since (Failed), ")
        again = await accepted(stand, "retry", from_failed_step=True)
        assert again.message == (
            "revision 1 is deployed to staging once more, every step of it: nothing that it did could be kept"
        )
        await stand.until_said(RunSucceeded)
    assert kept(stand) == []


async def two_failed_in_line(stand: Stand) -> None:
    """Let 1 and 2 fail at their last step in a stage where the older goes first."""
    for revision in (1, 2):
        await fails(stand, revision, "b", A, B, queue="fifo")


async def test_what_runs_meanwhile_is_waited_for_before_anything_is_kept(stand: Stand) -> None:
    async with stand.running():
        await two_failed_in_line(stand)
        let_go = stand.carrier.hold("a")
        older = await accepted(stand, "retry", run=stand.said(RunFailed, revision=1)[0].run)
        await stand.until_said(StepStarted, run=older.started)
        message = await refused(stand, "retry", run=last_run(stand, 2), from_failed_step=True)
        assert message == (
            "a retry of revision 1 is In Progress in staging, so nothing that revision 2 did is kept: "
            "retry the whole"
        )
        let_go.set()
        await stand.until_said(RunSucceeded, revision=1)


async def test_a_retry_that_waits_does_all_again_once_another_run_went_before_it(stand: Stand) -> None:
    async with stand.running():
        await two_failed_in_line(stand)
        await accepted(stand, "stop", reason="wait")
        again = await accepted(stand, "retry", from_failed_step=True)
        assert again.message.endswith("; kept is what step a did")
        await accepted(stand, "retry", run=last_run(stand, 1))
        await accepted(stand, "resume", reason="go")
        await stand.until_said(RunSucceeded, revision=2)
    assert [event.revision for event in stand.said(RunSucceeded)] == [1, 2]
    assert started(stand, again.started) == ["a", "b"]
    assert kept(stand) == []


def last_run(stand: Stand, revision: int) -> UUID:
    run: UUID = stand.said(RunFailed, revision=revision)[-1].run
    return run


async def test_a_retry_keeps_what_a_retry_before_it_was_to_keep_that_never_began(stand: Stand) -> None:
    async with stand.running():
        failed = await fails(stand, 1, "b", A, B)
        await accepted(stand, "stop", reason="wait")
        for _ in range(2):
            unbegun = await accepted(stand, "retry", from_failed_step=True)
            await accepted(stand, "cancel")
            await stand.until_said(RunCancelled, run=unbegun.started)
        await accepted(stand, "resume", reason="go")
        again = await accepted(stand, "retry", from_failed_step=True)
        await stand.until_said(RunSucceeded)
    assert again.message.endswith("; kept is what step a did")
    assert started(stand, again.started) == ["b"]
    assert [(event.step, event.of_run) for event in stand.said(StepKept)] == [("a", failed)]
