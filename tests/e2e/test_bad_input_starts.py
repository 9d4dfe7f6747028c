"""What a wrong start or a wrong command line gets: a sentence with a way out, an exit code, no harm."""

import asyncio
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from tests.contract.git.repository import new_repository
from tests.e2e.program import WINDLASS
from tests.e2e.quay import Quay, problem_of
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

Ended = subprocess.CompletedProcess[str]


def windlass(folder: Path, *words: str, **environ: str) -> Ended:
    """Run the command line with nothing of ours in its environment."""
    folder.mkdir(exist_ok=True)
    return subprocess.run(
        [WINDLASS, *words],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environ},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def side_by_side(folder: Path, *commands: Sequence[str]) -> list[Ended]:
    """Run several command lines at once, each in a home of its own: two starts in one are refused as such."""
    homes = (folder / f"home-{number}" for number in range(len(commands)))
    return await asyncio.gather(
        *(asyncio.to_thread(windlass, home, *words) for home, words in zip(homes, commands, strict=True))
    )


def is_told(ended: Ended, code: int, *phrases: str) -> bool:
    """Tell whether it ended with that code and a short sentence for people."""
    said = " ".join(ended.stderr.split())
    clear = "Traceback" not in said and 0 < len(said) < 1_500 and not ended.stdout
    return ended.returncode == code and clear and all(phrase in said for phrase in phrases)


async def test_a_second_start_on_the_same_folder_is_refused_by_the_first_ones_name(quay: Quay) -> None:
    words = ("up", "--data", str(quay.program.data), "--port", str(free_port()))

    ended = await asyncio.to_thread(windlass, quay.program.folder, *words)

    assert is_told(ended, 1, f"process {quay.program.pid}", "Stop it first", "--data"), ended


async def test_a_port_that_is_taken_is_named_with_the_way_out(quay: Quay, tmp_path: Path) -> None:
    words = ("up", "--data", str(tmp_path / "data"), "--port", str(quay.program.port))

    ended = await asyncio.to_thread(windlass, tmp_path, *words)

    assert is_told(ended, 1, f"port {quay.program.port}", "--port"), ended


async def test_what_cannot_be_started_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    (tmp_path / "garbage").mkdir()
    (tmp_path / "garbage" / "windlass.db").write_bytes(b"this was no database" * 1_000)
    free = str(free_port())
    cases = {
        "a port beyond all ports": (("--port", "99999"), "65535"),
        "a port that is no number": (("--port", "http"), "--port"),
        "a host that is nowhere": (("--host", "x" * 300, "--port", free), "is not an address"),
        "a host of another machine": (("--host", "192.0.2.1", "--port", free), "192.0.2.1"),
        "a folder that is a file": (("--data", str(tmp_path / "file"), "--port", free), "file"),
        "a folder that cannot be": (("--data", "/proc/windlass", "--port", free), "/proc/windlass"),
        "a database that is none": (("--data", str(tmp_path / "garbage"), "--port", free), "not a database"),
    }

    ended = await side_by_side(tmp_path, *(["up", *words] for words, _ in cases.values()))

    for (name, (_, phrase)), each in zip(cases.items(), ended, strict=True):
        assert each.returncode in {1, 2}, (name, each)
        assert is_told(each, each.returncode, phrase), (name, each)


async def test_settings_that_make_no_sense_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    (tmp_path / "file" / "windlass.toml").write_text("port = [", "utf-8")
    words = ("up", "--data", str(tmp_path / "data"))
    by_variable, by_slots, by_file = await asyncio.gather(
        asyncio.to_thread(windlass, tmp_path / "variable", *words, WINDLASS_PORT="http"),
        asyncio.to_thread(
            windlass, tmp_path / "slots", *words, WINDLASS_PORT="0", WINDLASS_BUILDER_SLOTS="0"
        ),
        asyncio.to_thread(windlass, tmp_path / "file", *words),
    )

    assert is_told(by_variable, 1, "port"), by_variable
    assert is_told(by_slots, 1, "builder_slots"), by_slots
    assert is_told(by_file, 1, "windlass.toml"), by_file


async def test_a_command_line_that_is_wrong_is_told_how_it_goes(tmp_path: Path) -> None:
    wrong = [
        ["deply"],
        ["repo", "ad"],
        ["--frobnicate"],
        ["up", "--prot", "8400"],
        ["repo", "add"],
        ["repo", "add", "a", "b"],
        ["repo", "list", "--json=yes"],
    ]

    for ended in await side_by_side(tmp_path, *wrong):
        assert is_told(ended, 2), ended


COMMANDS = [
    ["repo", "list"],
    ["repo", "add", "https://example.test/a/b.git"],
    ["status"],
    ["deploy", "shop"],
    ["logs", "shop"],
    ["why", "shop", "live"],
    ["cancel", "shop", "live", "--reason", "no"],
]


async def test_every_command_says_how_to_start_a_windlass_where_none_has_run(tmp_path: Path) -> None:
    ended = await side_by_side(tmp_path, *COMMANDS)

    for words, each in zip(COMMANDS, ended, strict=True):
        assert is_told(each, 3, "windlass up"), (words, each)


async def test_every_command_says_how_to_start_a_windlass_that_has_ended(tmp_path: Path) -> None:
    _client_file(tmp_path, f"http://127.0.0.1:{free_port()}")
    data = ["--data", str(tmp_path)]

    for each in await side_by_side(tmp_path, *([*words, *data] for words in COMMANDS[1:4])):
        assert is_told(each, 3, "No Windlass answers", "windlass up"), each


async def test_something_else_in_the_place_of_windlass_is_not_believed(tmp_path: Path) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answers.pop())
        writer.close()

    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
    answers = [b"", head % 5 + b"<html", head % 4 + b"null", head % 900]
    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    _client_file(tmp_path, f"http://127.0.0.1:{port}")
    async with server:
        while answers:
            what = answers[-1]
            ended = await asyncio.to_thread(windlass, tmp_path, "repo", "list", "--data", str(tmp_path))
            assert ended.returncode in {1, 3}, (what, ended)
            assert is_told(ended, ended.returncode, str(port)), (what, ended)


async def test_a_client_file_that_is_broken_ends_nothing_with_a_traceback(tmp_path: Path) -> None:
    folders = []
    for number, content in enumerate(["", "[]", '{"url": 7}', '{"url": "no url"}', '{"url": "http://["}']):
        folders.append(tmp_path / str(number))
        folders[-1].mkdir()
        (folders[-1] / "client.json").write_text(content, "utf-8")

    for ended in await side_by_side(tmp_path, *(["repo", "list", "--data", str(each)] for each in folders)):
        assert ended.returncode in {1, 3}, ended
        assert is_told(ended, ended.returncode, "windlass up"), ended


async def test_a_token_that_is_not_known_is_refused_with_the_way_out(quay: Quay, tmp_path: Path) -> None:
    _client_file(tmp_path, quay.program.url, token="guessed")

    ended = await asyncio.to_thread(windlass, tmp_path, "repo", "list", "--data", str(tmp_path))

    assert is_told(ended, 1, "valid token"), ended


def _client_file(folder: Path, url: str, token: str = "t") -> None:
    (folder / "client.json").write_text(json.dumps({"url": url, "token": token}), "utf-8")


async def test_what_is_no_repository_is_refused_and_starts_nothing(quay: Quay) -> None:
    folder = quay.program.folder
    canary = folder / "canary"
    (folder / "empty").mkdir()
    (folder / "plain").write_text("a file", "utf-8")
    nonsense = [
        str(folder / "empty"),
        str(folder / "plain"),
        "relative/path",
        f"ext::touch% {canary}",
        f"fd::7/{canary}",
        f"--upload-pack=touch {canary}",
        f"ssh://-oProxyCommand=touch${{IFS}}{canary}/x",
        f"-oProxyCommand=touch{canary}:x",
        "https://user:password@example.test/a.git",
        "https://",
        "https://[::1/x",
        "ftp://example.test/a.git",
        "javascript:alert(1)",
        "",
        "x" * 5_000,
        "/" + "x" * 5_000,
        "\x1b[31mred",
        "/nul\0",
        7,
        None,
    ]
    before = (await quay.get("repositories"))["repositories"]

    for remote in nonsense:
        answer = await quay.operator.post("/api/v1/repositories", json={"remote": remote})
        assert answer.status_code == httpx.codes.BAD_REQUEST, (remote, answer.text)
        problem_of(answer)
        assert "user:password" not in answer.text
        assert len(answer.content) < 5_000

    assert (await quay.get("repositories"))["repositories"] == before
    assert not canary.exists()


async def test_the_command_line_says_why_something_is_no_repository(quay: Quay) -> None:
    folder = quay.program.folder
    data = ("--data", str(quay.program.data))
    cases = {
        str(folder / "nowhere"): "does not exist",
        f"ext::sh -c 'touch {folder / 'canary'}'": "is not a remote that Windlass reads from",
        "https://example.test/a.git\nX-Injected: 1": "control characters",
        "\x1b[31mred": "control characters",
    }

    for remote, phrase in cases.items():
        ended = await asyncio.to_thread(windlass, folder, "repo", "add", *data, "--", remote)
        assert is_told(ended, 1, phrase), (remote, ended)
        assert "\x1b" not in ended.stderr


async def test_names_and_branches_that_make_no_sense_are_refused(quay: Quay) -> None:
    remote = quay.neighbour.tenant.copy.folder
    other = remote.with_name("other")
    new_repository(other)
    for wrong in ({"name": "../up"}, {"name": "a b"}, {"branch": "--x"}, {"branch": "a..b"}):
        answer = await quay.operator.post("/api/v1/repositories", json={"remote": str(other), **wrong})
        assert answer.status_code == httpx.codes.BAD_REQUEST, (wrong, answer.text)
        assert "is not a name" in problem_of(answer)["detail"]

    taken = await asyncio.to_thread(quay.program.cli, "repo", "add", str(other), "--name", "neighbour")
    again = await asyncio.to_thread(quay.program.cli, "repo", "add", str(remote))

    assert is_told(taken, 1, "Another repository is called neighbour"), taken
    assert is_told(again, 1, "registered already", "--rotate"), again
