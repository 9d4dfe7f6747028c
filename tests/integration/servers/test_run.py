"""What a test run starts is started once, and ends with it, however the run ends."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.servers import run

PROGRAM = """
import subprocess, time
from tests.servers import run

sleeper = subprocess.Popen(["sleep", "300"], start_new_session=True)
run.note_process(sleeper.pid)
print(run.begin(), sleeper.pid, flush=True)
{then}
"""
SECONDS_MAX = 40.0


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "300"]) as process:
        yield process
        process.kill()


def started(then: str) -> tuple[subprocess.Popen[str], Path, int]:
    """Start a program with a run of its own, that notes a process and then does as told."""
    environment = {name: value for name, value in os.environ.items() if name != run.VARIABLE}
    command = [sys.executable, "-c", PROGRAM.format(then=then)]
    program = subprocess.Popen(command, cwd=run.ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert program.stdout
    folder, pid = program.stdout.readline().split()
    return program, Path(folder), int(pid)


def until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def ended(pid: int) -> bool:
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(") ")[2].startswith(("Z", "X"))
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_what_was_noted_ends_with_the_program() -> None:
    program, folder, pid = started("")
    with program:
        assert program.wait(SECONDS_MAX) == 0
    assert ended(pid)
    assert not folder.exists()


def test_what_was_noted_ends_though_the_program_was_killed() -> None:
    program, folder, pid = started("time.sleep(300)")
    with program:
        assert not ended(pid)
        program.send_signal(signal.SIGKILL)
    assert until(lambda: ended(pid))
    assert until(lambda: not folder.exists())


def test_a_process_that_has_got_a_noted_id_is_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    note = tmp_path / "run" / "processes" / str(sleeper.pid)
    note.parent.mkdir(parents=True)
    note.write_text(f"{signal.SIGKILL:d} 1")
    run.clear(tmp_path / "run")
    assert sleeper.poll() is None
    assert not note.exists()


def test_a_process_that_will_not_end_is_killed(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    note = tmp_path / "run" / "processes" / str(sleeper.pid)
    note.parent.mkdir(parents=True)
    run.note_process(sleeper.pid, signal.SIGCONT)  # which does not end it
    (run.begin() / "processes" / str(sleeper.pid)).rename(note)
    run.clear(tmp_path / "run", seconds=0.1)
    assert sleeper.wait(SECONDS_MAX) == -signal.SIGKILL


def test_several_who_need_it_at_once_start_it_once() -> None:
    name, starts = f"t{secrets.token_hex(4)}", []

    def start() -> run.Facts:
        starts.append(1)
        time.sleep(0.05)  # for the others to arrive
        return {"address": "here"}

    with ThreadPoolExecutor(4) as beside:
        answers = list(beside.map(lambda _: run.once(name, start), range(4)))
    assert (len(starts), answers) == (1, [{"address": "here"}] * 4)


def test_a_failure_is_had_once_and_told_to_all() -> None:
    name, starts = f"t{secrets.token_hex(4)}", []

    def start() -> run.Facts:
        starts.append(1)
        raise run.NoServer("install it")

    for _ in range(2):
        with pytest.raises(run.NoServer, match="install it"):
            run.once(name, start)
    assert len(starts) == 1
