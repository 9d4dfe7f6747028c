"""What is shown of a failure: what it is, what says so, what to do, and what follows from it."""

from typing import Any

import pytest

from services.status import aftermath
from services.status.explanation import why
from services.status.views import FailureView
from shared.events import (
    Diagnostics,
    Evidence,
    EvidenceLine,
    FailureClassified,
    FixCard,
    LogLine,
    RunCancelled,
    RunFailed,
    StepBackingOff,
    Wait,
)
from tests.builders import START
from tests.unit.status.looked import asked, at, doing, live, probed, round_of, rounds
from tests.unit.status.told import HERE, Told, evidence

FOUND = Diagnostics(at=START, process="exited", exit_code=3, log_tail=(LogLine(at=START, text="boom"),))
OLD: dict[str, Any] = {
    "failure_stage": "rollout",
    "category": "startup_failure",
    "code": "DEPLOYMENT_VERIFICATION_FAILED",
    "retryable": False,
    "rule": "missing_module",
    "likely_cause": "A module is missing.",
    "lines": ["ModuleNotFoundError: No module named 'x'"],
    "commands": ["windlass logs shop 1"],
}


def run_failed(told: Told, revision: int, rollback: str = "", **more: Any) -> Told:
    said = {"state": "Failed", "failed_in": "step", "evidence": evidence(), "rollback": rollback, **more}
    return told.tell(RunFailed.model_validate({**told.about(revision), **said}))


def classified(told: Told, **more: Any) -> FailureView:
    body = FailureClassified.model_validate({**HERE, **OLD, "run": told.run_id(1), "revision": 1, **more})
    failure = told.tell(body).run(1).failure
    assert failure is not None
    return failure


def failing(rollback: str = "", **more: Any) -> Told:
    return run_failed(Told().declared().queued(1).started(1), 1, rollback, **more)


def test_a_failure_shows_its_lines_with_their_numbers_its_card_and_how_certain_it_is() -> None:
    card = FixCard(
        check=("Whether x is in requirements.txt.",), commands=("pip install x",), done_when="It is up."
    )
    said = {"confidence": "certain", "fix": card, "evidence": (EvidenceLine(line=12, text="No module"),)}
    failure = classified(failing("started"), **said, rolled_back=True)
    assert (failure.confidence, failure.rolled_back) == ("certain", True)
    assert [(each.line, each.text) for each in failure.evidence] == [(12, "No module")]
    assert failure.fix.model_dump() == card.model_dump()


def test_a_failure_told_by_an_earlier_release_has_a_card_and_lines_as_well() -> None:
    failure = classified(failing("started"))
    assert failure.fix.commands == ("windlass logs shop 1",)
    assert [(each.line, each.text) for each in failure.evidence] == [(None, OLD["lines"][0])]
    assert (failure.confidence, failure.rolled_back, failure.diagnostics) == ("likely", True, None)


def test_what_was_found_on_the_target_is_with_the_failure_and_its_output_with_the_evidence() -> None:
    seen = Evidence(phase="verify", kind="probe", message="GET / was refused", diagnostics=FOUND)
    told = failing(evidence=seen)
    failure = classified(told)
    assert failure.diagnostics is not None
    assert (failure.diagnostics.exit_code, failure.diagnostics.log_tail) == (3, ())
    run = told.run(1)
    assert run.evidence is not None
    assert run.evidence.diagnostics == FOUND


@pytest.mark.parametrize(
    ("kind", "rollback", "follows"),
    [
        ("deploy", "started", aftermath.ROLLED_BACK),
        ("deploy", "no_candidate", aftermath.NO_CANDIDATE),
        ("retry", "", aftermath.WAITS),
        ("roll_forward", "", aftermath.WAITS),
        ("rollback", "", aftermath.ROLLBACK_FAILED),
    ],
)
def test_each_failure_says_what_follows(kind: Any, rollback: str, follows: aftermath.Aftermath) -> None:
    told = Told().declared().queued(1, kind).started(1, kind)
    run_failed(told, 1, rollback, run=told.run_id(1, kind), kind=kind)
    body = FailureClassified.model_validate({**HERE, **OLD, "run": told.run_id(1, kind), "revision": 1})
    run = told.tell(body).run(1, kind)
    assert run.failure is not None
    assert run.failure.follows == follows.told
    assert run.timeline[-1].text == f"{OLD['code']}: {OLD['likely_cause']} {follows.told}"
    (ended,) = (each for each in why(told.stage) if each.about == "ended")
    assert ended.text.endswith(f"exit code 1. {follows.told}")


def test_a_run_that_is_rolled_back_says_so_where_it_ends() -> None:
    assert (
        failing("started").run(1).timeline[-1].text
        == "Failed: exit code 1; the stage is rolled back by itself"
    )


def test_a_revision_on_hold_says_that_it_does_not_come_back_by_itself() -> None:
    told = failing().held(1)
    (ended,) = (each for each in why(told.stage) if each.about == "ended")
    assert ended.text.endswith(aftermath.ON_HOLD.told)
    (ended,) = (each for each in why(failing("no_candidate").held(1).stage) if each.about == "ended")
    assert ended.text.endswith(aftermath.NO_CANDIDATE.told)


def test_one_that_is_tried_again_already_waits_for_nobody() -> None:
    (ended,) = (each for each in why(failing().queued(1, "retry").stage) if each.about == "ended")
    assert ended.text == "The last run here, of revision 1, ended Failed: exit code 1"


def test_what_a_person_ended_is_no_failure_that_something_follows_from() -> None:
    told = Told().declared().queued(1).started(1)
    cancelled = RunCancelled(**told.about(1), state="Cancelled", actor="ann", reason="no")
    (ended,) = (each for each in why(told.tell(cancelled).stage) if each.about == "ended")
    assert ended.text == "The last run here, of revision 1, ended Cancelled, by ann: no"


def test_a_step_that_is_attempted_again_says_when_in_its_stage_and_in_its_run() -> None:
    told = Told().declared().queued(1).started(1).step_started(1, "migrate")
    backing_off = {"until": at(90), "code": "INFRASTRUCTURE_NETWORK_FAILURE", "rule": "refused"}
    told.step(StepBackingOff, 1, "migrate", **backing_off)
    said = {"blocked_by": "attempt 1 of step 'Migrate' failed in a way that may pass", "deadline": at(90)}
    wait = Wait(reason="retry_backoff", released_by="attempt 2 of 3", since=at(1), **said)
    (running,) = why(told.waits(1, wait).stage)
    assert "waits for another attempt: attempt 1 of step 'Migrate' failed" in running.text
    assert running.deadline == at(90)
    assert told.run(1).timeline[-2].text.startswith("Step migrate is attempted again at 09:31:30 UTC")


SOAK = Wait(
    reason="bake",
    blocked_by="revision 7 is live here and watched (soak)",
    released_by="it staying good until then; it is rolled back if it does not",
    since=at(2),
    deadline=at(62),
)


def soaking(*, good: bool = True) -> Told:
    told = asked(Told().declared().queued(7).started(7), 60, revision=7)
    probed(told, *rounds(1, 2), revision=7)
    seen = [round_of(number, number, good=good or number < 16) for number in range(3, 17)]
    return probed(told, *seen, soaks_until=at(62), revision=7)


@pytest.mark.parametrize("told", [soaking(), soaking().waits(7, SOAK)], ids=["seen first", "waited for"])
def test_a_release_that_is_watched_says_until_when_and_how_it_does(told: Told) -> None:
    (reason,) = why(told.stage)
    assert reason.text == (
        "Revision 7 is live in staging and watched until 09:31:02 UTC (soak); 14 of 14 rounds good."
    )
    assert (reason.since, reason.deadline) == (at(2), at(62))
    assert reason.commands == ()  # a soak is no gate: nobody can approve it


def test_a_release_that_does_badly_while_it_is_watched_says_what_was_seen() -> None:
    (reason,) = why(soaking(good=False).stage)
    assert reason.text.endswith("13 of 14 rounds good.")
    assert reason.details == ("The last round: http://127.0.0.1:8081/health refused the connection",)


def test_a_soak_that_nobody_told_of_by_rounds_has_no_command_either() -> None:
    told = Told().declared().queued(7).started(7).waits(7, SOAK)
    (reason,) = why(told.stage)
    assert reason.commands == ()


def test_a_verification_that_goes_on_says_how_far_it_has_come() -> None:
    told = probed(asked(Told().declared().queued(1).started(1), step="web"), round_of(1, 0, good=False))
    (reason,) = why(told.stage)
    assert reason.text == "Revision 1 is In Progress here."
    assert reason.details == (
        (
            "Verification of step web: 0 of 1 round good; the last: "
            "http://127.0.0.1:8081/health refused the connection"
        ),
    )


def test_a_service_that_does_badly_is_told_with_since_when_and_why() -> None:
    told = doing(doing(live(Told().declared(), 1, "web", "api"), "unreachable"), "healthy", service="api")
    rest, badly = why(told.stage)
    assert (rest.about, badly.about) == ("rest", "health")
    assert badly.text == "Service web of revision 1 is unreachable: 3 looks in a row found no answer."
    assert badly.since == told.stage.health[1].since
    assert badly.commands == ("windlass rollback shop staging --plan",)
    assert [each.about for each in why(doing(told, "healthy").stage)] == ["rest"]
