"""Two workers about one process, when one of them was taken for dead: both hear all, one process runs."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from shared.process import Exit, LocalProcesses, ProcessSpec
from shared.process.shim.bell import Bell as ShimBell
from tests.integration.process.conftest import Machine, until


@pytest.fixture
async def other(machine: Machine) -> AsyncIterator[Machine]:
    """Another worker on the same folders."""
    processes = LocalProcesses()
    yield Machine(processes, machine.root)
    processes.close()


@pytest.fixture
def _nobody_looks_unless_rung(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.process.processes.FALLBACK_SECONDS", 50.0)


@pytest.mark.usefixtures("_nobody_looks_unless_rung")
async def test_all_who_follow_hear_every_line_and_the_end(machine: Machine, other: Machine) -> None:
    os.mkfifo(machine.root / "gate")
    folder = await machine.start("for n in 1 2 3 4 5 6; do read line < gate; echo $line; done")
    gate = os.open(machine.root / "gate", os.O_RDWR)
    heard: list[str] = []

    async def follow(one: Machine, name: str) -> None:
        async for batch in one.processes.output(folder, 0):
            heard.extend(f"{name} {line.text}" for line in batch)

    everybody = [
        asyncio.create_task(follow(machine, "one")),
        asyncio.create_task(follow(other, "two")),
        asyncio.create_task(machine.ended(folder)),
        asyncio.create_task(other.ended(folder)),
    ]
    async with asyncio.timeout(40):
        for number in range(6):
            os.write(gate, b"%d\n" % number)
            await until(lambda: len(heard) == 2 * (number + 1))  # noqa: B023 - awaited before the next
        ends = await asyncio.gather(*everybody)
    os.close(gate)
    assert ends[2] == ends[3]
    assert list((folder / "bells").iterdir()) == []


@pytest.mark.usefixtures("_nobody_looks_unless_rung")
async def test_two_who_stop_it_at_once_both_hear_that_it_is_over(machine: Machine, other: Machine) -> None:
    folder = await machine.start("echo up; exec sleep 60")
    await machine.says(folder, "up")
    async with asyncio.timeout(18):  # unheard, they would wait for the grace and its margin, 20
        await asyncio.gather(machine.processes.stop(folder), other.processes.stop(folder))
        assert (await other.ended(folder)).reason == "stopped"


async def test_two_who_start_it_at_once_start_one(machine: Machine, other: Machine) -> None:
    names = [f"attempt-{number}" for number in range(8)]
    await asyncio.gather(
        *(one.start("echo ran >> effects", name=name) for name in names for one in (machine, other))
    )
    for name in names:
        assert (await other.ended(machine.root / name)).succeeded
    await until(lambda: not list(machine.root.glob("*/spec*")))  # who comes too late tidies up, too
    assert (machine.root / "effects").read_text() == "ran\n" * 8


async def test_what_a_killed_worker_half_wrote_of_its_order_is_not_kept(machine: Machine) -> None:
    folder = machine.root / "attempt"
    folder.mkdir()
    (folder / "spec.x1y2").write_text("env=TOKEN=opensesame")
    await machine.start("true")
    assert isinstance(await machine.processes.wait(folder), Exit)
    assert not list(folder.glob("spec*"))


async def test_the_bell_of_a_worker_that_was_killed_is_forgotten(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    bells = machine.root / "bells"
    bells.mkdir()
    os.mkfifo(bells / "dead")
    os.mkfifo(bells / "living")
    living = os.open(bells / "living", os.O_RDWR | os.O_NONBLOCK)
    monkeypatch.chdir(machine.root)
    ShimBell().ring()
    assert os.read(living, 10) == b"!"
    assert [bell.name for bell in bells.iterdir()] == ["living"]
    os.close(living)


async def test_a_process_is_started_where_no_bell_can_be_made(machine: Machine) -> None:
    folder = machine.root / "attempt"
    folder.mkdir()
    (folder / "bells").write_text("in the way")
    await machine.processes.start(folder, ProcessSpec(("true",), machine.root, {"PATH": "/usr/bin:/bin"}))
    assert (await machine.ended(folder)).succeeded
