"""Programs that are run to their end."""

import asyncio
import os
from pathlib import Path

import pytest

from benchmarks.parties.party import until
from benchmarks.parties.processes import PROC
from benchmarks.parties.ran import ran
from benchmarks.suite import Unavailable

ENVIRON = {"PATH": os.environ["PATH"]}


async def test_what_a_program_says_is_returned() -> None:
    assert await ran(("echo", "so"), ENVIRON) == b"so\n"


async def test_a_failure_is_told_in_the_programs_own_last_words() -> None:
    with pytest.raises(Unavailable, match="failed: no room"):
        await ran(("sh", "-c", "echo no room >&2; exit 3"), ENVIRON)


async def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(Unavailable, match="no-such-program: No such file"):
        await ran(("no-such-program",), ENVIRON)


async def test_a_program_that_takes_too_long_is_ended() -> None:
    with pytest.raises(Unavailable, match="did not end within"):
        await ran(("sleep", "60"), ENVIRON, 0.05)


async def test_a_program_does_not_outlive_whoever_asked_for_it(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    asked = asyncio.create_task(ran(("sh", "-c", f"echo $$ > {file}; exec sleep 60"), ENVIRON))
    await until(lambda: file.exists() and file.read_text().endswith("\n"), "its beginning", 10)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not (PROC / file.read_text().strip()).exists()
