"""What a stage says of runs that came to nothing, of holds, of what keeps it, and what to do about it."""

from datetime import timedelta

import pytest

from services.status import aftermath
from services.status.explanation import why
from services.status.routes.pipelines import run_summary
from services.status.views import StageView
from shared.events import Evidence, RunCancelled, RunFailed, RunTimedOut, Wait
from shared.events.waits import WaitReason
from tests.builders import START
from tests.unit.status.told import Told, approval_wait

LATE = Evidence(phase="deploy", kind="timeout", message="the deployment did not come here in time")
LOCK = Wait(reason="lock", blocked_by="revision 1", released_by="its end", since=START, deadline=START)


def live_one() -> Told:
    return Told().declared().queued(1).started(1).succeeded(1)


def sentences(told: Told) -> list[str]:
    return [reason.text for reason in why(told.stage)]


def commands(told: Told) -> list[str]:
    return [command for reason in why(told.stage) for command in reason.commands]


def timed_out(told: Told, revision: int) -> Told:
    return told.tell(RunTimedOut(**told.about(revision), state="Timed Out", evidence=LATE))


def ended_by_alarm(told: Told, revision: int) -> Told:
    said = {"actor": "alarm a", "reason": "5xx", "rollback": "no_candidate"}
    return told.tell(RunCancelled(**told.about(revision), state="Cancelled", **said))


def test_a_run_that_ended_before_it_began_is_not_forgotten() -> None:
    told = timed_out(Told().declared().queued(3), 3)
    assert sentences(told) == [
        "Nothing waits; nothing was deployed here yet.",
        (
            "Revision 3 ended Timed Out before it began here: the deployment did not come here in time. "
            f"{aftermath.WAITS.told}"
        ),
    ]
    assert told.stage.status == "pending"
    assert (told.stage.last, told.stage.unstarted is not None) == (None, True)


def test_a_waiting_run_that_was_cancelled_is_told_beside_the_last_that_began() -> None:
    told = live_one().queued(2).started(2).failed(2).queued(3).cancelled(3)
    assert sentences(told)[1:] == [
        f"The last run here, of revision 2, ended Failed: exit code 1. {aftermath.WAITS.told}",
        "Revision 3 ended Cancelled before it began here, by ann: no",
    ]
    which = str(Told.run_id(3))[:8]
    assert f"windlass retry shop staging --run {which} --reason WHY" in commands(told)


def test_what_ended_before_it_began_is_old_news_once_another_begins() -> None:
    told = live_one().queued(2).cancelled(2).queued(3)
    assert "Revision 2 ended Cancelled before it began here, by ann: no" in sentences(told)
    assert told.started(3).stage.unstarted is None


def test_a_superseded_run_is_no_news_and_one_never_heard_of_neither() -> None:
    assert live_one().queued(2).superseded(2, 3).stage.unstarted is None
    assert live_one().cancelled(2).stage.unstarted is None


def test_a_rejected_pipeline_file_is_told_and_not_to_be_retried() -> None:
    told = Told().declared().queued(2, wait=approval_wait(START)).definition_held(2)
    assert commands(told) == ["windlass approve shop staging", "windlass reject shop staging --reason WHY"]
    told.definition_answered(2, "rejected").cancelled(2)
    assert sentences(told)[-1] == "Revision 2 ended Cancelled before it began here, by ann: no"
    assert commands(told) == []


def test_a_failure_names_its_step_and_what_to_type() -> None:
    told = Told().declared().queued(2).started(2)
    evidence = Evidence(phase="deploy", kind="process", message="exit code 3")
    said = {"state": "Failed", "failed_in": "step", "step": "migrate", "evidence": evidence}
    told.tell(RunFailed(**told.about(2), **said))
    ended = "The last run here, of revision 2, ended Failed at step migrate: exit code 3"
    assert sentences(told)[-1] == f"{ended}. {aftermath.WAITS.told}"
    logs, retry = "windlass logs shop 2 --stage staging", "windlass retry shop staging --reason WHY"
    diagnose = "windlass diagnose shop staging"
    assert commands(told) == [diagnose, logs, retry]
    assert "ended Failed at step migrate: exit code 3" in sentences(told.queued(3))[-1]
    assert commands(told.held(2))[-1] == logs
    assert "windlass release-hold shop staging 2 --reason WHY" in commands(told)


def test_an_older_failure_is_not_to_be_retried_and_a_rollback_not_either() -> None:
    told = live_one().queued(2).started(2).succeeded(2).queued(1, "retry").started(1, "retry")
    body = RunFailed(**told.about(1, "retry"), state="Failed", failed_in="step", evidence=LATE)
    looks = ["windlass diagnose shop staging", "windlass logs shop 1 --stage staging"]
    assert commands(told.tell(body)) == looks
    told = live_one().queued(1, "rollback").rolling_back(1)
    told.tell(RunFailed(**told.about(1, "rollback"), state="Failed", failed_in="rollback", evidence=LATE))
    assert commands(told)[-1] == "windlass rollback shop staging --plan"


def test_that_there_was_nothing_to_roll_back_to_is_said_wherever_the_run_is_told() -> None:
    told = ended_by_alarm(Told().declared().queued(1).started(1), 1)
    assert sentences(told)[-1] == (
        f"The last run here, of revision 1, ended Cancelled, by alarm a: 5xx. {aftermath.NO_CANDIDATE.told}"
    )
    run = told.run(1)
    assert run.rollback == "no_candidate"
    assert run.timeline[-1].text == "Cancelled: alarm a: 5xx; there was no revision to roll back to"
    summary = run_summary(run)
    assert (summary.rollback, summary.message) == ("no_candidate", "by alarm a: 5xx")


def test_a_run_of_a_list_says_what_ended_it() -> None:
    told = live_one().queued(2).started(2).failed(2)
    assert [run_summary(told.run(number)).message for number in (1, 2)] == ["", "exit code 1"]


def test_every_hold_is_told_with_what_it_means() -> None:
    told = live_one().queued(2).started(2).succeeded(2).held(1).held(2).held(3)
    assert [text for text in sentences(told) if "hold" in text or "kept out" in text] == [
        "Revision 1 is on hold, so that a rollback goes past it unless it is named: it failed.",
        "Revision 2 is live, and on hold: once gone from here it does not return by itself: it failed.",
        "Revision 3 is kept out, a newer one goes past it: it failed.",
    ]


def test_who_waits_for_its_turn_in_a_stopped_stage_waits_for_more_than_that() -> None:
    told = live_one().queued(2).started(2).queued(3, wait=LOCK).stopped().blocked()
    (waiting,) = (each for each in why(told.stage) if each.about == "waiting")
    assert waiting.text == (
        "Revision 3 waits for its turn: revision 1; released by its end. "
        "It begins only once the stage is resumed and alarm a is over."
    )
    assert waiting.deadline is None
    (waiting,) = (each for each in why(told.resumed().lifted(START).stage) if each.about == "waiting")
    assert (waiting.text.endswith("its end."), waiting.deadline) == (True, START)


def test_a_rollback_goes_past_a_stop_and_a_blocker() -> None:
    told = live_one().queued(2).started(2).queued(1, "rollback", LOCK).stopped().blocked()
    assert "only once" not in next(text for text in sentences(told) if "waits for its turn" in text)


def waiting_stage(reason: WaitReason) -> StageView:
    told = live_one().queued(2, wait=LOCK.model_copy(update={"reason": reason}))
    return told.blocked().stopped().stage


@pytest.mark.parametrize(
    ("reason", "command"),
    [
        ("window", "windlass override-window shop staging --hours 1 --reason WHY"),
        ("blocker", "windlass lift-blocker shop staging 'alarm a' --reason WHY"),
        ("stopped", "windlass resume shop staging --reason WHY"),
    ],
)
def test_a_wait_that_a_person_can_end_has_the_command_that_does(reason: WaitReason, command: str) -> None:
    (waiting,) = (each for each in why(waiting_stage(reason)) if each.about == "waiting")
    assert waiting.commands == (command,)


def test_what_time_or_another_run_ends_has_no_command() -> None:
    for reason in ("lock", "previous_stage", "build", "retry_backoff"):
        (waiting,) = (each for each in why(waiting_stage(reason)) if each.about == "waiting")
        assert waiting.commands == ()


def test_where_several_wait_for_people_each_is_named() -> None:
    told = Told().declared().queued(1).started(1).gate(1, "go live").gate(1, "other")
    told.queued(2, wait=approval_wait(START)).definition_held(2)
    approve = [command for command in commands(told) if "approve" in command]
    assert approve == [
        "windlass approve shop staging --step 'go live'",
        "windlass approve shop staging --step other",
        "windlass approve shop staging --definition",
    ]


def test_a_blocker_that_is_over_is_not_lifted() -> None:
    assert commands(live_one().blocked().lifted(START + timedelta(days=9_000))) == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("It is closed that day.", "its turn: It is closed that day; released by"),
        ("Has support been told?", "its turn: Has support been told? Released by"),
        ("It is open", "its turn: It is open; released by"),
    ],
)
def test_what_a_sentence_is_made_of_ends_it_only_once(said: str, told: str) -> None:
    wait = LOCK.model_copy(update={"blocked_by": said, "released_by": "its opening."})
    (waiting, *_) = sentences(Told().declared().queued(1, wait=wait))
    assert waiting == f"Revision 1 waits for {told} its opening."
