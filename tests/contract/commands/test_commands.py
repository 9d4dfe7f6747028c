"""Commands beside a service: what the real ones and the fake do, and what only a machine does."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.verifier.adapters.commands import Commands
from services.verifier.adapters.fakes import FakeCommands
from services.verifier.adapters.local_commands import OUTPUT_CHARACTERS_TOLD, LocalCommands
from services.verifier.probe import Command, Outcome
from shared.clock import SystemClock
from shared.faults import TryAgain
from shared.process import LocalProcesses, ProcessSpec
from shared.process.fakes import FakeProcesses, run_on
from tests.integration.process.conftest import alive, until

PATH = "/usr/bin:/bin"
URL = "http://127.0.0.1:9000"


@dataclass(frozen=True)
class Bench:
    """The commands of this machine, and where they run."""

    commands: LocalCommands
    files: Path
    data: Path

    def command(self, *argv: str, seconds: float = 20.0) -> Command:
        return Command(argv, self.files, {"URL": URL, "RELEASE": "4f4f"}, seconds)

    async def sh(self, script: str, seconds: float = 20.0) -> Outcome:
        return await self.commands.run(self.command("sh", "-c", script, seconds=seconds))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    files, data = tmp_path / "files", tmp_path / "data"
    files.mkdir()
    processes = LocalProcesses()
    yield Bench(LocalCommands(processes, data, PATH, SystemClock()), files, data)
    processes.close()


@pytest.mark.parametrize("kind", ["local", "fake"])
async def test_a_command_is_content_when_it_ends_with_zero(bench: Bench, kind: str) -> None:
    bad = Outcome(0.0, content=False, problem="exited with 1")
    fake = FakeCommands({"false": bad})
    commands: Commands = bench.commands if kind == "local" else fake
    good = await commands.run(bench.command("true"))
    assert (good.content, good.problem, good.unable) == (True, "", "")
    said_no = await commands.run(bench.command("false"))
    assert (said_no.content, said_no.problem, said_no.unable) == (False, "exited with 1", "")


async def test_what_it_said_last_is_told_bounded(bench: Bench) -> None:
    outcome = await bench.sh("yes | head -c 10000000; echo; echo the cart is empty >&2; exit 7")
    assert (outcome.content, outcome.problem) == (False, "exited with 7")
    assert len(outcome.said) <= OUTPUT_CHARACTERS_TOLD
    quiet = await bench.sh("echo fine; echo the cart is empty >&2; exit 7")
    assert quiet.said == "fine\nthe cart is empty"


async def test_it_sees_a_clean_environment_and_the_artifact(bench: Bench) -> None:
    (bench.files / "smoke").touch()
    outcome = await bench.sh('env | sort; ls; test -d "$HOME" && test -z "$(ls -A "$HOME")" && cat')
    lines = outcome.said.splitlines()
    home = next(line for line in lines if line.startswith("HOME="))
    assert outcome.content, "its input is at an end"
    assert home.startswith(f"HOME={bench.data}")
    assert [
        line for line in lines if line.partition("=")[0] not in {"HOME", "PWD", "OLDPWD", "SHLVL", "_"}
    ] == [
        "LANG=C.UTF-8",
        f"PATH={PATH}",
        "RELEASE=4f4f",
        f"URL={URL}",
        "smoke",
    ]


async def test_nothing_is_left_of_it(bench: Bench) -> None:
    await bench.sh('touch "$HOME/x"; mkdir -p "$HOME/a/b"')
    assert list(bench.data.iterdir()) == []


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        pytest.param(
            ("/nowhere/x",),
            "could not be started: cannot run '/nowhere/x': No such file or directory",
            id="no program",
        ),
        pytest.param(("",), "a process needs a program to run, and none is named", id="nothing"),
        pytest.param(
            ("echo", "a\0b"),
            "an argument or a variable contains a NUL, which no program can be given",
            id="a NUL",
        ),
    ],
)
async def test_one_that_cannot_be_run_says_so(bench: Bench, argv: tuple[str, ...], problem: str) -> None:
    outcome = await bench.commands.run(bench.command(*argv))
    assert (outcome.content, outcome.problem, outcome.unable) == (False, problem, "")
    assert list(bench.data.iterdir()) == []


async def test_where_the_artifact_is_not_nothing_is_run(bench: Bench) -> None:
    elsewhere = Command(("true",), bench.files / "not here", {}, 5.0)
    outcome = await bench.commands.run(elsewhere)
    assert outcome.unable.startswith("commands are run on the machine that the release is deployed to")


async def test_at_its_time_limit_it_is_ended_with_all_that_it_started(bench: Bench) -> None:
    script = "sleep 60 & echo $! > sleeper; trap '' TERM; echo $$ > leader; wait; wait; sleep 60"
    outcome = await bench.sh(script, seconds=0.5)
    assert (outcome.content, outcome.problem) == (False, "did not end within 0.5 s")
    assert not any(lives(bench.files / name) for name in ("sleeper", "leader"))


async def test_it_is_ended_with_whoever_asked(bench: Bench) -> None:
    asking = asyncio.ensure_future(bench.sh("echo $$ > leader; exec sleep 60"))
    await until(lambda: lives(bench.files / "leader"))
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    assert asking.cancelled()
    assert not lives(bench.files / "leader")
    assert list(bench.data.iterdir()) == []


async def test_a_signal_that_ended_it_is_told(bench: Bench) -> None:
    assert (await bench.sh("kill -SEGV $$")).problem == "was ended by SIGSEGV"


async def test_what_a_killed_life_left_is_ended_and_removed(bench: Bench) -> None:
    left = bench.data / "command-1"
    (left / "home").mkdir(parents=True)
    (left / "home" / "much").touch()
    spec = ProcessSpec(("sh", "-c", "echo $$ > leader; exec sleep 60"), bench.files, {"PATH": PATH})
    await bench.commands.processes.start(left / "process", spec)
    await until(lambda: lives(bench.files / "leader"))
    (bench.data / "command-2").mkdir()
    (bench.data / "command-3").touch()
    (bench.data / "notes").mkdir()
    await bench.commands.end_leftovers()
    assert not lives(bench.files / "leader")
    assert [each.name for each in bench.data.iterdir() if each.is_dir()] == ["notes"]


async def test_where_nothing_was_left_nothing_is_to_be_ended(bench: Bench) -> None:
    await bench.commands.end_leftovers()
    assert (await bench.sh("true")).content


async def test_a_folder_that_nobody_could_remove_is_passed_over(bench: Bench) -> None:
    (bench.data / "command-1" / "process" / "claimed").mkdir(parents=True)
    outcome = await bench.sh("echo $HOME")
    assert outcome.said == str(bench.data / "command-2" / "home")
    assert (await bench.sh("echo $HOME")).said == str(bench.data / "command-3" / "home")


class Stubborn(FakeProcesses):
    """Processes that are ended only once they may be, or not at all."""

    def __init__(self, fault: Exception | None = None) -> None:
        super().__init__(SystemClock(), run_on)
        self.fault = fault
        self.may_end = asyncio.Event()
        self.asked = asyncio.Event()

    async def stop(self, folder: Path) -> None:
        self.asked.set()
        await self.may_end.wait()
        if self.fault:
            raise self.fault
        await super().stop(folder)


@pytest.mark.parametrize("fault", [None, TryAgain("no room"), PermissionError("not yours")], ids=repr)
async def test_it_is_cleaned_up_after_however_often_it_is_called_off_and_whatever_fails(
    bench: Bench, fault: Exception | None
) -> None:
    processes = Stubborn(fault)
    commands = LocalCommands(processes, bench.data, PATH, SystemClock())
    asking = asyncio.ensure_future(commands.run(bench.command("true")))
    await until(lambda: bool(processes.processes))
    asking.cancel()
    await processes.asked.wait()
    asking.cancel()
    await asyncio.sleep(0)
    assert not asking.done(), "it waits for the end"
    processes.may_end.set()
    with suppress(asyncio.CancelledError):
        await asking
    assert asking.cancelled()
    assert list(bench.data.iterdir()) == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("steps", range(12))
async def test_called_off_at_any_step_it_leaves_nothing_and_knows_it(bench: Bench, steps: int) -> None:
    commands = LocalCommands(FakeProcesses(SystemClock()), bench.data, PATH, SystemClock())
    asking = asyncio.ensure_future(commands.run(bench.command("true")))
    for _ in range(steps):
        await asyncio.sleep(0)
    called_off = asking.cancel()
    await asyncio.wait({asking})
    assert asking.cancelled() is called_off
    assert not bench.data.exists() or list(bench.data.iterdir()) == []


def lives(noted: Path) -> bool:
    """Tell whether the process whose number was noted there lives; one that nobody reaped yet does not."""
    with suppress(FileNotFoundError, ValueError):
        return alive(int(noted.read_text()))
    return False
