"""What a run tells of itself, and when a revision is through."""

from typing import Any

import pytest

from services.status.progress import is_over, with_planned_steps
from services.status.timeline import TIMELINE_MAX
from services.status.views import PlannedStage, PlannedStep, RevisionView, RunView
from shared.events import (
    AttemptClassified,
    AttemptFailed,
    FailureClassified,
    GateAnswered,
    RunCancelling,
    StepBackingOff,
    StepFailed,
    StepStarted,
    StepSucceeded,
    StepWaiting,
    VerificationFailed,
    VerificationRequested,
    Wait,
)
from tests.builders import START, named
from tests.unit.status.told import SHOP, STAGING, WAIT, Told, evidence


def step(told: Told, revision: int, name: str = "deploy", attempt: int = 1) -> dict[str, Any]:
    run = told.run_id(revision)
    about = {"pipeline": SHOP, "stage": STAGING, "run": run, "revision": revision}
    return {**about, "step": name, "attempt": attempt}


def test_a_finished_run_has_its_whole_timeline_in_order() -> None:
    told = Told().queued(1).started(1).succeeded(1)
    run = told.run(1)
    assert [moment.what for moment in run.timeline] == ["run.queued", "run.started", "run.succeeded"]
    assert (run.state, run.final, run.wait) == ("Succeeded", True, None)
    assert run.queued_at < (run.started_at or START) < (run.finished_at or START)


def test_a_step_that_is_tried_again_shows_its_last_attempt() -> None:
    told = Told().queued(1).started(1)
    told.tell(StepStarted(**step(told, 1), step_type="SCRIPT:EXECUTE", log="log/1"))
    told.tell(StepFailed(**step(told, 1), evidence=evidence("refused")))
    told.tell(StepStarted(**step(told, 1, attempt=2), step_type="SCRIPT:EXECUTE", log="log/2"))
    told.tell(StepSucceeded(**step(told, 1, attempt=2), outputs={"url": "u"}))
    (shown,) = told.run(1).steps
    assert (shown.state, shown.attempt, shown.log, shown.outputs) == ("Succeeded", 2, "log/2", {"url": "u"})
    assert shown.duration_seconds == 1.0


def test_a_run_that_was_asked_for_says_by_whom_why_and_what_it_tries_again() -> None:
    failed = Told.run_id(1)
    told = Told().queued(1).started(1).failed(1)
    told.queued(1, "retry", None, retries=failed, actor="ann", reason="it was the network")
    run = told.started(1, "retry").kept(1, "migrate", failed).run(1, "retry")
    assert (run.kind, run.state, run.retries) == ("retry", "In Progress", failed)
    assert (run.asked_by, run.asked_reason) == ("ann", "it was the network")
    (step,) = run.steps
    assert (step.state, step.kept_of, step.outputs) == ("Succeeded", failed, {"schema": "42"})
    assert [moment.text for moment in run.timeline] == [
        "Queued as a retry, asked for by ann: it was the network",
        "In Progress: holds the stage",
        "Step migrate is kept: it succeeded in the run that is tried again",
    ]
    assert told.stage.running is not None
    assert told.stage.running.asked_by == "ann"


def test_a_cancelled_run_still_says_who_asked_for_it() -> None:
    told = Told().queued(1, "roll_forward", None, actor="bob", reason="now").rolling_forward(1)
    told.tell(RunCancelling(**told.about(1, "roll_forward"), actor="ann", reason="not now"))
    run = told.run(1, "roll_forward")
    assert (run.state, run.asked_by, run.actor, run.reason) == ("Cancelling", "bob", "ann", "not now")


def test_a_run_past_the_queue_rolls_forward_and_has_rolled_forward() -> None:
    told = Told().queued(1, "roll_forward", None).rolling_forward(1)
    assert told.run(1, "roll_forward").state == "Rolling Forward"
    assert told.stage.running is not None
    assert told.stage.running.state == "Rolling Forward"
    told.succeeded(1, "roll_forward")
    assert told.run(1, "roll_forward").state == "Rolled Forward"
    assert told.stage.live is not None


def test_a_gate_shows_what_is_to_be_approved_and_what_everybody_said() -> None:
    told = Told().queued(1).started(1)
    wait = Wait(reason="approval", blocked_by="0 of 2", released_by="ann, bob", since=START)
    shown = {"shown": "5b0f", "plan_hash": "p", "artifacts": {"web": "sha256:1"}}
    waiting = {"wait": wait, "needed": 2, "approvers": ("ann", "bob"), "step_type": "APPROVAL:MANUAL"}
    told.tell(StepWaiting(**step(told, 1), **waiting, **shown))
    (gate,) = told.run(1).steps
    assert gate.gate is not None
    assert (gate.state, gate.gate.needed, gate.gate.shown) == ("Waiting", 2, "5b0f")
    for number, actor in enumerate(("ann", "bob"), start=1):
        said = {"actor": actor, "verdict": "approved", "comment": "fine"}
        told.tell(GateAnswered(**step(told, 1), **said, approvals=number, needed=2))
    told.tell(StepSucceeded(**step(told, 1), outputs={}))
    (gate,) = told.run(1).steps
    assert gate.gate is not None
    assert gate.state == "Succeeded"
    assert [answer.actor for answer in gate.gate.answers] == ["ann", "bob"]


def test_a_step_that_will_be_attempted_again_says_when_and_what_was_seen() -> None:
    told = Told().queued(1).started(1)
    told.tell(StepStarted(**step(told, 1), step_type="SCRIPT:EXECUTE", log="log/1"))
    told.tell(AttemptFailed(**step(told, 1), evidence=evidence("refused"), attempts_max=3, run_kind="deploy"))
    told.tell(
        StepBackingOff(**step(told, 1), until=START, code="INFRASTRUCTURE_NETWORK_FAILURE", rule="refused")
    )
    (shown,) = told.run(1).steps
    assert (shown.next_attempt_at, shown.evidence) == (START, evidence("refused"))
    told.tell(StepStarted(**step(told, 1, attempt=2), step_type="SCRIPT:EXECUTE", log="log/2"))
    (shown,) = told.run(1).steps
    assert (shown.next_attempt_at, shown.attempt) == (None, 2)


def test_a_failure_is_shown_with_what_was_seen_and_what_to_try() -> None:
    told = Told().queued(1).started(1).failed(1)
    classified = FailureClassified(
        pipeline=SHOP,
        stage=STAGING,
        run=told.run_id(1),
        revision=1,
        failure_stage="deploy",
        category="startup_failure",
        code="DEPLOYMENT_FAILED_GENERIC",
        retryable=False,
        rule="exit-code",
        likely_cause="the program ended at once",
        lines=("boom",),
        commands=("windlass logs shop",),
    )
    run = told.tell(classified).run(1)
    assert run.evidence == evidence()
    assert run.failure is not None
    assert (run.failure.rule, run.failure.commands) == ("exit-code", ("windlass logs shop",))
    assert (run.state, run.final) == ("Failed", True)


def test_a_verification_shows_what_came_back_instead() -> None:
    told = Told().queued(1).started(1)
    about = {key: value for key, value in step(told, 1).items() if key != "attempt"}
    about["verification"] = named("verification")
    told.tell(VerificationRequested(**about, targets=(), deadline=START, private_addresses=True))
    told.tell(VerificationFailed(**about, evidence=evidence("503")))
    (shown,) = told.run(1).verifications
    assert shown.passed is False
    assert shown.evidence == evidence("503")


def test_a_superseded_run_names_the_one_that_has_its_place() -> None:
    run = Told().queued(1).superseded(1, 2).run(1)
    assert (run.state, run.superseded_by_revision) == ("Superseded", 2)
    assert run.superseded_by_run == Told.run_id(2)


def test_an_endless_story_keeps_its_newest_moments() -> None:
    told = Told().queued(1)
    for number in range(TIMELINE_MAX + 5):
        told.waits(1, WAIT if number % 2 else None)
    assert len(told.run(1).timeline) == TIMELINE_MAX


STAGE = PlannedStage(
    name="staging",
    target="local",
    steps=(
        PlannedStep(id="migrate", name="Migrate", type="SCRIPT:EXECUTE"),
        PlannedStep(id="deploy", name="Deploy", type="LOCAL:SERVICE:DEPLOY"),
    ),
)


def test_steps_to_come_are_shown_in_the_order_of_the_plan() -> None:
    told = Told().queued(1).started(1)
    told.tell(StepStarted(**step(told, 1), step_type="LOCAL:SERVICE:DEPLOY", log="l"))
    shown = with_planned_steps(told.run(1), STAGE).steps
    assert [(each.name, each.state) for each in shown] == [
        ("Migrate", "Not Started"),
        ("Deploy", "In Progress"),
    ]


def revision_of(*stages: str) -> RevisionView:
    return RevisionView(
        pipeline="shop",
        revision=1,
        repository="acme/shop",
        branch="main",
        commit="c",
        title="",
        author="",
        pusher="",
        trigger="push",
        push=named("push"),
        plan_hash="",
        received_at=START,
        planned_at=START,
        artifacts=(),
        stages=tuple(PlannedStage(name=name, target="local", steps=()) for name in stages),
    )


def run_in(stage: str, state: str, *, started: bool = True) -> RunView:
    final = state in {"Succeeded", "Failed", "Superseded", "Cancelled"}
    return RunView(
        run=named(stage),
        pipeline="shop",
        stage=stage,
        revision=1,
        kind="deploy",
        commit="c",
        plan_hash="",
        state=state,
        final=final,
        queued_at=START,
        started_at=START if started else None,
    )


@pytest.mark.parametrize(
    ("runs", "over"),
    [
        pytest.param([], False, id="nothing happened yet"),
        pytest.param([run_in("staging", "In Progress")], False, id="in the first stage"),
        pytest.param([run_in("staging", "Succeeded")], False, id="between stages"),
        pytest.param(
            [run_in("staging", "Succeeded"), run_in("production", "Not Started", started=False)],
            False,
            id="waits for the second stage",
        ),
        pytest.param([run_in("staging", "Failed")], True, id="failed in the first"),
        pytest.param(
            [run_in("staging", "Failed"), run_in("production", "Not Started", started=False)],
            True,
            id="failed in the first, the second will never start",
        ),
        pytest.param([run_in("staging", "Superseded")], True, id="superseded"),
        pytest.param([run_in("staging", "Succeeded"), run_in("production", "Succeeded")], True, id="through"),
        pytest.param(
            [run_in("staging", "Failed"), run_in("staging", "Succeeded"), run_in("production", "Succeeded")],
            True,
            id="retried and through",
        ),
    ],
)
def test_a_revision_is_over_when_nothing_more_follows(runs: list[RunView], over: bool) -> None:
    assert is_over(revision_of("staging", "production"), runs) is over


def test_a_word_of_the_classifier_that_comes_too_late_changes_nothing_of_a_finished_run() -> None:
    told = Told().queued(1).started(1)
    told.tell(StepStarted(**step(told, 1), step_type="SCRIPT:EXECUTE", log="log/1"))
    told.tell(AttemptFailed(**step(told, 1), evidence=evidence("refused"), attempts_max=3, run_kind="deploy"))
    told.cancelled(1)
    finished = told.run(1)
    told.tell(AttemptClassified(**step(told, 1), code="X", retryable=True, rule="network_unreachable"))
    assert told.run(1) == finished
