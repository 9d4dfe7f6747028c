"""Every command, as an operator uses it."""

import asyncio
import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from shared.events import (
    Event,
    OperationAccepted,
    OperationRefused,
    PlanRejected,
    PushReceived,
    PushRefused,
    RevisionPlanned,
)
from shared.ids import Pipeline, Stage
from tests.builders import named
from tests.integration.cli.conftest import Ended, Office
from tests.ports import free_port
from tests.unit.status.stories import retold
from tests.unit.status.told import Told


def planned(revision: int = 1, **changes: Any) -> Event:
    more = {"pipeline": "shop", "revision": revision, "commit": f"{revision:040x}", **changes}
    return retold(RevisionPlanned.type, **more)


def tell(office: Office, told: Told) -> None:
    office.say(*(message.body for message in told.heard))


def failed(ended: Ended, code: int, *said: str) -> bool:
    return ended.code == code and all(part in ended.err for part in ("windlass: ", *said))


def test_a_repository_is_added_once_listed_and_given_a_new_secret(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    subprocess.run(["git", "init", folder], check=True, capture_output=True)
    added = office.windlass("repo", "add", str(folder))
    assert added.code == 0
    assert f"{office.url}/webhooks/github?repository=shop" in added.out
    assert "Secret" in added.out
    listed = office.windlass("repo", "list")
    assert "shop" in listed.out
    assert str(folder) in listed.out
    assert failed(office.windlass("repo", "add", str(folder)), 1, "registered already", "--rotate")
    rotated = json.loads(office.windlass("repo", "add", str(folder), "--rotate", "--json").out)
    assert rotated["secret"] not in added.out


def test_a_relative_path_is_meant_from_where_one_stands(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", tmp_path / "shop"], check=True, capture_output=True)
    monkeypatch.chdir(tmp_path / "shop")
    added = json.loads(office.windlass("repo", "add", ".", "--json").out)
    assert (added["name"], added["remote"]) == ("shop", str(tmp_path / "shop"))


def test_a_remote_that_cannot_be_is_refused_with_a_way_out(office: Office) -> None:
    assert failed(office.windlass("repo", "add", "ext::sh -c id"), 1, "Name a URL")
    assert failed(office.windlass("repo", "add", "/no/such/folder"), 1, "does not exist")


def test_status_shows_each_stage_and_what_it_waits_for(office: Office) -> None:
    assert "Nothing was deployed yet" in office.windlass("status").out
    office.say(planned())
    tell(office, Told().declared().queued(1).started(1).succeeded(1).queued(2).started(2).queued(3))
    shown = office.windlass("status").out
    assert "deploying" in shown
    assert "http://127.0.0.1:1" in shown
    assert "Revision 3 waits for its turn" in shown
    assert "production" in office.windlass("status", "shop").out
    document = json.loads(office.windlass("status", "shop", "--json").out)
    assert document["pipelines"][0]["now"][0]["running"]["revision"] == 2


def test_status_shows_what_keeps_a_stage_and_what_ended_badly_in_it(office: Office) -> None:
    office.say(planned())
    told = Told().declared().queued(1).started(1).succeeded(1).held(1).held(2).held(3)
    tell(office, told.queued(4).cancelled(4).blocked().stopped())
    said = " ".join(office.windlass("status").out.split())
    assert "paused" in said
    assert "blocked" in said
    assert "Kept out of this stage: revisions 2 and 3; a newer one goes past" in said
    assert "On hold: revision 1; a rollback goes past" in said
    assert "Revision 4 ended Cancelled before it began here, by ann: no" in said


def test_status_says_why_a_push_led_to_nothing_while_there_is_nothing_else(
    office: Office, tmp_path: Path
) -> None:
    subprocess.run(["git", "init", tmp_path / "shop"], check=True, capture_output=True)
    office.windlass("repo", "add", str(tmp_path / "shop"))
    message = "it defines no pipeline; found a [red]site[/red] in /\x1b[2J: `windlass init` writes one"
    push = {"push": str(named("push")), "repository": "shop"}
    office.say(
        retold(PushReceived.type, **push),
        retold(PushRefused.type, **push, message=message, code="no_pipeline", proposal="version: 1"),
    )
    said = " ".join(office.windlass("status").out.split())
    assert "The newest push of shop was refused: it defines no pipeline; found a [red]site[/red]" in said
    assert "`windlass init` writes one" in said
    assert "\x1b" not in said
    (shown,) = json.loads(office.windlass("status", "--json").out)["refused"]
    assert shown["proposal"] == "version: 1"
    office.say(planned())
    assert "refused" not in office.windlass("status").out


def test_status_shows_what_is_wrong_with_the_newest_pipeline_file(office: Office) -> None:
    office.say(planned(), retold(PlanRejected.type, pipeline="shop"))
    assert ".windlass/shop/pipeline.yaml:7:5" in office.windlass("status").out


def test_why_says_what_ends_a_wait(office: Office) -> None:
    office.say(planned())
    tell(office, Told().declared().queued(1).started(1).queued(2))
    said = office.windlass("why", "shop", "staging")
    assert said.code == 0
    assert "shop/staging is deploying." in said.out
    assert "released by its end." in said.out
    assert failed(office.windlass("why", "shop", "prod"), 1, "staging, production")


def answer(office: Office, body: Event, asked: str) -> threading.Timer:
    """Answer in the deployer's or synthesizer's place, once it was asked."""

    async def when_asked() -> None:
        page: dict[str, Any] = {"events": []}
        while not any(event["type"] == asked for event in page["events"]):
            await asyncio.sleep(0)
            page = (await office.town.web.client.get("/api/v1/events")).json()
        event = next(event for event in page["events"] if event["type"] == asked)
        named_in = {name: event["body"][name] for name in ("push", "operation") if name in event["body"]}
        await office.town.say(type(body).model_validate(body.model_dump() | named_in))

    timer = threading.Timer(0, lambda: office.do(when_asked()))
    timer.start()
    return timer


def test_a_cancel_that_is_accepted_says_so(office: Office) -> None:
    office.say(planned())
    accepted = OperationAccepted(
        pipeline=Pipeline("shop"),
        stage=Stage("staging"),
        operation=named("any"),
        kind="cancel",
        run=named("run"),
        message="revision 1 is Cancelling",
    )
    timer = answer(office, accepted, "windlass.operation.requested.v1")
    ended = office.windlass("cancel", "shop", "staging", "--reason", "wrong flag")
    timer.join()
    assert (ended.code, ended.err) == (0, "")
    assert "revision 1 is Cancelling" in ended.out


def test_a_cancel_that_is_refused_fails_and_says_why(office: Office) -> None:
    office.say(planned())
    refused = OperationRefused(
        pipeline=Pipeline("shop"),
        stage=Stage("staging"),
        operation=named("any"),
        kind="cancel",
        message="nothing runs here",
    )
    timer = answer(office, refused, "windlass.operation.requested.v1")
    ended = office.windlass("cancel", "shop", "staging", "--reason", "x")
    timer.join()
    assert failed(ended, 1, "refuses to cancel: nothing runs here.", "windlass why shop staging")
    assert ended.out == ""


@pytest.fixture
def registered(office: Office, tmp_path: Path) -> Office:
    subprocess.run(["git", "init", "-b", "main", tmp_path / "shop"], check=True, capture_output=True)
    assert office.windlass("repo", "add", str(tmp_path / "shop")).code == 0
    return office


def test_a_deployment_says_which_revision_it_is(registered: Office) -> None:
    timer = answer(registered, planned(7), "windlass.push.received.v1")
    ended = registered.windlass("deploy", "shop", "--reason", "for once")
    timer.join()
    assert ended.code == 0
    assert "is revision 7" in ended.out


@pytest.mark.parametrize(
    ("words", "branch", "tag", "commit"),
    [
        pytest.param(["--branch", "release"], "release", "", None, id="a branch"),
        pytest.param(["--tag", "v1"], "", "v1", None, id="a tag"),
        pytest.param(["--commit", "1f" * 20], "main", "", "1f" * 20, id="a commit"),
        pytest.param(["--tag", "v1", "--commit", "1f" * 20], "", "v1", "1f" * 20, id="a tag that is held to"),
    ],
)
def test_a_branch_a_tag_or_a_commit_may_be_deployed(
    registered: Office, words: list[str], branch: str, tag: str, commit: str | None
) -> None:
    timer = answer(registered, planned(7), "windlass.push.received.v1")
    ended = registered.windlass("deploy", "shop", *words, "--reason", "by hand", "--json")
    timer.join()
    assert ended.code == 0
    pushed = json.loads(ended.out)
    assert (pushed["branch"], pushed["tag"], pushed["commit"]) == (branch, tag, commit)


def test_a_deployment_that_is_rejected_shows_every_problem_and_fails(registered: Office) -> None:
    rejected = retold(PlanRejected.type, pipeline="shop")
    timer = answer(registered, rejected, "windlass.push.received.v1")
    ended = registered.windlass("deploy", "shop")
    timer.join()
    assert ended.code == 1
    assert ".windlass/shop/pipeline.yaml:7:5: unknown key `targets` (did you mean `target`?)" in ended.out


def test_a_deployment_of_what_cannot_be_read_says_so_and_fails(registered: Office) -> None:
    refused = retold(PushRefused.type, repository="shop")
    timer = answer(registered, refused, "windlass.push.received.v1")
    ended = registered.windlass("deploy", "shop")
    timer.join()
    assert ended.code == 1
    assert refused.model_dump()["message"] in ended.out


def test_a_deployment_nobody_decides_about_soon_is_told_where_to_look(
    registered: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.cli.commands.deploy.DECISION_SECONDS_MAX", 0.2)
    ended = registered.windlass("deploy", "shop")
    assert ended.code == 0
    assert "windlass status" in ended.out


def test_a_deployment_the_read_model_has_not_heard_of_is_accepted_all_the_same(
    registered: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(_model: object, _event: object) -> bool:
        return False

    monkeypatch.setattr("services.status.routes.answering.CATCH_UP_SECONDS_MAX", 0.05)
    monkeypatch.setattr("services.status.store.reading.ReadModel.has_heard", deaf)
    ended = registered.windlass("deploy", "shop")
    assert (ended.code, ended.err) == (0, "")
    assert "accepted, on disk; not shown yet" in ended.out
    assert "is the broker away?" in ended.out
    assert json.loads(registered.windlass("deploy", "shop", "--json").out)["shown"] is False


def test_an_unknown_pipeline_is_answered_with_those_there_are(registered: Office) -> None:
    registered.say(planned(pipeline="shop", repository="shop"))
    assert failed(registered.windlass("deploy", "shpo"), 1, "Known pipelines: shop")
    assert failed(registered.windlass("status", "shpo"), 1, "Known: shop")


def test_what_is_no_id_of_a_dead_letter_is_refused_in_words(office: Office) -> None:
    for words in (["show", "xyz"], ["replay", "3f9c2a71", "3f9"], ["discard", "3f9g", "--reason", "x"]):
        ended = office.windlass("dead-letters", *words)
        assert (ended.code, "^[" in ended.err) == (2, False)
        assert "4 or more of" in ended.err


NONSENSE = [
    ["lost"],
    ["cancel", "shop", "staging"],
    ["deploy", "shop", "--branch", "main", "--tag", "v1"],
    ["status", "--colour"],
    ["logs", "shop", "newest"],
    ["up", "--port", "x"],
    ["up", "--port", "99999"],
]


def test_a_command_that_makes_no_sense_ends_with_2(office: Office) -> None:
    for words in NONSENSE:
        ended = office.windlass(*words)
        assert ended.code == 2, words
        assert "Traceback" not in ended.err


COMMANDS = [["repo"], ["up"], ["repo", "add"], ["deploy"], ["status"], ["logs"], ["why"], ["cancel"]]


def test_every_command_explains_itself(office: Office) -> None:
    for words in COMMANDS:
        ended = office.windlass(*words, "--help")
        assert ended.code == 0
        assert "Usage: windlass" in ended.out


def test_what_ingest_serves_is_not_looked_for_elsewhere_in_silence(status_office: Office) -> None:
    for words in (["repo", "list"], ["repo", "add", "https://example.com/a.git"], ["deploy", "shop"]):
        ended = status_office.windlass(*words)
        at = f"The process at {status_office.url} does not serve ingest"
        assert failed(ended, 1, at, "WINDLASS_INGEST_URL"), ended.err
        assert "WINDLASS_INGEST_URL" in status_office.windlass(words[0], "--help").out


def test_no_token_at_all_is_told_as_that(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WINDLASS_TOKEN")
    assert failed(office.windlass("status"), 1, "no token", "WINDLASS_TOKEN", "`windlass token NAME`")


def test_a_wrong_token_is_told_where_the_right_one_is(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINDLASS_TOKEN", "wrong")
    assert failed(office.windlass("status"), 1, "valid token", "client.json", "`windlass token NAME`")


def test_no_server_ends_with_3_and_says_how_to_start_one(office: Office, tmp_path: Path) -> None:
    assert failed(office.windlass("status", "--url", "http://127.0.0.1:1"), 3, "windlass up")
    office.monkeypatch.delenv("WINDLASS_URL")
    assert failed(office.windlass("status", "--data", str(tmp_path / "none")), 3, "windlass up")


class Elsewhere(BaseHTTPRequestHandler):
    """Another program on the port that was meant."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


def test_another_server_than_windlass_is_not_believed(office: Office) -> None:
    with HTTPServer(("127.0.0.1", free_port()), Elsewhere) as elsewhere:
        threading.Thread(target=elsewhere.handle_request, daemon=True).start()
        ended = office.windlass("status", "--url", f"http://127.0.0.1:{elsewhere.server_port}")
    assert failed(ended, 1, "is no Windlass")
