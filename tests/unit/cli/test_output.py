"""What a terminal is given, and in which words."""

import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from fastapi.routing import APIRoute

from deploy.docs.wiring import wired
from services.cli import output, words
from services.cli.api import Api
from services.cli.commands import serve
from services.cli.connection import Connection, find
from services.cli.faults import UNREACHABLE, CommandFault
from services.cli.route import route
from services.embedded.app import SERVICES
from shared.clock import SystemClock


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode 日本", "plain ünïcode 日本"),
        ("tab\there", "tab\there"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("over\rwritten", "over\\rwritten"),
        ("two\nlines", "two\\nlines"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\x9b31m", "\\x9b31m"),
        ("nul\x00", "nul\\x00"),
    ],
)
def test_control_characters_are_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert output.harmless(text) == shown


def test_a_table_off_a_terminal_has_no_colours_and_does_not_fold(capsys: pytest.CaptureFixture[str]) -> None:
    address = "http://127.0.0.1:1234/" + "x" * 90
    table = output.table(["Status", "Where"], [[("failed", "red"), f"{address}\n[bold]\x1b[31m"]])
    output.console().print(table)
    printed = capsys.readouterr().out
    assert address in printed
    assert "[bold]\\x1b[31m" in printed
    assert "\x1b" not in printed


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (7_199, "1 h"), (86_400, "1 d"), (10**7, "115 d")],
)
def test_a_span_is_told_in_its_largest_unit(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "-"),
        (0, "0.0 s"),
        (1.44, "1.4 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (119, "1 min 59 s"),
        (7_201, "2 h"),
        (90_000, "1 d 1 h"),
    ],
)
def test_how_long_something_took_is_told_in_two_units(seconds: float | None, said: str) -> None:
    assert words.span(seconds) == said


def test_instants_are_told_from_now() -> None:
    now = SystemClock().now()
    assert words.ago((now - timedelta(minutes=5)).isoformat()) == "5 min ago"
    assert words.ago((now + timedelta(hours=2, seconds=30)).isoformat()) == "in 2 h"
    assert words.ago(None) == ""


def test_a_reason_has_its_times() -> None:
    now = SystemClock().now()
    told = {
        "text": "It waits.",
        "since": (now - timedelta(seconds=61)).isoformat(),
        "deadline": (now + timedelta(days=6, hours=23, minutes=30)).isoformat(),
    }
    assert words.reason(told) == "It waits. (for 1 min, ends by itself in 6 d 23 h at the latest)"
    assert words.reason({"text": "So.", "since": None, "deadline": None}) == "So."


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WINDLASS_TOKEN", raising=False)
    return tmp_path


def client_file(folder: Path, content: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "client.json").write_text(content)
    return folder


def test_the_data_folder_says_where_and_with_which_token(home: Path) -> None:
    client_file(home / ".windlass", json.dumps({"url": "http://a:1/", "token": "t"}))
    assert find(None, None) == Connection("http://a:1", "t", "http://a:1")


def test_the_token_of_the_data_folder_is_told_to_nobody_else(home: Path) -> None:
    folder = client_file(home / ".windlass", json.dumps({"url": "http://a:1/", "token": "t"}))
    assert find(folder, "http://a:1") == Connection("http://a:1", "t", "http://a:1")
    with pytest.raises(CommandFault, match="There is no token for http://b:2"):
        find(folder, "http://b:2")


def test_the_environment_overrules_the_token(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client_file(home / ".windlass", json.dumps({"url": "http://a:1", "token": "t"}))
    monkeypatch.setenv("WINDLASS_TOKEN", "mine")
    assert find(None, None) == Connection("http://a:1", "mine", "http://a:1")
    assert find(home / "none", "http://b:2") == Connection("http://b:2", "mine", "http://b:2")


def test_ingest_may_have_an_address_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDLASS_TOKEN", "mine")
    monkeypatch.setenv("WINDLASS_URL", "http://a:1/")
    monkeypatch.setenv("WINDLASS_INGEST_URL", "http://i:1/")
    assert find(None, "http://a:1/") == Connection("http://a:1", "mine", "http://i:1")
    # Another Windlass is named on the command line: what the environment says is not about that one.
    assert find(None, "http://b:2") == Connection("http://b:2", "mine", "http://b:2")


def test_what_ingest_serves_is_asked_there_and_all_else_is_not() -> None:
    api = Api(Connection("http://a:1", "t", "http://i:1"))
    with wired() as (_, services):
        routers = {each.name: each.router.routes for each in services if each.router}
    assert routers.keys() == {"ingest", "status"}
    for name, url in (("ingest", "http://i:1"), ("status", "http://a:1")):
        paths = {each.path for each in routers[name] if isinstance(each, APIRoute)}
        ours = {path.removeprefix("/api/v1") for path in paths if path.startswith("/api/v1/")}
        assert {path: api.url_of(path) for path in ours} == dict.fromkeys(ours, url)


def test_serve_knows_every_service() -> None:
    assert set(serve.SERVICES) == set(SERVICES)


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}"])
def test_without_a_file_one_is_told_how_to_start(home: Path, content: str | None) -> None:
    if content is not None:
        client_file(home / ".windlass", content)
    with pytest.raises(CommandFault) as fault:
        find(None, None)
    assert "windlass up" in fault.value.next
    assert fault.value.code == UNREACHABLE or content in {"", "{"}


@pytest.mark.parametrize("name", ["zz/../shop", "shop?x=1", "staging#frag", "a/b", "..", "\x07"])
def test_a_name_is_one_part_of_a_path_whatever_is_in_it(name: str) -> None:
    parts = route("pipelines", name).split("/")
    assert len(parts) == 3
    assert unquote(parts[2]) == name
    assert not set(parts[2]) & set("?#\x07")
