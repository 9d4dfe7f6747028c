"""The automaton that every recorded story must follow refuses what must never be told."""

from uuid import UUID

import pytest

from shared.events import (
    Event,
    Evidence,
    RunCancelled,
    RunQueued,
    RunRollingBack,
    RunStarted,
    RunSucceeded,
    RunSuperseded,
    StageHeld,
    StageStopped,
    StepFailed,
    StepStarted,
    StepSucceeded,
)
from shared.events.runs import RunKind
from shared.ids import Commit, Pipeline, Stage
from tests.integration.deployer.stand import EPOCH
from tests.model.story import NoPath, follow

HERE = {"pipeline": Pipeline("shop"), "stage": Stage("staging")}


def about(revision: int, kind: RunKind = "deploy") -> dict[str, object]:
    return {**HERE, "run": UUID(int=revision), "revision": revision, "kind": kind}


def queued(revision: int, kind: RunKind = "deploy") -> Event:
    return RunQueued(**about(revision, kind), commit=Commit("0" * 40), plan_hash="", wait=None)


def started(revision: int, kind: RunKind = "deploy") -> Event:
    return RunStarted(**about(revision, kind), deadline=EPOCH)


def succeeded(revision: int, state: str = "Succeeded") -> Event:
    return RunSucceeded(**about(revision), state=state)


def superseded(revision: int, by: int) -> Event:
    run = UUID(int=by)
    return RunSuperseded(**about(revision), state="Superseded", by_run=run, by_revision=by)


def step(kind: type[StepStarted] | type[StepSucceeded] | type[StepFailed], **fields: object) -> Event:
    said = {name: value for name, value in about(1).items() if name != "kind"}
    return kind(**said, step="a", attempt=1, **fields)


def failed(**stated: str) -> Event:
    evidence = {"phase": "deploy", "kind": "error", "message": "it broke", **stated}
    return step(StepFailed, evidence=Evidence.model_validate(evidence))


BEGUN = [queued(1), queued(2), started(1)]
STEP_STARTED = step(StepStarted, step_type="SCRIPT:EXECUTE", log="")
CANCELLED = RunCancelled(**about(1), state="Cancelled", actor="ada", reason="")
STOPPED = StageStopped(**HERE, actor="ada", reason="")
HELD = StageHeld(**HERE, revision=1, reason="")


@pytest.mark.parametrize(
    "story",
    [
        pytest.param([*BEGUN, started(2)], id="two runs at once (S1)"),
        pytest.param([*BEGUN, succeeded(1), succeeded(1)], id="a final run goes on (S2)"),
        pytest.param([queued(1), queued(2), started(2), succeeded(2), started(1)], id="backwards (S5)"),
        pytest.param([queued(1), queued(1)], id="queued twice"),
        pytest.param([started(1)], id="never queued"),
        pytest.param([queued(1), succeeded(1)], id="passed without having begun"),
        pytest.param([*BEGUN, superseded(1, 2)], id="the running one is pre-empted"),
        pytest.param([queued(1), queued(2), superseded(2, 1)], id="gives way to something older"),
        pytest.param([queued(1), superseded(1, 1)], id="gives way to itself"),
        pytest.param([*BEGUN, CANCELLED], id="cancelled at once while it works"),
        pytest.param([*BEGUN, succeeded(1, "Rolled Back")], id="another end than its own"),
        pytest.param([queued(1), STOPPED, started(1)], id="a start in a stopped stage"),
        pytest.param([queued(1), HELD, started(1)], id="a start of what is on hold"),
        pytest.param([queued(1), RunRollingBack(**about(1), deadline=EPOCH)], id="a deploy rolls back"),
        pytest.param([queued(1), STEP_STARTED], id="a step of a run that has not begun"),
        pytest.param([*BEGUN, step(StepSucceeded, outputs={})], id="a step passes that has not begun"),
        pytest.param([*BEGUN, STEP_STARTED, STEP_STARTED], id="a step begins twice"),
        pytest.param([*BEGUN, failed()], id="a step fails that has not begun"),
        pytest.param([*BEGUN, failed(stated="lacking"), STEP_STARTED], id="a step begins that failed"),
    ],
)
def test_what_is_no_path_is_refused_at_its_last_event(story: list[Event]) -> None:
    follow(story[:-1])
    with pytest.raises(NoPath):
        follow(story)


def test_a_story_may_end_anywhere() -> None:
    whole = [*BEGUN, STEP_STARTED, step(StepSucceeded, outputs={}), succeeded(1), started(2), succeeded(2)]
    for end in range(len(whole) + 1):
        follow(whole[:end])


def test_a_gate_that_lacks_a_value_fails_before_anybody_is_asked() -> None:
    follow([*BEGUN, failed(stated="lacking")])
