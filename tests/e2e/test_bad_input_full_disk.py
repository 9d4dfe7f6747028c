"""A disk that is full: nothing is acknowledged that is not kept, and with room everything goes on."""

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.e2e.program import WINDLASS, Program
from tests.e2e.quay import MEBIBYTE, Document, Quay, memory, problem_of, push_body
from tests.e2e.small_disk import SmallDisk, small_disk
from tests.ports import free_port

BATCH = 5  # deliveries at once
REFUSED_MIN = 100  # by then the log has met the full disk too
ROOM_BYTES = 512 * 1024  # for a few pushes and what follows from them
PUSHES_MAX = 1_000  # until one must be refused
RECOVERY_SECONDS_MAX = 90.0  # from room on the disk to the last answer that is owed: ends a test that hangs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    """Give a small disk."""
    with small_disk(tmp_path_factory.mktemp("disk")) as disk:
        yield disk


@pytest.fixture(scope="module")
def aboard(disk: SmallDisk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quay]:
    """Give an installation on the small disk, with a healthy repository that lies elsewhere."""
    quay = Quay(Program(disk.folder, free_port()), ashore=tmp_path_factory.mktemp("ashore"))
    try:
        asyncio.run(quay.moor())
        yield quay
    finally:
        disk.clear()
        asyncio.run(quay.program.clear())


async def delivered(quay: Quay, commit: str) -> httpx.Response:
    """Deliver a push to a repository; its delivery id is its commit."""
    return await quay.neighbour.tenant.deliver(push_body(commit), headers={"X-GitHub-Delivery": commit})


async def test_what_does_not_fit_is_never_acknowledged_and_what_was_is_answered(
    aboard: Quay, disk: SmallDisk
) -> None:
    answers: dict[str, httpx.Response] = {}
    async with aboard.at_hand():
        disk.fill(aboard.program, but=ROOM_BYTES)
        while len(answers) < PUSHES_MAX and sum(each.is_error for each in answers.values()) < REFUSED_MIN:
            commits = [f"{len(answers) + number:040x}" for number in range(1, BATCH + 1)]
            told = await asyncio.gather(*(delivered(aboard, commit) for commit in commits))
            answers |= zip(commits, told, strict=True)

        taken = {commit: answer for commit, answer in answers.items() if answer.status_code == 202}
        refused = [commit for commit in answers if commit not in taken]
        assert refused
        for commit in refused:
            problem_of(answers[commit])
            assert (answers[commit].status_code, "retry-after" in answers[commit].headers) == (503, True)
        assert (await aboard.get("pipelines/site"))["newest_revision"] == aboard.neighbour.deployed
        disk.clear()

        became = [await _answer_to(aboard, answer) for answer in taken.values()]
        assert {push["refused_code"] for push in became} == {"commit_unreachable"}
        again = [await delivered(aboard, commit) for commit in refused]
        assert {answer.status_code for answer in again} == {202}
        assert {answer.json()["result"] for answer in again} == {"accepted"}
        await aboard.neighbour.deploys(RECOVERY_SECONDS_MAX)
        await _unharmed(aboard)
        assert "lines.lost" in aboard.program.log or not disk.holds_the_log


async def _answer_to(quay: Quay, answer: httpx.Response) -> Document:
    return await quay.answer_to(answer.json()["push"], RECOVERY_SECONDS_MAX)


async def _unharmed(quay: Quay) -> None:
    assert (await quay.get("dead-letters"))["dead_letters"] == []
    assert "Traceback" not in quay.program.log
    assert memory(quay.program.pid) < 250 * MEBIBYTE
    with closing(sqlite3.connect(f"file:{quay.program.data}/windlass.db?mode=ro", uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_a_deployment_that_meets_a_full_disk_is_finished_when_there_is_room(
    aboard: Quay, disk: SmallDisk
) -> None:
    async with aboard.at_hand():
        await aboard.neighbour.pushes()  # first: with no room it would be refused, and rightly
        await asyncio.sleep(0.1)  # somewhere in the middle: each run of this test finds its own place
        disk.fill(aboard.program)
        await asyncio.sleep(1.5)
        disk.clear()

        await aboard.neighbour.shows(RECOVERY_SECONDS_MAX)
        revision = aboard.neighbour.deployed
        assert (await aboard.outcome("site", revision, RECOVERY_SECONDS_MAX))["state"] == "Succeeded"
        await _unharmed(aboard)


async def test_operators_are_told_of_a_full_disk_too(aboard: Quay, disk: SmallDisk) -> None:
    async with aboard.at_hand():
        disk.fill(aboard.program)
        try:
            asked = await _until_refused(aboard)
        finally:
            disk.clear()
        problem_of(asked)
        assert (asked.status_code, "retry-after" in asked.headers) == (503, True)
        await aboard.neighbour.deploys(RECOVERY_SECONDS_MAX)
        await _unharmed(aboard)


async def _until_refused(quay: Quay) -> httpx.Response:
    while True:
        answer = await quay.operator.post("/api/v1/pipelines/site/deploy", json={"reason": "r" * 500})
        if answer.is_error:
            return answer


async def test_a_start_on_a_full_disk_says_so_and_the_next_one_goes_on(
    aboard: Quay, disk: SmallDisk, tmp_path: Path
) -> None:
    assert await aboard.program.end() == 0
    disk.fill(aboard.program)
    try:
        ended = [await _start(data, tmp_path) for data in (aboard.program.data, disk.folder / "another")]
    finally:
        disk.clear()

    assert [(each.returncode, "cannot" in each.stderr) for each in ended] == [(1, True)] * 2, ended
    assert not any("Traceback" in each.stderr for each in ended), ended
    await aboard.program.start()
    async with aboard.at_hand():
        await aboard.neighbour.deploys(RECOVERY_SECONDS_MAX)
        await _unharmed(aboard)


async def _start(data: Path, home: Path) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(_run, home, "up", "--data", str(data), "--port", str(free_port()))


def _run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(home)}
    return subprocess.run(
        [WINDLASS, *words], env=environ, capture_output=True, text=True, timeout=120, check=False
    )
