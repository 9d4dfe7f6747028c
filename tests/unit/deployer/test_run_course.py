"""Every course a run can take, over small graphs of steps: ends, order, and nothing left behind.

The properties themselves lie in `course.py`, which checks each batch of moves on the way.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Literal

import pytest

from services.deployer.run_course import Finish, next_moves
from services.deployer.run_picture import ArtifactState, VerificationState
from services.deployer.run_state import State, Trigger
from services.deployer.step_state import StepState, StepTrigger
from shared.ids import Step
from shared.plan import StepPlan
from tests.unit.deployer.course import EVIDENCE, STAGE_LIMIT, At, World, stage, walk

SCRIPT, SERVICE = "SCRIPT:EXECUTE", "LOCAL:SERVICE:DEPLOY"
Sibling = Literal["cancel", "finish"]
GRAPHS: dict[str, dict[str, tuple[str, ...]]] = {
    "one": {"a": ()},
    "two in a chain": {"a": (), "b": ("a",)},
    "two side by side": {"a": (), "b": ()},
    "three in a chain": {"a": (), "b": ("a",), "c": ("b",)},
    "a fork": {"a": (), "b": ("a",), "c": ("a",)},
    "a join": {"a": (), "b": (), "c": ("a", "b")},
    "a branch beside another": {"a": (), "b": (), "c": ("b",)},
    "one listed before what it goes after": {"a": ("b",), "b": (), "c": ()},
}
MIXES = [(SCRIPT, SCRIPT, SCRIPT), (SERVICE, SERVICE, SERVICE), (SERVICE, SCRIPT, SCRIPT), (SCRIPT, SERVICE)]
SIBLINGS: list[tuple[Sibling, ...]] = [
    ("finish", "cancel", "cancel"),
    ("cancel", "cancel", "cancel"),
    ("finish", "finish", "finish"),
]
FAILED = {
    (Trigger.WORK_FAILED, "step"),
    (Trigger.DEADLINE_PASSED, "step"),
    (Trigger.DEADLINE_PASSED, ""),
}
REJECTED = {(Trigger.WORK_FAILED, "verification")}
PASSED = {(Trigger.WORK_PASSED, "")}
STOPPED = {(Trigger.WORK_STOPPED, "")}


def step(id_: str, type_: str = SCRIPT, after: tuple[str, ...] = (), sibling: Sibling = "cancel") -> StepPlan:
    return StepPlan(
        id=Step(id_),
        name=id_.upper(),
        type=type_,
        params={},
        goes_after=tuple(Step(before) for before in after),
        timeout_seconds=10,
        on_sibling_failure=sibling,
    )


def world(*steps: StepPlan, state: State = State.IN_PROGRESS) -> World:
    return World(stage(*steps), tuple(At() for _ in steps), state)


def graph(name: str, types: tuple[str, ...], siblings: tuple[Sibling, ...]) -> tuple[StepPlan, ...]:
    kinds = (*types, SCRIPT)
    return tuple(
        step(id_, kinds[i], after, siblings[i]) for i, (id_, after) in enumerate(GRAPHS[name].items())
    )


def cases() -> Iterator[tuple[str, tuple[str, ...], tuple[Sibling, ...]]]:
    for name, types in product(GRAPHS, MIXES):
        in_a_row = name in {"one", "two in a chain", "three in a chain"}  # a step has no sibling there
        many = types == MIXES[1] and len(GRAPHS[name]) == 3  # thousands of worlds each
        for siblings in SIBLINGS[:1] if in_a_row or many else SIBLINGS:
            yield name, types, siblings


def named(part: str | tuple[str, ...]) -> str:
    return part if isinstance(part, str) else "-".join(each.split(":")[-1].lower() for each in part)


@pytest.mark.parametrize(("name", "types", "siblings"), list(cases()), ids=named)
def test_every_course_ends_in_order_and_leaves_nothing_behind(
    name: str, types: tuple[str, ...], siblings: tuple[Sibling, ...]
) -> None:
    steps = graph(name, types, siblings)
    verified = any(each.type == SERVICE for each in steps)
    assert walk(world(*steps)).ends == PASSED | STOPPED | FAILED | (REJECTED if verified else set())


def test_a_diamond_of_four_ends_in_order() -> None:
    steps = (step("a"), step("b", SERVICE, ("a",)), step("c", SCRIPT, ("a",)), step("d", SCRIPT, ("b", "c")))
    assert walk(world(*steps)).ends == PASSED | STOPPED | FAILED | REJECTED


def test_a_rollback_takes_every_course_but_being_cancelled() -> None:
    steps = (step("migrate").model_copy(update={"on_rollback": "skip"}), step("web", SERVICE, ("migrate",)))
    assert walk(world(*steps, state=State.ROLLING_BACK)).ends == PASSED | FAILED | REJECTED


def test_a_roll_forward_takes_the_courses_of_a_deployment() -> None:
    steps = graph("two side by side", MIXES[2], SIBLINGS[0])
    assert walk(world(*steps, state=State.ROLLING_FORWARD)).ends == PASSED | STOPPED | FAILED | REJECTED


def test_a_run_without_steps_passes_at_once() -> None:
    assert world().settled()[1] == Finish(Trigger.WORK_PASSED)


@pytest.mark.parametrize("count", [1, 2])
def test_nothing_starts_before_every_artifact_is_there(count: int) -> None:
    waiting = replace(world(step("a")), artifacts=(ArtifactState.PENDING,) * count)
    assert walk(waiting).ends == PASSED | STOPPED | FAILED | {(Trigger.WORK_FAILED, "build")}


def test_a_step_left_out_counts_as_passed_for_those_after_it() -> None:
    left_out = step("a").model_copy(update={"skip": True})
    settled, finish = world(left_out, step("b", SCRIPT, ("a",))).settled()
    assert finish is None
    assert [at.state for at in settled.steps] == [StepState.SKIPPED, StepState.RUNNING]


def test_a_run_whose_steps_are_all_left_out_passes_unverified() -> None:
    left_out = step("a", SERVICE).model_copy(update={"skip": True})
    assert world(left_out).settled()[1] == Finish(Trigger.WORK_PASSED)


def test_steps_that_wait_for_each_other_never_count_as_passed() -> None:
    circle = world(step("a", SCRIPT, ("b",)), step("b", SCRIPT, ("a",)))
    assert circle.settled()[1] is None
    overdue, finish = replace(circle, now=STAGE_LIMIT).settled()
    assert finish
    assert finish.trigger is Trigger.DEADLINE_PASSED
    assert [at.state for at in overdue.steps] == [StepState.SKIPPED, StepState.SKIPPED]


def test_the_step_that_failed_is_named_and_not_the_one_stopped_for_it() -> None:
    stopped = At(StepState.CANCELLED, outcome=StepTrigger.STOPPED, ended=1)
    failed = At(StepState.FAILED, phase="verify", ended=0)
    over = replace(world(step("a"), step("b", SERVICE)), steps=(stopped, failed))
    assert over.settled()[1] == Finish(Trigger.WORK_FAILED, "verification", "b", EVIDENCE["verify"])


def test_of_two_steps_that_failed_the_first_is_named() -> None:
    later, first = At(StepState.FAILED, phase="deploy", ended=1), At(StepState.TIMED_OUT, phase="rollout")
    over = replace(world(step("a"), step("b", SERVICE)), steps=(later, first))
    assert over.settled()[1] == Finish(Trigger.DEADLINE_PASSED, "step", "b", EVIDENCE["rollout"])


def test_a_sibling_that_may_finish_is_taken_live_and_not_left_as_a_candidate() -> None:
    sibling = At(StepState.VERIFYING, 10, VerificationState.PASSED)
    failed = At(StepState.FAILED, phase="deploy")
    going = replace(world(step("a", SERVICE, sibling="finish"), step("b")), steps=(sibling, failed))
    assert [type(move).__name__ for move in next_moves(going.picture)] == ["SwitchStep"]


def test_a_switch_is_never_broken_off() -> None:
    switching = replace(world(step("a", SERVICE)), steps=(At(StepState.SWITCHING, 10),))
    for pressed in (replace(switching, state=State.CANCELLING), replace(switching, now=STAGE_LIMIT)):
        assert pressed.settled() == (pressed, None)


@pytest.mark.parametrize(
    ("past", "phase", "during"),
    [
        pytest.param(world(), "deploy", "", id="nothing"),
        pytest.param(
            replace(world(step("a")), steps=(At(StepState.CANCELLED),)), "deploy", "during A", id="a script"
        ),
        pytest.param(
            replace(world(step("a", SERVICE)), steps=(At(StepState.CANCELLED),)),
            "rollout",
            "during A",
            id="a release coming up",
        ),
        pytest.param(
            replace(
                world(step("a", SERVICE)),
                steps=(At(StepState.SUCCEEDED),),
                verification=VerificationState.REQUESTED,
            ),
            "verify",
            "during verification",
            id="a release that is live and not verified",
        ),
    ],
)
def test_a_stage_past_its_limit_says_what_was_cut_short(past: World, phase: str, during: str) -> None:
    finish = replace(past, now=STAGE_LIMIT).settled()[1]
    assert finish
    assert finish.evidence
    assert (finish.evidence.phase, finish.evidence.kind) == (phase, "timeout")
    assert finish.evidence.message.endswith(f"09:30:35 UTC, its time limit {during}".rstrip())
