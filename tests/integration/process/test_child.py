"""What the child is given, and how it is ended."""

import os
import signal
from pathlib import Path

import pytest

from shared.faults import TryAgain
from shared.process import Absent, ProcessSpec
from tests.integration.process.conftest import Machine, alive, pid_in, until, written


async def test_a_child_has_just_the_environment_it_is_given(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_WORKER", "x")
    folder = await machine.start("", argv=("env",), env={"A": "one\ntwo", "UMLAUT": "ä=b"})
    assert await machine.said(folder) == ["PATH=/usr/bin:/bin", "A=one", "two", "UMLAUT=ä=b"]


async def test_a_child_has_no_open_files_but_its_three(machine: Machine) -> None:
    leaky = os.open(machine.root, os.O_RDONLY)
    os.set_inheritable(leaky, True)
    folder = await machine.start("", argv=("ls", "/proc/self/fd"))
    os.close(leaky)
    assert await machine.said(folder) == ["0", "1", "2", "3"]  # the last is how `ls` looks


async def test_a_child_that_reads_hears_nothing(machine: Machine) -> None:
    folder = await machine.start("", argv=("cat",))
    assert await machine.said(folder) == []
    assert (await machine.ended(folder)).succeeded


@pytest.mark.parametrize("ignored", [signal.SIGQUIT, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
async def test_a_child_handles_signals_as_any_program_does(machine: Machine, ignored: int) -> None:
    before = signal.signal(ignored, signal.SIG_IGN)  # as `nohup` and shells leave it
    folder = await machine.start("grep -E '^Sig(Ign|Blk)' /proc/self/status | cut -f2")
    signal.signal(ignored, before)
    masks = [int(mask, 16) for mask in await machine.said(folder)]
    assert [mask & 0x7FFFFFFF for mask in masks] == [0, 0]  # 32 and above are the C library's own


@pytest.mark.parametrize(
    ("argv", "cwd", "message"),
    [
        (("no-such-program",), "/", "cannot run 'no-such-program': No such file or directory"),
        (("/",), "/", "cannot run '/': Permission denied"),
        (("true",), "/no/such", "cannot enter '/no/such': No such file or directory"),
        (("true", "x" * 3_000_000), "/", "cannot run 'true': Argument list too long"),
    ],
    ids=["no program", "not a program", "no folder", "too many words"],
)
async def test_what_cannot_be_started_says_why(
    machine: Machine, argv: tuple[str, ...], cwd: str, message: str
) -> None:
    folder = await machine.start("", argv=argv, cwd=Path(cwd))
    outcome = await machine.ended(folder)
    assert (outcome.reason, outcome.code, outcome.message) == ("not_startable", None, message)
    assert await machine.said(folder) == [f"windlass: {message}"]


async def test_a_folder_that_cannot_be_made_is_a_matter_of_trying_again(machine: Machine) -> None:
    (machine.root / "file").touch()
    spec = ProcessSpec(("true",), machine.root, {})
    with pytest.raises(TryAgain):
        await machine.processes.start(machine.root / "file" / "attempt", spec)


async def test_a_shim_that_cannot_claim_is_a_matter_of_trying_again(machine: Machine) -> None:
    folder = machine.root / "attempt"
    (folder / "output").mkdir(parents=True)  # it cannot be opened as a file
    with pytest.raises(TryAgain):
        await machine.start("echo ran >> effects")
    assert machine.processes.observe(folder) == Absent()
    (folder / "output").rmdir()
    await machine.start("echo ran >> effects")
    assert (await machine.ended(folder)).succeeded
    assert (machine.root / "effects").read_text() == "ran\n"


async def test_a_child_that_dies_of_a_signal_says_which(machine: Machine) -> None:
    folder = await machine.start("kill -SEGV $$")
    outcome = await machine.ended(folder)
    assert (outcome.code, outcome.signal, outcome.reason) == (None, "SIGSEGV", "exited")


async def test_children_left_in_the_background_end_with_their_parent(machine: Machine) -> None:
    script = "for n in 1 2 3; do sleep 60 & echo $! > child$n; done"
    folder = await machine.start(script)
    assert (await machine.ended(folder)).succeeded
    children = [pid_in(machine.root / f"child{n}") for n in (1, 2, 3)]
    await until(lambda: not any(map(alive, children)))  # killed they are; the kernel takes its time


async def test_a_stopped_group_may_tidy_up_within_its_grace(machine: Machine) -> None:
    worker = "trap 'sleep 0.1; echo tidied; exit' TERM; echo up; while :; do sleep 0.01; done"
    folder = await machine.start(f'sh -c "{worker}"; true')
    await machine.says(folder, "up")
    await machine.processes.stop(folder)
    assert (await machine.said(folder))[-1] == "tidied"
    assert (await machine.ended(folder)).reason == "stopped"


async def test_what_ignores_sigterm_is_killed_when_its_grace_is_over(machine: Machine) -> None:
    script = "trap '' TERM; echo $$ > leader; while :; do sleep 0.05; done"
    folder = await machine.start(script, grace_seconds=0.3)
    await until(lambda: written(machine.root / "leader"))
    await machine.processes.stop(folder)
    outcome = await machine.ended(folder)
    assert (outcome.signal, outcome.reason) == ("SIGKILL", "stopped")
    assert not alive(pid_in(machine.root / "leader"))


async def test_what_exits_well_when_it_is_stopped_was_stopped_all_the_same(
    machine: Machine,
) -> None:
    script = "trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done"
    folder = await machine.start(script)
    await machine.says(folder, "up")
    await machine.processes.stop(folder)
    outcome = await machine.ended(folder)
    assert (outcome.code, outcome.reason, outcome.succeeded) == (0, "stopped", False)


async def test_a_suspended_child_can_be_stopped(machine: Machine) -> None:
    folder = await machine.start("echo up; kill -STOP $$")
    await machine.says(folder, "up")
    await machine.processes.stop(folder)
    assert (await machine.ended(folder)).signal == "SIGTERM"


async def test_a_time_limit_ends_what_never_ends(machine: Machine) -> None:
    folder = await machine.start("exec sleep 60", limit_seconds=0.2)
    outcome = await machine.ended(folder)
    assert (outcome.signal, outcome.reason) == ("SIGTERM", "limit")
    assert outcome.message == "its time limit passed; ended by signal 15"


async def test_a_file_may_not_grow_past_its_limit(machine: Machine) -> None:
    folder = await machine.start("head -c 100000 /dev/zero > big", file_bytes_max=1000)
    assert not (await machine.ended(folder)).succeeded
    assert (machine.root / "big").stat().st_size == 1000


async def test_open_files_are_limited_and_cores_are_never_dumped(machine: Machine) -> None:
    folder = await machine.start("ulimit -n; ulimit -c", open_files_max=64)
    assert await machine.said(folder) == ["64", "0"]


async def test_secrets_do_not_stay_on_the_disk(machine: Machine) -> None:
    folder = await machine.start("true", env={"TOKEN": "opensesame"})
    await machine.ended(folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not any(b"opensesame" in path.read_bytes() for path in files)
    assert folder.stat().st_mode & 0o077 == 0
    assert not (folder / "spec").exists()
