"""Every operation, the audit trail and shipments, as an operator uses them."""

import json
from typing import Any

import httpx
import pytest

from services.cli.faults import FAILED, MISUSED, UNREACHABLE
from shared.events import OperationAccepted, OperationRefused
from shared.events.operations import OperationKind
from shared.ids import Pipeline, Stage
from tests.builders import START, named
from tests.integration.cli.conftest import Ended, Office
from tests.integration.cli.test_commands import answer, failed, planned, tell
from tests.unit.status.told import TESTS, Told, approval_wait

REQUESTED = "windlass.operation.requested.v1"
WHY = ["--reason", "flags"]
HERE = ["shop", "staging"]
RUN = str(named("run"))

ASKED: list[tuple[list[str], dict[str, Any]]] = [
    (["retry", *HERE, *WHY, "--run", RUN, "--from-failed-step"], {"run": RUN, "from_failed_step": True}),
    (["rollback", *HERE, *WHY, "--to", "3"], {"revision": 3, "dry_run": False}),
    (["rollback", *HERE, "--plan"], {"revision": None, "dry_run": True}),
    (["roll-forward", *HERE, *WHY, "--to", "4"], {"revision": 4}),
    (["stop", *HERE, *WHY], {"stage": "staging"}),
    (["stop", "shop", *WHY], {"stage": "*"}),
    (["resume", "shop", *WHY], {"stage": "*"}),
    (["release-hold", *HERE, "4", *WHY], {"revision": 4}),
    (["lift-blocker", *HERE, "alarm a", *WHY], {"blocker": "alarm a"}),
    (["override-window", *HERE, "--hours", "2", *WHY], {"kind": "override_window"}),
]


def ask(office: Office, words: list[str], kind: OperationKind, *, message: str = "") -> Ended:
    """Run a command; the deployer accepts, or refuses if there is a message."""
    about = {"pipeline": Pipeline("shop"), "stage": Stage("staging"), "operation": named("any"), "kind": kind}
    body = OperationRefused(**about, message=message) if message else OperationAccepted(**about)
    timer = answer(office, body, REQUESTED)
    ended = office.windlass(*words)
    timer.join()
    return ended


async def requested(office: Office) -> dict[str, Any]:
    page = (await office.town.web.client.get("/api/v1/events")).json()
    (event,) = (each for each in page["events"] if each["type"] == REQUESTED)
    body: dict[str, Any] = event["body"]
    return body


@pytest.mark.parametrize(("words", "said"), ASKED, ids=lambda words: " ".join(words)[:30])
def test_an_operation_is_asked_for_as_it_was_said(
    office: Office, words: list[str], said: dict[str, Any]
) -> None:
    office.say(planned())
    kind: Any = words[0].replace("-", "_")
    ended = ask(office, [*words, "--json"], kind)
    assert (ended.code, ended.err) == (0, "")
    assert (json.loads(ended.out)["kind"], json.loads(ended.out)["answer"]) == (words[0], "accepted")
    body = office.do(requested(office))
    assert {name: body.get(name) for name in said} == said
    assert body["kind"] == kind


def test_a_refusal_is_told_in_the_words_of_the_server(office: Office) -> None:
    office.say(planned())
    ended = ask(office, ["retry", *HERE, *WHY], "retry", message="nothing has run here")
    assert failed(ended, FAILED, "shop/staging refuses to retry: nothing has run here.", "windlass why shop")


def test_a_refusal_that_names_a_command_names_no_other(office: Office) -> None:
    office.say(planned())
    said = "nothing ran here: look at what `windlass runs` says"
    ended = ask(office, ["retry", *HERE, *WHY], "retry", message=said)
    assert failed(ended, FAILED, said)
    assert "windlass why" not in ended.err


def test_an_approval_is_of_what_it_prints(office: Office) -> None:
    office.say(planned())
    tell(office, Told().declared().queued(1).started(1).gate(1, tests=TESTS))
    ended = ask(office, ["approve", *HERE, "--comment", "seen"], "approve")
    assert (ended.code, ended.err) == (0, "")
    assert "waits     step 'Smoke' has 0 of 1 approvals" in ended.out
    assert "artifact  web sha256:1" in ended.out
    assert "tests     117 passed, 7 failed, 1 skipped, exit code 1" in ended.out
    assert ended.out.endswith("Approved in shop/staging.\n")
    body = office.do(requested(office))
    assert (body["shown"], body["step"], body["reason"]) == ("5b0f", "smoke", "seen")
    assert body["run"] == str(Told.run_id(1))


def test_a_rejection_is_of_what_it_prints(office: Office) -> None:
    office.say(planned())
    tell(office, Told().declared().queued(1).started(1).gate(1, tests=TESTS))
    ended = ask(office, ["reject", *HERE, *WHY], "reject")
    assert (ended.code, ended.err) == (0, "")
    assert "tests     117 passed, 7 failed, 1 skipped, exit code 1" in ended.out
    body = office.do(requested(office))
    assert (body["shown"], body["step"], body["run"]) == ("5b0f", "smoke", str(Told.run_id(1)))


def held() -> Told:
    return Told().declared().queued(1).started(1).queued(2, wait=approval_wait(START)).definition_held(2)


def test_the_changes_of_a_pipeline_file_are_approved_as_they_are_printed(office: Office) -> None:
    office.say(planned(), planned(2))
    tell(office, held())
    ended = ask(office, ["approve", *HERE], "approve")
    assert (ended.code, ended.err) == (0, "")
    assert "  - a\n  - and 2 more" in ended.out
    body = office.do(requested(office))
    assert (body["shown"], body["step"], body["run"]) == ("d1", "", str(Told.run_id(2)))


def test_the_changes_of_a_pipeline_file_are_named_where_a_gate_waits_too(office: Office) -> None:
    office.say(planned(), planned(2))
    tell(office, held().gate(1, "go"))
    assert failed(office.windlass("approve", *HERE), FAILED, "go, the changes of the pipeline file")
    ended = ask(office, ["reject", *HERE, "--definition", *WHY], "reject")
    assert (ended.code, ended.err) == (0, "")
    body = office.do(requested(office))
    assert (body["step"], body["run"], body["reason"]) == ("", str(Told.run_id(2)), "flags")


def test_nothing_is_approved_where_nothing_waits_or_several_do(office: Office) -> None:
    office.say(planned())
    told = Told().declared()
    tell(office, told)
    assert failed(office.windlass("approve", *HERE), FAILED, "Nothing in shop/staging waits")
    tell(office, told.queued(1).started(1).gate(1, "go").gate(1, "other"))
    assert failed(office.windlass("approve", *HERE), FAILED, "--step", "go, other")
    for verb in (["approve", *HERE], ["reject", *HERE, *WHY]):
        ended = office.windlass(*verb, "--step", "x")
        assert failed(ended, FAILED, "Nothing of the name 'x'", "Waiting there: go, other.")


def test_why_shows_the_first_of_what_people_are_to_look_at(office: Office) -> None:
    office.say(planned())
    told = Told().declared().queued(1).started(1).gate(1, tests=TESTS)
    tell(office, told.waits(1, approval_wait(told.heard[-1].time)))
    ended = office.windlass("why", *HERE)
    assert "\n    7 of 124 tests failed, 1 skipped.\n    checkout 0: 29.99\n" in ended.out


def test_runs_are_listed_and_one_is_shown_whole(office: Office) -> None:
    office.say(planned(), planned(2))
    tell(office, Told().declared().queued(1).started(1).step_started(1, "migrate").failed(1).queued(2))
    listed = office.windlass("runs", *HERE)
    assert [line.split()[1:5] for line in listed.out.splitlines()[1:]] == [
        ["2", "(00000000)", "deploy", "Not"],
        ["1", "(00000000)", "deploy", "Failed"],
    ]
    first = str(Told.run_id(1))
    shown = office.windlass("runs", *HERE, first[:8].upper())
    assert (shown.code, shown.err) == (0, "")
    assert f"run       {first}" in shown.out
    assert "Step migrate started" in shown.out
    assert json.loads(office.windlass("runs", *HERE, first, "--json").out)["run"] == first
    assert f"run       {Told.run_id(2)}" in office.windlass("runs", *HERE, "last").out
    assert failed(office.windlass("runs", *HERE, "zz"), FAILED, "begins with 'zz'")


def test_a_run_is_named_by_how_its_id_begins(office: Office) -> None:
    office.say(planned(), planned(2))
    tell(office, Told().declared().queued(1).started(1).failed(1).queued(2))
    first, second = (str(Told.run_id(number)) for number in (1, 2))
    ended = ask(office, ["retry", *HERE, *WHY, "--run", first[:8].upper()], "retry")
    assert (ended.code, ended.err) == (0, "")
    assert office.do(requested(office))["run"] == first
    both = [id_[0] for id_ in (first, second)]
    unknown = next(digit for digit in "0123456789abcdef" if digit not in both)
    for verb in ("retry", "cancel"):
        ended = office.windlass(verb, *HERE, *WHY, "--run", unknown)
        assert failed(ended, FAILED, f"No run of the newest in shop/staging begins with '{unknown}'", "runs")


def test_where_nothing_ran_the_list_says_so(office: Office) -> None:
    office.say(planned())
    assert office.windlass("runs", *HERE).out == "Nothing ran here yet.\n"
    assert failed(office.windlass("runs", *HERE, "last"), FAILED, "'last'")


def test_the_trail_and_what_shipped_a_commit_are_told(office: Office) -> None:
    office.say(planned())
    tell(office, Told().declared().queued(1).started(1).succeeded(1).stopped())
    trail = office.windlass("history", *HERE, "--limit", "1")
    assert (trail.code, len(trail.out.splitlines())) == (0, 1)
    assert "staging was stopped, by ann: flags" in trail.out
    assert len(json.loads(office.windlass("history", "shop", "--json").out)["entries"]) == 3
    shipped = office.windlass("shipped", "shop", f"{1:040x}")
    assert shipped.code == 0
    assert "staging: A run of its own brought it to staging." in shipped.out
    assert "production: Nothing of it has come to production yet." in shipped.out
    assert failed(office.windlass("shipped", "shop", "abcdef0"), FAILED, "abcdef0")


NONSENSE = [
    *([verb, *HERE] for verb in ("retry", "roll-forward", "stop", "resume", "reject", "lift-blocker")),
    ["rollback", *HERE],
    ["stop", *HERE, "--reason", "  "],
    ["retry", *HERE, *WHY, "--run", "latest"],
    ["rollback", *HERE, "--to", "0", *WHY],
    ["override-window", *HERE, *WHY],
    ["override-window", *HERE, "--hours", "nan", *WHY],
    ["override-window", *HERE, "--hours", "200", *WHY],
    ["shipped", "shop", "HEAD"],
    ["token", "grafana", "--alarm", "shop 5xx"],
    ["token", "grafana", "--alarm", ""],
    ["token", "b\u00f6b"],
]


def test_what_makes_no_sense_ends_with_2_before_anything_is_asked(office: Office) -> None:
    for words in NONSENSE:
        ended = office.windlass(*words)
        assert (ended.code, "Traceback" in ended.err) == (MISUSED, False), words
    assert "--reason" in office.windlass("stop", *HERE).err


def test_without_a_server_an_operation_ends_with_3(office: Office) -> None:
    ended = office.windlass("stop", *HERE, *WHY, "--url", "http://127.0.0.1:1")
    assert failed(ended, UNREACHABLE, "No Windlass answers")


def test_a_monitors_token_tells_of_its_alarm_and_nothing_else(office: Office) -> None:
    granted = office.windlass("token", "grafana", "--alarm", "shop-5xx")
    assert (granted.code, granted.err) == (0, "windlass: no stage names alarm shop-5xx yet.\n")
    headers = {"Authorization": f"Bearer {granted.out.splitlines()[-1]}"}
    told = {
        path: httpx.post(f"{office.url}/api/v1/{path}", json={"state": "firing"}, headers=headers).status_code
        for path in ("alarms/shop-5xx", "alarms/other", "tokens")
    }
    assert told == {"alarms/shop-5xx": 202, "alarms/other": 403, "tokens": 403}
    assert failed(office.windlass("token", "ann", "--alarm", "a"), FAILED, "which this would take away")


def test_a_second_person_gets_a_token_and_acts_under_a_name_of_their_own(office: Office) -> None:
    granted = office.windlass("token", "bob")
    assert (granted.code, granted.err) == (0, "")
    assert failed(office.windlass("token", "bob"), FAILED, "a token of bob already", "--replace")
    replaced = office.windlass("token", "bob", "--replace", "--json")
    office.monkeypatch.setenv("WINDLASS_TOKEN", granted.out.splitlines()[-1])
    assert failed(office.windlass("repo", "list"), FAILED, "valid token")
    office.monkeypatch.setenv("WINDLASS_TOKEN", json.loads(replaced.out[replaced.out.index("{") :])["token"])
    assert office.windlass("repo", "list").code == 0
    assert failed(office.windlass("token", "carol"), FAILED, "bob was given a token", "Ask ann")


def test_a_token_is_asked_of_ingest_and_of_no_other_service(status_office: Office) -> None:
    ended = status_office.windlass("token", "grafana", "--alarm", "a")
    assert failed(ended, FAILED, "does not serve ingest", "WINDLASS_INGEST_URL")
