"""What a run takes over from a run before it."""

from dataclasses import replace
from itertools import product
from uuid import UUID

import pytest

from services.deployer.kept import given_by_left_out, last_that_did_all, need_not_be_done, not_kept
from services.deployer.rollback import PastRun
from services.deployer.run_state import State
from services.deployer.stage_moves import unstarted_run
from services.deployer.step_state import StepState
from shared.events.runs import RunKind
from shared.ids import Stage
from shared.plan import StagePlan, StepPlan
from tests.integration.deployer.stand import EPOCH, SERVICE, step
from tests.unit.deployer.test_late_values import record

S = StepState
RUN = "SCRIPT:EXECUTE"


def stage(*steps: StepPlan) -> StagePlan:
    return StagePlan(name=Stage("staging"), target="local", steps=steps)


def kept(steps: tuple[StepPlan, ...], **ended: StepState) -> list[str]:
    before = {id_: replace(record(id_, 1), state=state) for id_, state in ended.items()}
    return [each.id for each in need_not_be_done(stage(*steps), before)]


CHAIN = (step("a"), step("b", RUN, "a"), step("c", RUN, "b"))
AFTER_A_SERVICE = (
    step("sync"), step("web", SERVICE, "sync"), step("check", "APPROVAL:TEST", "web"),
    step("live", "APPROVAL:MANUAL", "check"), step("alone"), step("last", RUN, "live", "alone"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "ended", "expected"),
    [
        pytest.param(
            CHAIN, {"a": S.SUCCEEDED, "b": S.FAILED, "c": S.SKIPPED}, ["a"], id="before what failed"
        ),
        pytest.param(
            CHAIN, {"a": S.SUCCEEDED, "b": S.CANCELLED, "c": S.SKIPPED}, ["a"], id="before a cancel"
        ),
        pytest.param(CHAIN, {"a": S.TIMED_OUT, "b": S.SKIPPED, "c": S.SKIPPED}, [], id="nothing succeeded"),
        pytest.param(CHAIN, {"a": S.FAILED, "b": S.SUCCEEDED, "c": S.SUCCEEDED}, [], id="what is behind"),
        pytest.param(CHAIN[::-1], {"a": S.FAILED, "b": S.SUCCEEDED, "c": S.SUCCEEDED}, [], id="in any order"),
        pytest.param(CHAIN, {}, [], id="it never had steps"),
        pytest.param(
            AFTER_A_SERVICE,
            dict.fromkeys(("sync", "web", "check", "live", "alone"), S.SUCCEEDED) | {"last": S.FAILED},
            ["sync", "alone"],
            id="what came after a service is about that release",
        ),
        pytest.param(
            (step("a", skip=True), step("b", RUN, "a"), step("c", RUN, "b")),
            {"a": S.SKIPPED, "b": S.SUCCEEDED, "c": S.FAILED},
            ["b"],
            id="what is left out in the stage stands in no way, and is left out again",
        ),
        pytest.param(
            (step("web", SERVICE), step("out", RUN, "web", skip=True), step("c", RUN, "out")),
            {"web": S.SUCCEEDED, "out": S.SKIPPED, "c": S.SUCCEEDED},
            [],
            id="what comes after a service by way of what is left out",
        ),
    ],
)
def test_a_step_need_not_be_done_again_behind_nothing_that_is(
    steps: tuple[StepPlan, ...], ended: dict[str, StepState], expected: list[str]
) -> None:
    assert kept(steps, **ended) == expected


EDGES: tuple[tuple[str, ...], ...] = ((), ("a",), ("a", "b"), ("b",))


def test_all_that_a_kept_step_comes_after_is_kept() -> None:
    for third, fourth in product(EDGES, [*EDGES, ("c",), ("a", "c")]):
        steps = (step("a"), step("b", RUN, "a"), step("c", RUN, *third), step("d", RUN, *fourth))
        for states in product([S.SUCCEEDED, S.FAILED, S.SKIPPED], repeat=4):
            ended = dict(zip("abcd", states, strict=True))
            stands = kept(steps, **ended)
            for each in steps:
                lasts = ended[each.id] is S.SUCCEEDED and set(each.goes_after) <= set(stands)
                assert (each.id in stands) == lasts


def test_what_left_out_steps_gave_is_known_and_nothing_else() -> None:
    steps = (
        step("a", on_rollback="skip"),
        step("b"),
        step("c", on_rollback="skip"),
        step("d", on_rollback="skip"),
    )
    before = {"a": record("a", 1, it="v"), "b": record("b", 1, it="w"), "c": record("c", 1)}
    assert given_by_left_out(stage(*steps), before) == {"a": {"it": "v"}}


PAST = [
    (3, "Succeeded"),
    (1, "Rolled Back"),
    (2, "Rolled Forward"),
    (1, "Succeeded"),
    (1, "Succeeded"),
    (4, "Rolled Back"),
]


@pytest.mark.parametrize(("revision", "found"), [(1, 3), (2, 2), (3, 0), (4, 5), (5, None)])
def test_a_rollback_s_steps_are_taken_from_only_for_want_of_others(revision: int, found: int | None) -> None:
    past = [PastRun(UUID(int=n), of, State(state)) for n, (of, state) in enumerate(PAST)]
    assert last_that_did_all(past, revision) == (None if found is None else UUID(int=found))


@pytest.mark.parametrize(
    ("kind", "state", "told"),
    [
        pytest.param("deploy", "Succeeded", "revision 3 ran in staging since (Succeeded)", id="a deploy"),
        pytest.param("retry", "Failed", "a retry of revision 3 ran in staging since (Failed)", id="a retry"),
        pytest.param(
            "rollback",
            "Rolling Back",
            "a rollback to revision 3 is Rolling Back in staging",
            id="a rollback now",
        ),
        pytest.param(
            "roll_forward", "Rolled Forward",
            "a roll-forward to revision 3 ran in staging since (Rolled Forward)", id="a roll-forward",
        ),
    ],
)  # fmt: skip
def test_why_nothing_is_kept_names_the_run_that_came_between(kind: RunKind, state: str, told: str) -> None:
    place = ("shop", "staging", "shop/staging")
    run = replace(unstarted_run(UUID(int=1), place, 3, kind, EPOCH), state=State(state))
    assert not_kept(run, 2) == f"{told}, so nothing that revision 2 did is kept: retry the whole"
