"""When a run is rolled back by itself, and to what."""

from itertools import product
from typing import get_args
from uuid import UUID

import pytest

from services.deployer.rollback import NoCandidate, PastRun, RollBack, choose, follows
from services.deployer.run_course import Finish
from services.deployer.run_state import FORWARD, LIVE, State, Trigger
from shared.events import Evidence

PHASES = get_args(Evidence.model_fields["phase"].annotation)


def finish(trigger: Trigger, phase: str) -> Finish:
    evidence = Evidence.model_validate({"phase": phase, "kind": "error", "message": "it broke"})
    return Finish(trigger, "step", "web", evidence)


def past(*runs: tuple[int, State]) -> list[PastRun]:
    """Return runs as the store lists them, the last first."""
    return [PastRun(UUID(int=number), revision, state) for number, (revision, state) in enumerate(runs)]


@pytest.mark.parametrize(
    ("state", "trigger", "phase", "rolled_back"),
    [
        pytest.param("In Progress", "work failed", "verify", True, id="a release that did not verify"),
        pytest.param("In Progress", "work failed", "rollout", True, id="a release that did not come up"),
        pytest.param("In Progress", "deadline passed", "rollout", True, id="one that took too long"),
        pytest.param("Rolling Forward", "work failed", "verify", True, id="a roll-forward gone wrong"),
        pytest.param("In Progress", "work failed", "deploy", False, id="a script that failed"),
        pytest.param("In Progress", "work failed", "build", False, id="a build that failed"),
        pytest.param("In Progress", "deadline passed", "deploy", False, id="a script that took too long"),
        pytest.param("Rolling Back", "work failed", "verify", False, id="a rollback is never rolled back"),
        pytest.param("Cancelling", "work stopped", "verify", False, id="a person ended it"),
        pytest.param("In Progress", "work passed", "verify", False, id="a success"),
    ],
)
def test_what_is_rolled_back(state: str, trigger: str, phase: str, rolled_back: bool) -> None:
    assert follows(State(state), finish(Trigger(trigger), phase), switched=False) == rolled_back


@pytest.mark.parametrize(
    ("state", "trigger", "rolled_back"),
    [
        pytest.param("In Progress", "work failed", True, id="a script that failed after the switch"),
        pytest.param("In Progress", "deadline passed", True, id="a limit that passed after the switch"),
        pytest.param("Cancelling", "work stopped", True, id="a person who ended it after the switch"),
        pytest.param("In Progress", "work passed", False, id="a success"),
        pytest.param("Rolling Back", "work failed", False, id="a rollback is never rolled back"),
    ],
)
def test_what_was_switched_does_not_stay_after_a_bad_end(state: str, trigger: str, rolled_back: bool) -> None:
    assert follows(State(state), finish(Trigger(trigger), "deploy"), switched=True) == rolled_back


@pytest.mark.parametrize(
    ("state", "trigger", "rolled_back"),
    [
        pytest.param("Cancelling", "work stopped", True, id="cancelled for the alarm"),
        pytest.param("In Progress", "work failed", True, id="it failed by itself meanwhile"),
        pytest.param("Rolling Forward", "deadline passed", True, id="a roll-forward too"),
        pytest.param("In Progress", "work passed", False, id="a success"),
        pytest.param("Rolling Back", "work failed", False, id="a rollback is never rolled back"),
    ],
)
def test_what_an_alarm_ended_is_rolled_back_though_nothing_was_switched(
    state: str, trigger: str, rolled_back: bool
) -> None:
    ended = finish(Trigger(trigger), "deploy")
    assert follows(State(state), ended, switched=False, undo=True) == rolled_back


def test_nothing_else_is_ever_rolled_back() -> None:
    for state, trigger, phase in product(State, Trigger, PHASES):
        if follows(state, finish(trigger, phase), switched=False):
            assert state in FORWARD
            assert trigger in {Trigger.WORK_FAILED, Trigger.DEADLINE_PASSED}
            assert phase in {"rollout", "verify"}


def test_an_end_without_evidence_is_not_rolled_back() -> None:
    ends = product(State, Trigger)
    assert not any(follows(state, Finish(trigger), switched=False) for state, trigger in ends)


@pytest.mark.parametrize(
    ("runs", "held", "chosen"),
    [
        pytest.param([], (), NoCandidate(), id="nothing was ever here"),
        pytest.param([(1, State.SUCCEEDED)], (), RollBack(1), id="the last good one"),
        pytest.param([(2, State.SUCCEEDED), (1, State.SUCCEEDED)], (), RollBack(2), id="not an older one"),
        pytest.param([(2, State.FAILED), (1, State.SUCCEEDED)], (), RollBack(1), id="past one that failed"),
        pytest.param(
            [(1, State.ROLLED_BACK), (2, State.FAILED), (1, State.SUCCEEDED)],
            (),
            RollBack(1),
            id="what was restored counts",
        ),
        pytest.param([(2, State.ROLLED_FORWARD), (1, State.SUCCEEDED)], (), RollBack(2), id="rolled forward"),
        pytest.param([(2, State.SUCCEEDED), (1, State.SUCCEEDED)], (2,), RollBack(1), id="not one on hold"),
        pytest.param([(3, State.SUCCEEDED), (1, State.SUCCEEDED)], (), RollBack(1), id="not itself"),
        pytest.param([(3, State.SUCCEEDED)], (), NoCandidate(), id="nothing but itself"),
        pytest.param([(1, State.SUCCEEDED)], (1,), NoCandidate(), id="nothing but one on hold"),
    ],
)
def test_revision_three_is_rolled_back_to(
    runs: list[tuple[int, State]], held: tuple[int, ...], chosen: RollBack | NoCandidate
) -> None:
    assert choose(past(*runs), 3, frozenset(held)) == chosen


@pytest.mark.parametrize("state", [pytest.param(each, id=each) for each in State])
def test_only_what_ended_in_place_is_restored(state: State) -> None:
    expected = RollBack(1) if state in LIVE else NoCandidate()
    assert choose(past((1, state)), 3, frozenset()) == expected
