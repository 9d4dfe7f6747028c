"""The shim itself is killed, suspended or robbed of its folder: nothing goes on unseen."""

import asyncio
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from shared.faults import TryAgain
from shared.process import Lost, Running
from tests.integration.process.conftest import (
    Machine,
    alive,
    end,
    pid_in,
    refuse_outcome,
    server_of,
    shim_of,
    spare_of,
    until,
    written,
)


async def test_what_a_killed_shim_ran_is_ended_before_it_is_called_lost(machine: Machine) -> None:
    script = "sleep 60 & echo $! > sleeper; trap '' TERM; echo $$ > leader; wait"
    folder = await machine.start(script)
    await until(lambda: written(machine.root / "leader"))
    pids = [pid_in(machine.root / "sleeper"), pid_in(machine.root / "leader")]
    os.kill(shim_of(folder), signal.SIGKILL)
    assert await machine.processes.wait(folder) == Lost()
    assert not any(alive(pid) for pid in pids)


async def test_what_a_killed_shim_ran_counts_as_running_until_it_is_ended(machine: Machine) -> None:
    folder = await machine.start("echo $$ > leader; exec sleep 60")
    await until(lambda: written(machine.root / "leader"))
    shim = shim_of(folder)
    os.kill(shim, signal.SIGKILL)
    await until(lambda: not alive(shim))
    assert machine.processes.observe(folder) == Running()
    await machine.processes.stop(folder)
    assert machine.processes.observe(folder) == Lost()
    assert not alive(pid_in(machine.root / "leader"))


async def test_a_child_that_kills_its_shim_gains_nothing(machine: Machine) -> None:
    folder = await machine.start("echo $$ > leader; kill -9 $PPID; exec sleep 60")
    assert await machine.processes.wait(folder) == Lost()
    assert not alive(pid_in(machine.root / "leader"))


async def test_a_child_that_suspends_its_shim_can_still_be_stopped(machine: Machine) -> None:
    folder = await machine.start("kill -STOP $PPID; echo $$ > leader; exec sleep 60")
    await until(lambda: written(machine.root / "leader"))
    await machine.processes.stop(folder)
    assert (await machine.ended(folder)).reason == "stopped"
    assert not alive(pid_in(machine.root / "leader"))


async def test_a_number_that_went_to_another_process_is_neither_believed_nor_killed(
    machine: Machine,
) -> None:
    sleeper = await machine.start("echo $$ > leader; exec sleep 60", name="sleeper")
    await until(lambda: written(machine.root / "leader"))
    _, _, boot = (sleeper / "group").read_text().split()
    stranger = pid_in(machine.root / "leader")
    gone = machine.root / "gone"
    (gone / "claimed").mkdir(parents=True)
    (gone / "lock").touch()
    (gone / "pid").write_text(f"{stranger} 0.1\n")
    (gone / "group").write_text(f"{stranger} 12345 {boot}\n")
    assert machine.processes.observe(gone) == Lost()
    assert await machine.processes.wait(gone) == Lost()
    await machine.processes.stop(gone)
    assert alive(stranger)


async def test_after_a_reboot_nothing_is_left_whatever_the_numbers_say(machine: Machine) -> None:
    sleeper = await machine.start("echo $$ > leader; exec sleep 60", name="sleeper")
    await until(lambda: written(machine.root / "leader"))
    leader, started, _ = (sleeper / "group").read_text().split()
    before = machine.root / "before"
    (before / "claimed").mkdir(parents=True)
    (before / "group").write_text(f"{leader} {started} another-boot\n")
    assert await machine.processes.wait(before) == Lost()
    assert alive(int(leader))


async def test_an_outcome_that_a_power_cut_garbled_is_no_outcome(machine: Machine) -> None:
    folder = machine.root / "gone"
    (folder / "claimed").mkdir(parents=True)
    for garbage in (b"", b"\0" * 4096, b'{"code": 0', b"[]", b'{"code": 0, "signal": null}'):
        (folder / "exit").write_bytes(garbage)
        assert machine.processes.observe(folder) == Lost()


async def test_a_shim_whose_folder_is_removed_ends_with_its_child(machine: Machine) -> None:
    os.mkfifo(machine.root / "gate")
    folder = await machine.start("echo up; read word < gate")
    await machine.says(folder, "up")
    shim = shim_of(folder)
    shutil.rmtree(folder)
    (machine.root / "gate").write_text("on\n")
    await until(lambda: not alive(shim))


async def test_a_shim_that_cannot_end_is_killed_when_it_is_stopped(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.process.processes.STOP_MARGIN_SECONDS", 0.2)
    folder = await machine.start("echo up; exec sleep 60", grace_seconds=0.1)
    await machine.says(folder, "up")
    refuse_outcome(folder)
    await machine.processes.stop(folder)
    assert machine.processes.observe(folder) == Lost()


@pytest.mark.parametrize("milliseconds", range(0, 40, 2))
async def test_a_shim_killed_at_any_moment_leaves_no_second_effect(
    machine: Machine, milliseconds: int
) -> None:
    folder, script = machine.root / "attempt", "echo ran >> effects; sleep 0.1"  # lives to be killed
    await machine.ended(await machine.start("true", name="before"))
    shim = await spare_of(server_of(machine.processes))
    starting = asyncio.create_task(machine.start(script))
    await asyncio.sleep(milliseconds / 1000)
    with suppress(ProcessLookupError):
        os.kill(shim, signal.SIGKILL)
    with suppress(TryAgain):
        await starting
    await machine.start(script)
    outcome = await machine.processes.wait(folder)
    effects = machine.root / "effects"
    ran = effects.read_text() if effects.exists() else ""
    assert ran == "ran\n" or (outcome == Lost() and not ran)


async def test_sigterm_to_the_shim_stops_the_child(machine: Machine) -> None:
    folder = await machine.start("echo up; exec sleep 60")
    await machine.says(folder, "up")
    os.kill(shim_of(folder), signal.SIGTERM)
    outcome = await machine.ended(folder)
    assert (outcome.reason, outcome.signal) == ("stopped", "SIGTERM")


async def test_whoever_leaves_the_group_neither_delays_the_end_nor_hides_it(
    machine: Machine,
) -> None:
    folder = await machine.start(
        "setsid sh -c 'echo $$ > daemon; exec sleep 60' & while ! test -s daemon; do :; done; echo done"
    )
    outcome = await machine.ended(folder)
    daemon = pid_in(Path(machine.root / "daemon"))
    assert alive(daemon)
    end(daemon)
    assert outcome.succeeded
    assert (outcome.finished_at - outcome.started_at).total_seconds() < 30  # the daemon takes 60
    assert await machine.said(folder) == ["done"]
