"""What a run shows of its steps: tests, gates, proposed changes, and how long each worked and waited."""

from services.status.progress import with_planned_steps
from services.status.views import PlannedStage, PlannedStep, StepView
from shared.events import (
    AttemptFailed,
    StepApplying,
    StepBackingOff,
    StepCancelled,
    StepSucceeded,
    StepTested,
)
from tests.builders import START
from tests.unit.status.told import CHANGES, PASSING, TESTS, Told, evidence


def begun() -> Told:
    return Told().declared().queued(1, wait=None).started(1)


def only(told: Told) -> StepView:
    (step,) = told.run(1).steps
    return step


def times(step: StepView) -> tuple[str, float, float]:
    return step.state, step.running_seconds, step.waiting_seconds


def test_a_test_that_failed_is_shown_at_the_gate_that_it_leads_to() -> None:
    told = begun().step_started(1).step(StepTested, 1, tests=TESTS).gate(1, tests=TESTS)
    step = only(told)
    assert step.gate is not None
    assert (step.tests, step.gate.tests, step.gate.needed, step.gate.given) == (TESTS, TESTS, 1, 0)
    assert step.gate.deadline == step.gate.wait.deadline
    assert [moment.text for moment in told.run(1).timeline[-2:]] == [
        "Step smoke: 7 of 124 tests failed, 1 skipped",
        "Step smoke waits for somebody to decide: 7 of 124 tests failed, 1 skipped",
    ]
    assert {moment.step for moment in told.run(1).timeline} == {"", "smoke"}


def test_an_answer_is_counted_and_kept_with_the_gate() -> None:
    step = only(begun().gate(1).approved(1).step(StepSucceeded, 1, outputs={}))
    assert step.gate is not None
    assert (step.gate.given, [each.actor for each in step.gate.answers]) == (1, ["ann"])


def test_a_gate_that_is_asked_anew_has_the_answers_it_was_given_since() -> None:
    told = begun().gate(1).approved(1).gate(1, shown="6c1e")
    step = only(told)
    assert step.gate is not None
    assert (step.gate.shown, step.gate.given, step.gate.answers) == ("6c1e", 0, ())


def test_what_a_step_proposes_is_shown_and_then_what_it_was_let_make() -> None:
    told = begun().step_started(1, "network").gate(1, "network", changes=CHANGES)
    step = only(told)
    assert step.gate is not None
    assert (step.gate.changes, step.applies) == (CHANGES, None)
    told.approved(1, "network").step(StepApplying, 1, "network", changes=CHANGES)
    assert (only(told).state, only(told).applies) == ("Applying", CHANGES)
    assert told.run(1).timeline[-1].text == (
        "Step network makes its changes: 1 to add, 1 to destroy; something is destroyed or replaced"
    )


def test_working_and_waiting_are_told_apart_over_all_that_a_step_goes_through() -> None:
    told = begun().step_started(1)
    assert times(only(told)) == ("In Progress", 0, 0)
    told.gate(1, changes=CHANGES)
    assert times(only(told)) == ("Waiting", 1, 0)
    told.approved(1).step(StepApplying, 1, changes=CHANGES)
    assert times(only(told)) == ("Applying", 1, 2)
    told.step(StepSucceeded, 1, outputs={})
    step = only(told)
    assert times(step) == ("Succeeded", 2, 2)
    assert step.duration_seconds == 4


def test_attempts_add_up_and_what_lies_between_them_is_waiting() -> None:
    told = begun().step_started(1)
    told.step(AttemptFailed, 1, evidence=evidence(), attempts_max=2, run_kind="deploy")
    told.step(StepBackingOff, 1, until=START, code="INFRASTRUCTURE_NETWORK_FAILURE", rule="refused")
    assert times(only(told)) == ("Backing Off", 2, 0)
    told.step_started(1, attempt=2)
    assert times(only(told)) == ("In Progress", 2, 1)
    told.step(StepCancelled, 1, attempt=2, reason="the run ends")
    assert times(only(told)) == ("Cancelled", 3, 1)
    assert only(told).duration_seconds == 1


def test_a_further_attempt_forgets_the_tests_of_the_one_before() -> None:
    told = begun().step_started(1).step(StepTested, 1, tests=TESTS).step_started(1, attempt=2)
    assert only(told).tests is None
    assert only(told.step(StepTested, 1, attempt=2, tests=PASSING)).tests == PASSING


def test_the_graph_has_the_edges_of_the_plan_also_for_steps_that_have_not_begun() -> None:
    steps = tuple(
        PlannedStep(id=id_, name=id_.title(), type="SCRIPT:EXECUTE", goes_after=after)
        for id_, after in (("a", ()), ("b", ("a",)), ("smoke", ("a", "b")))
    )
    stage = PlannedStage(name="staging", target="local", steps=steps)
    shown = with_planned_steps(begun().step_started(1).run(1), stage)
    assert {step.step: step.goes_after for step in shown.steps} == {"a": (), "b": ("a",), "smoke": ("a", "b")}
    assert [step.state for step in shown.steps] == ["Not Started", "Not Started", "In Progress"]


def test_a_run_of_fifty_steps_is_folded_to_its_end() -> None:
    told = begun()
    for number in range(50):
        told.step_started(1, f"s{number}").step(StepSucceeded, 1, f"s{number}", outputs={})
    assert len(told.run(1).steps) == 50
    assert {step.state for step in told.run(1).steps} == {"Succeeded"}
    assert len(told.run(1).model_dump_json()) < 50_000
