"""Every waiting thing says on what, and what ends it."""

from datetime import UTC, datetime, timedelta

import pytest

from services.deployer import waits
from services.deployer.run_state import LIVE, State
from shared.ids import BuildKey
from shared.plan import ArtifactPlan

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
NEWER = "a newer revision, which takes its place"
BLOCKED = {
    State.NOT_STARTED: ("revision 7 is Not Started in staging", "revision 7 succeeding in staging"),
    State.IN_PROGRESS: ("revision 7 is In Progress in staging", "revision 7 succeeding in staging"),
    State.ROLLING_FORWARD: ("revision 7 is Rolling Forward in staging", "revision 7 succeeding in staging"),
    State.ROLLING_BACK: ("revision 7 is Rolling Back in staging", "revision 7 succeeding in staging"),
    State.CANCELLING: ("revision 7 is being cancelled in staging", NEWER),
    State.FAILED: ("revision 7 failed in staging", NEWER),
    State.TIMED_OUT: ("revision 7 timed out in staging", NEWER),
    State.CANCELLED: ("revision 7 was cancelled in staging", NEWER),
    State.SUPERSEDED: ("revision 7 was superseded in staging", NEWER),
}


def artifact(name: str) -> ArtifactPlan:
    return ArtifactPlan(id=name.lower(), name=name, build_key=BuildKey("k"), commands=(), path=".")


def test_every_state_short_of_success_keeps_the_next_stage_waiting() -> None:
    assert set(BLOCKED) == set(State) - LIVE


@pytest.mark.parametrize("state", [pytest.param(each, id=each) for each in BLOCKED])
def test_a_run_waits_for_the_stage_before(state: State) -> None:
    wait = waits.for_previous_stage("staging", state, 7, NOW)
    assert (wait.blocked_by, wait.released_by) == BLOCKED[state]
    assert (wait.reason, wait.since, wait.deadline) == ("previous_stage", NOW, None)


def test_what_somebody_can_do_about_it_is_named_beside_a_newer_revision() -> None:
    wait = waits.for_previous_stage("staging", State.FAILED, 7, NOW, remedy="retries it in staging")
    assert wait.released_by == f"{NEWER}, or somebody who retries it in staging"


@pytest.mark.parametrize("state", [pytest.param(each, id=each) for each in sorted(LIVE)])
def test_nobody_waits_for_a_stage_that_is_through(state: State) -> None:
    with pytest.raises(AssertionError, match="releases the next"):
        waits.for_previous_stage("staging", state, 7, NOW)


def test_the_next_run_names_the_one_that_holds_the_stage() -> None:
    wait = waits.for_lock(6, State.ROLLING_BACK, LATER, NOW)
    assert (wait.reason, wait.deadline) == ("lock", LATER)
    assert wait.blocked_by == "revision 6 is Rolling Back here"
    assert wait.released_by == "the end of revision 6's run"


def test_a_run_names_every_artifact_it_waits_for() -> None:
    wait = waits.for_build([artifact("Web"), artifact("Docs")], LATER, NOW)
    assert (wait.reason, wait.deadline) == ("build", LATER)
    assert "Web, Docs" in wait.blocked_by
