"""What a stage shows of what waits for people: gates, changes of the pipeline file, who is in line."""

from typing import Any

import pytest

from services.status.approvals import approvals
from services.status.explanation import why
from services.status.stage_standing import standing
from services.status.views import PipelineView, StageView
from shared.events import (
    Event,
    StepApplying,
    StepCancelled,
    StepFailed,
    StepStarted,
    StepSucceeded,
    StepTested,
    StepTimedOut,
    Wait,
)
from tests.builders import START
from tests.unit.status.told import CHANGES, PASSING, TESTS, Told, approval_wait, evidence

EARLY = Wait(reason="previous_stage", blocked_by="dev", released_by="dev", since=START)
LOCK = Wait(reason="lock", blocked_by="revision 1 is In Progress here", released_by="its end", since=START)


def begun() -> Told:
    return Told().declared().queued(1, wait=None).started(1)


def stage_of(told: Told, *fifo: str) -> StageView:
    known: dict[str, Any] = {"pipeline": "shop", "repository": "acme/shop", "branch": "main", "since": START}
    pipeline = PipelineView(**known, stages=("staging",), fifo=fifo)
    views = [each.view for each in told.views.values() if isinstance(each.view, StageView)]
    (stage,) = standing(pipeline, views, START)
    return stage


def test_a_gate_is_there_to_be_approved_with_all_that_is_shown() -> None:
    told = begun().gate(1, tests=TESTS)
    (approval,) = approvals(told.stage)
    assert (approval.of, approval.step, approval.shown, approval.run) == (
        "gate", "smoke", "5b0f", told.run_id(1)
    )  # fmt: skip
    assert approval.gate is not None
    assert approval.gate.tests == TESTS
    told.approved(1)
    (approval,) = approvals(told.stage)
    assert (approval.given, [each.actor for each in approval.answers]) == (1, ["ann"])


def test_how_many_approved_is_said_the_same_everywhere() -> None:
    told = begun().gate(1).gate(1, "other").approved(1)
    first, other = approvals(told.stage)
    assert first.text.startswith("Revision 1 waits for an approval: step 'Smoke' has 1 of 1 approvals;")
    assert first.gate is not None
    assert (first.given, first.gate.wait.blocked_by) == (1, "step 'Smoke' has 1 of 1 approvals")
    assert (other.given, "has 0 of 1 approvals" in other.text) == (0, True)
    (step, _) = told.run(1).steps
    assert step.gate is not None
    assert step.gate.wait == first.gate.wait


LEAVING: list[tuple[type[Event], dict[str, Any]]] = [
    (StepStarted, {"step_type": "SCRIPT:EXECUTE", "log": "l"}),
    (StepApplying, {"changes": CHANGES}),
    (StepSucceeded, {"outputs": {}}),
    (StepFailed, {"evidence": evidence()}),
    (StepTimedOut, {"evidence": evidence()}),
    (StepCancelled, {"reason": "it ends"}),
]


@pytest.mark.parametrize(("event", "said"), LEAVING, ids=[each.__name__ for each, _ in LEAVING])
def test_a_gate_that_is_left_waits_for_nobody_and_those_beside_it_still_do(
    event: type[Event], said: dict[str, Any]
) -> None:
    told = begun().gate(1).gate(1, "other").step(event, 1, **said)
    assert [approval.step for approval in approvals(told.stage)] == ["other"]


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled"])
def test_nothing_waits_for_anybody_after_the_end_of_the_run(end: str) -> None:
    told = begun().gate(1)
    getattr(told, end)(1)
    assert approvals(told.stage) == []
    assert approvals(told.gate(1).stage) == []  # told late


def test_changes_of_the_pipeline_file_are_there_to_be_approved_until_somebody_does() -> None:
    told = Told().declared().queued(1, wait=approval_wait(START)).definition_held(1, changes=("a", "b"))
    (approval,) = approvals(told.stage)
    assert (approval.of, approval.step, approval.shown) == ("definition", "", "d1")
    assert approval.text == "Revision 1 waits for somebody to approve 4 changes of the pipeline file."
    told.definition_answered(1)
    assert approvals(told.stage) == []
    held = told.run(1).definition
    assert held is not None
    assert (held.answer, [(each.actor, each.comment) for each in held.answers]) == (
        "approved", [("ann", "talked over")]
    )  # fmt: skip
    assert told.run(1).timeline[-1].text == (
        "The changes of the pipeline file were approved, by ann: talked over"
    )


def test_other_changes_of_the_pipeline_file_are_put_to_people_anew() -> None:
    told = Told().declared().queued(1, wait=approval_wait(START)).definition_held(1)
    told.definition_held(1, "d2", ("b",))
    (approval,) = approvals(told.stage)
    assert approval.definition is not None
    assert (approval.shown, approval.definition.changes) == ("d2", ("b",))
    assert (approval.since, approval.answers) == (told.heard[-1].time, ())


WENT_PAST = [
    pytest.param(lambda told: told.waits(1, LOCK), id="it came to the queue"),
    pytest.param(lambda told: told.started(1), id="it started"),
    pytest.param(lambda told: told.superseded(1, 2), id="it was superseded"),
]


@pytest.mark.parametrize("goes_past", WENT_PAST)
def test_nobody_is_asked_any_more_about_a_file_whose_run_went_on_or_ended(goes_past: Any) -> None:
    told = Told().declared().queued(1, wait=approval_wait(START)).definition_held(1)
    goes_past(told.waits(1, approval_wait(START)))
    held = told.run(1).definition
    assert held is not None
    assert (held.answer, approvals(told.stage)) == ("not_needed", [])


def test_everyone_who_waits_is_shown_in_the_order_of_their_turns() -> None:
    told = begun()
    for revision, wait in ((6, EARLY), (4, LOCK), (3, LOCK), (5, approval_wait(START)), (2, LOCK)):
        told.queued(revision, wait=wait)
    told.definition_held(5).queued(1, "rollback", LOCK)
    stage = stage_of(told, "staging")
    assert [(slot.kind, slot.revision, slot.line) for slot in stage.waiting] == [
        ("rollback", 1, 1),
        ("deploy", 2, 2),
        ("deploy", 3, 3),
        ("deploy", 4, 4),
        ("deploy", 5, None),
        ("deploy", 6, None),
    ]
    assert stage.queue == "fifo"
    sentences = [reason.text for reason in why(stage)]
    assert sentences[3].startswith("Revision 3, number 3 in line, waits for its turn: ")
    assert stage_of(told).queue == "newest"


def test_why_tells_the_first_failures_of_a_test_that_people_decide_about() -> None:
    told = begun().gate(1, tests=TESTS)
    told.waits(1, approval_wait(told.heard[-1].time))
    (reason,) = why(told.stage)
    assert reason.about == "running"
    assert reason.details == (
        "7 of 124 tests failed, 1 skipped.",
        *(f"checkout {number}: 29.99" for number in range(5)),
        "and 2 further failures",
    )


def test_why_tells_every_gate_that_stands_open_also_beside_the_one_that_is_waited_at() -> None:
    told = begun().gate(1)
    told.waits(1, approval_wait(told.heard[-1].time)).gate(1, "network", changes=CHANGES)
    first, second = why(told.stage)
    assert first.text.startswith("Revision 1 is In Progress here and waits for an approval: ")
    assert second.text.startswith("It waits too for an approval: ")
    assert second.details == (
        "It would change: 1 to add, 1 to destroy; something is destroyed or replaced.",
        "replace web",
        "add db",
    )
    assert first.details == ()


def test_why_tells_the_changes_of_a_pipeline_file_that_somebody_must_approve() -> None:
    told = Told().declared().queued(1, wait=approval_wait(START)).definition_held(1, changes=("a", "b"))
    (reason,) = why(told.stage)
    assert reason.details == ("a", "b", "and 2 further changes")
    assert why(told.definition_answered(1).stage)[0].details == ()


def test_tests_that_failed_are_told_until_they_pass_and_after_the_run_has_ended() -> None:
    told = begun().step(StepTested, 1, tests=TESTS)
    assert why(told.stage)[0].details[0] == "Step smoke: 7 of 124 tests failed, 1 skipped."
    last = Told().declared().queued(1).started(1).step(StepTested, 1, tests=TESTS).failed(1).stage
    assert why(last)[-1].details[1] == "Step smoke: checkout 0: 29.99"
    assert why(told.step(StepTested, 1, tests=PASSING).stage)[0].details == ()


def test_tests_that_somebody_let_pass_are_not_told_any_more() -> None:
    told = begun().step(StepTested, 1, tests=TESTS).gate(1, tests=TESTS).approved(1)
    assert told.stage.running is not None
    assert [each.step for each in told.stage.running.failing] == ["smoke"]
    assert why(told.step(StepSucceeded, 1, outputs={}).stage)[0].details == ()


def test_a_blocker_is_told_also_where_nothing_waits() -> None:
    told = begun().succeeded(1).blocked()
    assert why(told.stage)[-1].text == "alarm a lets nothing begin: 5xx; released by it clearing."
    blocked = Wait(reason="blocker", blocked_by="alarm a", released_by="it clearing", since=START)
    assert [reason.about for reason in why(told.queued(2, wait=blocked).stage)] == ["waiting"]
