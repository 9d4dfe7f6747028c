"""The shim that the server forks ahead: whatever becomes of it, the next folder gets a shim, and one only."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.integration.process.conftest import (
    Machine,
    alive,
    child_of,
    children_of,
    opened_by,
    pipes_of,
    server_of,
    shim_of,
    spare_of,
    until,
    warm,
)

RECORD = "echo ran >> effects"


async def test_the_spare_takes_the_next_folder_and_its_child_the_command(machine: Machine) -> None:
    server = await warm(machine)
    spare = await spare_of(server)
    waiting = children_of(spare)
    folder = await machine.start("echo up; exec sleep 60")
    await machine.says(folder, "up")
    assert shim_of(folder) == spare
    assert [child_of(folder)] == waiting
    assert await spare_of(server) != spare  # though none has ended


async def test_a_spare_that_was_killed_is_not_missed(machine: Machine) -> None:
    server = await warm(machine)
    spare = await spare_of(server)
    waiting = children_of(spare)
    os.kill(spare, signal.SIGKILL)
    await until(lambda: not any(map(alive, waiting)))
    assert (await machine.ended(await machine.start(RECORD))).succeeded
    assert server_of(machine.processes) == server
    assert (machine.root / "effects").read_text() == "ran\n"
    await until(lambda: not Path(f"/proc/{spare}").exists())


async def test_a_spare_that_dies_of_its_order_is_replaced(machine: Machine) -> None:
    server = await warm(machine)
    spare = await spare_of(server)
    telling = opened_by(spare)[0]
    os.kill(spare, signal.SIGSTOP)
    starting = asyncio.create_task(machine.start(RECORD))
    await until(lambda: telling not in pipes_of(server))  # it was told, and is on its own
    os.kill(spare, signal.SIGKILL)
    assert (await machine.ended(await starting)).succeeded
    assert (machine.root / "effects").read_text() == "ran\n"


async def test_a_spare_whose_child_was_killed_forks_another(machine: Machine) -> None:
    spare = await spare_of(await warm(machine))
    (waiting,) = children_of(spare)
    os.kill(waiting, signal.SIGKILL)
    await until(lambda: not alive(waiting))
    folder = await machine.start(RECORD)
    assert (await machine.ended(folder)).succeeded
    assert shim_of(folder) == spare
    assert child_of(folder) != waiting
    assert (machine.root / "effects").read_text() == "ran\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_spare_ends_with_its_server(machine: Machine, number: signal.Signals) -> None:
    server = await warm(machine)
    spare = await spare_of(server)
    waiting = children_of(spare)
    os.kill(server, number)
    await until(lambda: not any(map(alive, [spare, *waiting])))


async def test_a_spare_that_is_to_end_does(machine: Machine) -> None:
    spare = await spare_of(await warm(machine))
    waiting = children_of(spare)
    os.kill(spare, signal.SIGTERM)
    await until(lambda: not any(map(alive, [spare, *waiting])))


async def test_a_command_longer_than_any_pipe_is_told_whole(machine: Machine) -> None:
    await spare_of(await warm(machine))
    words = ("printf '%s' \"$@\" | wc -c", "sh", *["x" * 100_000] * 5)
    folder = await machine.start("", argv=("sh", "-c", *words))
    assert await machine.said(folder) == ["500000"]
