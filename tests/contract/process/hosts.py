"""A host of either kind, and the programs that both kinds can run."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from shared.process import LocalProcesses, Processes, ProcessSpec
from shared.process.fakes import FakeProcess, FakeProcesses

PATH = "/usr/bin:/bin"


@dataclass(frozen=True)
class Program:
    """The same thing twice: as a shell script, and as a fake process does it."""

    script: str
    fake: Callable[[FakeProcess], None]


def _note(process: FakeProcess) -> None:
    with Path(process.spec.env["NOTES"]).open("a", encoding="utf-8") as notes:
        notes.write("ran\n")


def _fail(process: FakeProcess) -> None:
    process.say("one", "two")
    process.exit(3)


def _note_and_exit(process: FakeProcess) -> None:
    _note(process)
    process.exit(0)


def _count(process: FakeProcess) -> None:
    process.say(*(str(number) for number in range(5000)))
    process.exit(0)


PROGRAMS = {
    "fail": Program("echo one; echo two; exit 3", _fail),
    "note": Program('echo ran >> "$NOTES"', _note_and_exit),
    "count": Program("seq 0 4999", _count),
    "run on": Program("echo ready; exec sleep 60", lambda process: process.say("ready")),
    "wait": Program('echo ready; read word < "$GATE"; echo "$word"', lambda p: p.say("ready")),
}


class Host(Protocol):
    """Where processes run, seen by a test."""

    processes: Processes
    root: Path

    def let_end(self, folder: Path) -> None:
        """Let a program that waits say "done" and exit with 0."""
        ...

    def take_down(self, folder: Path) -> None:
        """End what runs there so that nobody can say how, as when a host loses power."""
        ...


def spec(host: Host, program: str, **options: Any) -> ProcessSpec:
    """Return how to run one of PROGRAMS."""
    env = {"PATH": PATH, "NOTES": str(host.root / "notes"), "GATE": str(host.root / "gate")}
    return ProcessSpec(("sh", "-c", PROGRAMS[program].script), host.root, env, **options)


class LocalHost:
    def __init__(self, root: Path) -> None:
        self.local = LocalProcesses()
        self.processes: Processes = self.local
        self.root = root
        os.mkfifo(root / "gate")
        self._gate = os.open(root / "gate", os.O_RDWR)  # neither end waits for the other

    def let_end(self, folder: Path) -> None:
        os.write(self._gate, b"done\n")

    def take_down(self, folder: Path) -> None:
        os.kill(int((folder / "pid").read_text().split()[0]), signal.SIGKILL)

    async def close(self) -> None:
        for claim in self.root.glob("*/claimed"):
            await self.processes.stop(claim.parent)
        self.local.close()
        os.close(self._gate)


class FakeHost:
    def __init__(self, root: Path, fake: FakeProcesses) -> None:
        self.fake = fake
        self.processes: Processes = fake
        self.root = root
        fake.program = self._run

    def let_end(self, folder: Path) -> None:
        process = self.fake.processes[folder]
        process.say("done")
        process.exit(0)

    def take_down(self, folder: Path) -> None:
        self.fake.processes[folder].lose()

    def _run(self, process: FakeProcess) -> None:
        scripts = {program.script: program.fake for program in PROGRAMS.values()}
        scripts[process.spec.argv[-1]](process)
