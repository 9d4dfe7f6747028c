"""Pushed repositories without a pipeline: the refusal says what lies there, and how to deploy it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.synthesizer import scanning
from shared.events import PushRefused
from shared.faults import Refused, TryAgain
from shared.git import GitMirrors
from shared.ids import Pipeline
from shared.language.check import check
from tests.integration.synthesizer.desk import PIPELINE, Desk

SERVER = b'import os\nfrom http.server import HTTPServer\nHTTPServer(("", int(os.environ["PORT"])), H)\n'


async def refusal(desk: Desk, files: dict[str, bytes], branch: str = "main") -> PushRefused:
    answer = await desk.answer(await desk.push(desk.repository.commit(files, branch=branch), branch))
    assert isinstance(answer, PushRefused)
    assert (answer.code, answer.evidence.phase if answer.evidence else "") == ("no_pipeline", "detect")
    return answer


def is_valid(proposal: str) -> bool:
    return check("p.yaml", proposal.encode()).is_valid


async def test_the_refusal_says_what_was_found_and_proposes_a_pipeline_for_it(desk: Desk) -> None:
    files = {"api/server.py": SERVER, "web/index.html": b"<p>hello", "README": b""}
    refused = await refusal(desk, files, branch="release")
    assert "defines no pipeline at this commit: add .windlass/<name>/pipeline.yaml; found " in refused.message
    assert "a Python server in /api (api/server.py) and a static site in /web" in refused.message
    assert "`windlass init` writes a pipeline for that" in refused.message
    assert is_valid(refused.proposal)
    assert "tracks: release" in refused.proposal
    assert "command: [python3, server.py]" in refused.proposal
    assert "file_path: /web" in refused.proposal


async def test_what_a_scan_asks_for_in_turn_is_read_in_turn(desk: Desk) -> None:
    package = {"scripts": {"start": "node src/main.js"}, "dependencies": {"express": "5"}}
    files = {
        "package.json": json.dumps({"workspaces": ["apps/*"]}).encode(),
        "package-lock.json": b"{}",
        "apps/api/package.json": json.dumps(package).encode(),
        "apps/api/src/main.js": b"app.listen(process.env.PORT)",
        "apps/api/src/checks.js": b"app.get('/healthz', f)",
    }
    refused = await refusal(desk, files)
    assert "a Node.js server in /apps/api" in refused.message
    assert "npm ci" in refused.proposal
    assert "path: /healthz" in refused.proposal


async def test_where_there_is_nothing_to_deploy_nothing_is_proposed(desk: Desk) -> None:
    refused = await refusal(desk, {"README": b"hello"})
    assert refused.message.endswith("add .windlass/<name>/pipeline.yaml")
    assert refused.proposal == ""


async def test_a_pipeline_that_is_nearly_one_is_blamed_and_nothing_else_is_looked_at(desk: Desk) -> None:
    refused = await refusal(desk, {".windlass/pipeline.yaml": PIPELINE, "index.html": b""})
    assert "the file must be in a folder of its own" in refused.message
    assert refused.proposal == ""


async def test_a_repository_with_a_pipeline_of_another_name_is_not_looked_over(desk: Desk) -> None:
    commit = desk.commit(index__html="hello")
    refused = await desk.answer(await desk.push(commit, pipeline=Pipeline("other"), trigger="manual"))
    assert "defines no pipeline other" in refused.message
    assert refused.proposal == ""


HOSTILE = {
    "names": {
        'a"b\n${{ x }}/index.html': b"",
        "é: [x/server.py": SERVER,
        "-rf/index.html": b"",
        "#/p.py": b"",
    },
    "broken": {
        "package.json": b'{"scripts": {"start": ',
        "api/package.json": b"\xff\xfe\x00",
        "server.py": SERVER,
    },
    "deep": {f"{'a/' * 60}package.json": b"{}", "index.html": b""},
    "lies": {"package.json": b'{"scripts": ["start"], "workspaces": {"a": {}}}', "Procfile": b"web"},
}


@pytest.mark.parametrize("files", HOSTILE.values(), ids=HOSTILE)
async def test_nothing_in_a_repository_makes_the_refusal_fail(desk: Desk, files: dict[str, bytes]) -> None:
    refused = await refusal(desk, files)
    assert refused.message.isprintable()
    assert not refused.proposal or is_valid(refused.proposal)
    planned = await desk.answer(await desk.push(desk.commit(src__n="2")))
    assert planned.revision == 1


async def test_of_a_large_repository_only_some_is_looked_at(desk: Desk) -> None:
    copy = desk.repository
    copy.stage("100644", b"hello", "index.html")
    blob = copy.git("hash-object", "-w", "--stdin")
    listed = "".join(f"100644 {blob}\td{n % 300}/f{n}.txt\n" for n in range(20_000))
    copy.git("update-index", "--index-info", given=listed.encode())
    refused = await desk.answer(await desk.push(copy.commit_staged()))
    assert "a static site in / (index.html)" in refused.message


async def test_a_proposal_that_is_too_large_is_left_out_with_a_note(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "PROPOSAL_BYTES_MAX", 1024)
    refused = await refusal(desk, {"index.html": b""})
    assert refused.proposal == ""
    assert "a static site in / (index.html)" in refused.message
    assert "its proposal is larger than 1 KiB and is not kept here" in refused.message


async def take_for_ever() -> None:
    await asyncio.Event().wait()


async def try_again() -> None:
    raise TryAgain("the mirror is being made anew")


async def refuse() -> None:
    raise Refused("the repository has a tree that ends too early")


@pytest.mark.parametrize("ending", [take_for_ever, try_again, refuse])
async def test_a_scan_that_fails_leaves_the_refusal_as_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, ending: Callable[[], Awaitable[None]]
) -> None:
    listed = GitMirrors.read_tree

    async def read_tree(mirrors: GitMirrors, *words: Any) -> Any:
        if words[2] == "web":
            await ending()
        return await listed(mirrors, *words)

    monkeypatch.setattr(GitMirrors, "read_tree", read_tree)
    monkeypatch.setattr(scanning, "SECONDS_MAX", 0.2)
    refused = await refusal(desk, {"web/index.html": b"", "README": b""})
    assert refused.proposal == ""
    assert refused.message.endswith("add .windlass/<name>/pipeline.yaml")
