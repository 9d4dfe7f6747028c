"""`windlass diagnose`: why a run failed, what says so, what follows, what to do; read at 80 columns."""

import json
from datetime import timedelta
from typing import Any

import pytest

from services.cli.paragraph import COLUMNS
from shared.events import (
    Diagnostics,
    Event,
    Evidence,
    EvidenceLine,
    FailureClassified,
    FixCard,
    LogLine,
    ProbeResult,
    ProbeRound,
    RunFailed,
    RunTimedOut,
    VerificationFailed,
    VerificationProbed,
    VerificationRequested,
)
from tests.builders import START, named
from tests.integration.cli.conftest import Office
from tests.integration.cli.test_commands import failed, planned, tell
from tests.unit.status.told import HERE, Told

URL = "http://127.0.0.1:4000/health"
TARGET = {"service": "serve", "base_url": "http://127.0.0.1:4000", "criteria": {}}
TOLD = Told()
RUN = str(Told.run_id(2))
DIAGNOSTICS = Diagnostics(
    at=START,
    process="running",
    listening=("127.0.0.1:4000",),
    log_tail=(LogLine(at=START, text="FileNotFoundError: 'visitors.db'\x1b[31m"),),
)
SEEN = Evidence(
    phase="verify",
    kind="probe",
    message="2 of 3 probes of serve did not pass",
    what="serve",
    diagnostics=DIAGNOSTICS,
)


def round_(number: int, fault: Any = "status") -> ProbeRound:
    at = START + timedelta(seconds=number)
    probe = ProbeResult(
        at=at, url=URL, passed=False, status=500, latency_seconds=0.01, fault=fault, problem="answered 500"
    )
    return ProbeRound(number=number, at=at, probes=(probe,))


def verification(*rounds: ProbeRound) -> list[Event]:
    about: dict[str, Any] = {**HERE, "verification": named("v"), "run": RUN, "revision": 2, "step": "serve"}
    asked = {"targets": [TARGET], "deadline": START, "private_addresses": True}
    return [
        VerificationRequested.model_validate(about | asked),
        VerificationProbed(**about, rounds=rounds[:1]),
        VerificationFailed(**about, evidence=SEEN, rounds=rounds[1:]),
    ]


def classified(**changes: Any) -> Event:
    commands = ("windlass logs shop 2 --stage staging",)
    said = {
        "run": RUN,
        "revision": 2,
        "failure_stage": "verify",
        "category": "health_check_failure",
        "code": "DEPLOYMENT_VERIFICATION_FAILED",
        "retryable": False,
        "rule": "answers_server_error",
        "likely_cause": "The service answers, with an error of its own.",
        "lines": ("GET /health answered 500",),
        "commands": commands,
        "confidence": "certain",
        "evidence": (
            EvidenceLine(line=None, text="GET /health answered 500"),
            EvidenceLine(line=7, text="x"),
        ),
        "fix": FixCard(check=("What it said last.",), commands=commands, done_when="The path answers 200."),
        **changes,
    }
    return FailureClassified(**HERE, **said)


def broke(rollback: Any = "", **changes: Any) -> Event:
    about = {**TOLD.about(2), "failed_in": "verification", "evidence": SEEN, "rollback": rollback, **changes}
    return RunFailed(**about, state="Failed")


def second_fails(office: Office, *after: Event, rollback: Any = "") -> Told:
    """Tell of a first revision that is live and a second that did not pass its verification."""
    told = Told().declared().queued(1).started(1).succeeded(1).queued(2).started(2)
    for event in (*verification(*map(round_, range(1, 5))), broke(rollback), *after):
        told.tell(event)
    office.say(planned(), planned(2))
    tell(office, told)
    return told


def test_a_failure_is_told_from_where_it_stands_to_what_to_do(office: Office) -> None:
    second_fails(office, classified())
    said = office.windlass("diagnose", "shop", "staging")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("shop/staging is failed; revision 1 is live, for ")
    assert lines[2].startswith("Failed: deploy of revision 2 (00000000")
    assert f"  run        {RUN}" in lines
    assert "  by rule    answers_server_error, certain" in lines
    assert "  The service answers, with an error of its own." in lines
    assert "  7 | x" in lines
    assert f"  windlass logs shop 2 --stage staging --run {RUN[:8]}" in lines
    assert f"  rounds 1 to 4, {START:%H:%M}:01Z to {START:%H:%M}:04Z" in lines
    assert f"    no  500        10 ms       {URL}" in lines
    assert "  process    running" in lines
    assert "    | FileNotFoundError: 'visitors.db'\\x1b[31m" in lines
    assert lines[-3:] == [
        "  1. What it said last.",
        "  try        windlass logs shop 2 --stage staging",
        "  done when  The path answers 200.",
    ]
    assert [line for line in lines if len(line) > COLUMNS] == []


def test_programs_are_told_the_same_with_the_classification_as_classify_has_it(office: Office) -> None:
    second_fails(office, classified())
    found = json.loads(office.windlass("diagnose", "shop", "staging", "--json").out)
    assert (found["pipeline"], found["stage"], found["status"]) == ("shop", "staging", "failed")
    assert (found["run"]["run"], found["run"]["revision"]) == (RUN, 2)
    named_ = found["classification"]
    assert set(named_) == {
        "stage", "category", "code", "retryable", "rule", "confidence", "summary", "likely_cause",
        "evidence", "fix",
    }  # fmt: skip
    assert named_["stage"] == "verify"
    assert named_["evidence"][1] == {"line": 7, "text": "x"}
    assert named_["fix"][-1] == "Done when: The path answers 200."
    assert [each["number"] for each in found["verifications"][0]["rounds"]] == [1, 2, 3, 4]
    assert found["diagnostics"]["listening"] == ["127.0.0.1:4000"]


def test_where_nothing_has_failed_it_says_so_and_all_is_well(office: Office) -> None:
    office.say(planned())
    tell(office, Told().declared().queued(1).started(1).succeeded(1))
    said = office.windlass("diagnose", "shop", "staging")
    assert (said.code, said.out.splitlines()[-1]) == (0, "Nothing has failed here.")
    document = json.loads(office.windlass("diagnose", "shop", "staging", "--json").out)
    assert (document["run"], document["classification"]) == (None, None)
    assert office.windlass("diagnose", "shop", "staging", "--revision", "1").out.splitlines()[-1] == (
        "No run of revision 1 has failed here."
    )
    run = str(Told.run_id(1))
    assert office.windlass("diagnose", "shop", "staging", "--run", run[:8]).out.splitlines()[-1] == (
        f"Run {run[:8]} of revision 1 has not failed: it is Succeeded."
    )


def test_what_is_not_there_is_refused_with_what_there_is(office: Office) -> None:
    assert failed(office.windlass("diagnose", "shop", "staging"), 1, "no pipeline 'shop'")
    office.say(planned())
    assert failed(office.windlass("diagnose", "shop", "prod"), 1, "no stage 'prod'", "staging, production")
    assert failed(office.windlass("diagnose", "shop", "staging", "--run", "abc"), 1, "No run of the newest")
    both = office.windlass("diagnose", "shop", "staging", "--run", "abc", "--revision", "1")
    assert failed(both, 2, "one of --run and --revision")


def test_the_run_of_another_stage_is_refused(office: Office) -> None:
    second_fails(office, classified())
    assert failed(office.windlass("diagnose", "shop", "production", "--run", RUN), 1, "another stage")


def test_a_failure_that_nobody_has_named_yet_is_told_without_its_name(office: Office) -> None:
    second_fails(office)
    said = office.windlass("diagnose", "shop", "staging").out
    assert "It was not diagnosed yet: ask again soon." in said
    assert "  seen       2 of 3 probes of serve did not pass" in said
    assert "  process    running" in said
    assert json.loads(office.windlass("diagnose", "shop", "staging", "--json").out)["classification"] is None


def follows(office: Office, *words: str) -> list[str]:
    lines = iter(office.windlass("diagnose", "shop", "staging", *words).out.splitlines())
    assert "What follows" in lines
    return [line.strip() for line in iter(lambda: next(lines, ""), "")]


def test_it_says_that_a_person_is_waited_for_and_what_they_may_type(office: Office) -> None:
    second_fails(office, classified())
    told = " ".join(follows(office))
    assert "waits for a person" in told
    assert "windlass retry shop staging --reason WHY" in told
    assert "windlass logs" not in told


def test_it_says_how_the_rollback_goes_and_that_the_revision_is_on_hold(office: Office) -> None:
    told = second_fails(office, classified(rolled_back=True), rollback="started")
    assert follows(office) == ["The stage goes back by itself to the revision that was good here before."]
    back = Told()
    back.heard, back.views = [], told.views
    back.held(2).queued(1, "rollback", None, rolls_back=RUN).rolling_back(1)
    tell(office, back)
    assert follows(office) == [
        "The stage is being rolled back to revision 1.",
        "Revision 2 is on hold here: a newer one goes past it.",
    ]
    ended = Told()
    tell(office, ended.succeeded(1, "rollback"))
    assert follows(office) == [
        "The stage was rolled back to revision 1.",
        "Revision 2 is on hold here: a newer one goes past it.",
    ]


def test_a_later_revision_that_went_well_ends_the_story(office: Office) -> None:
    told = second_fails(office, classified())
    heard = len(told.heard)
    told.queued(3).started(3)
    office.say(planned(3), *(message.body for message in told.heard[heard:]))
    assert follows(office) == ["Revision 3 is next here (In Progress)."]
    office.say(told.succeeded(3).heard[-1].body)
    assert follows(office) == ["Since then revision 3 went well here (Succeeded)."]
    assert follows(office, "--revision", "2") == follows(office, "--run", RUN[:6])
    other = office.windlass("diagnose", "shop", "staging", "--revision", "1").out
    assert other.splitlines()[-1] == "No run of revision 1 has failed here."


def test_a_run_that_never_began_is_told_without_times_that_it_does_not_have(office: Office) -> None:
    seen = Evidence(phase="deploy", kind="timeout", message="its time was over", stated="not_begun")
    late = RunTimedOut(**TOLD.about(2), state="Timed Out", failed_in="step", evidence=seen)
    told = Told().declared().queued(2).tell(late)
    office.say(planned(2))
    tell(office, told)
    said = office.windlass("diagnose", "shop", "staging").out
    assert "nothing is live." in said
    assert "Timed Out: deploy of revision 2" in said
    assert ", before it began" in said


@pytest.mark.parametrize("phase", ["clone", "build", "publish"])
def test_the_output_of_a_build_is_found_without_a_run(office: Office, phase: Any) -> None:
    seen = Evidence(phase=phase, kind="process", message="exit code 1")
    told = Told().declared().queued(2).started(2).tell(broke(evidence=seen, failed_in="build"))
    office.say(planned(2))
    tell(office, told)
    assert "\n  windlass logs shop 2\n" in office.windlass("diagnose", "shop", "staging").out


def test_one_run_and_the_end_of_its_output_lead_to_the_diagnosis(office: Office) -> None:
    second_fails(office, classified())
    shown = office.windlass("runs", "shop", "staging", RUN[:8]).out
    assert f"`windlass diagnose shop staging --run {RUN[:8]}`" in shown
    followed = office.windlass("logs", "shop", "2", "--follow")
    assert followed.out == ""
    assert f"revision 2 Failed in staging: `windlass diagnose shop staging --run {RUN[:8]}`" in followed.err
