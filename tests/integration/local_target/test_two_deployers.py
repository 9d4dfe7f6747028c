"""Two deployers on one folder, each as good as the other, one of them at times believed to be dead.

Both are in this program, with real processes and files between them: what holds them apart is only what
would also hold two programs apart.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from services.deployer.adapters.gateway.client import GatewayClient
from services.deployer.step_order import Broke, Done, Launched, StepOrder, Stopped
from shared.clock import SystemClock
from shared.file_lock import held
from tests.integration.local_target.gateway_site import fetch
from tests.integration.local_target.local_stage import LocalStage, evidence, is_alive


@pytest.fixture
async def other(stage: LocalStage, gateway_folder: Path) -> AsyncIterator[LocalStage]:
    """A second deployer on the stage's folder."""
    made = LocalStage(stage.folder, gateway_folder, stage.artifacts)
    yield made
    await made.restart_windlass()


def gone(stage: LocalStage, order: StepOrder) -> None:
    """Take a service and its shim away, as nobody should."""
    for pid in (stage.shim(order), stage.leader(order)):
        os.kill(pid, signal.SIGKILL)


async def test_a_step_that_two_carry_out_at_once_starts_one_process(
    stage: LocalStage, other: LocalStage, http: aiohttp.ClientSession
) -> None:
    order = await stage.service(1)
    assert [type(each) for each in await asyncio.gather(stage.run(order), other.run(order))] == [Launched] * 2
    one, two = await asyncio.gather(stage.switch(order), other.switch(order))
    assert isinstance(one, Done)
    assert one == two
    assert stage.started == ["1"]
    assert (await fetch(http, one.outputs["url"])).body == b"1"


async def test_what_another_deployer_is_just_showing_is_no_leftover(
    stage: LocalStage, other: LocalStage
) -> None:
    await stage.deploy(await stage.service(1))
    order = await stage.service(2)
    looking = asyncio.create_task(_look_after(other))
    answers = [await stage.run(order), await stage.switch(order)]
    looking.cancel()
    assert [type(each) for each in answers] == [Launched, Done]
    assert stage.started == ["1", "2"]
    assert is_alive(stage.leader(order))


async def _look_after(stage: LocalStage) -> None:
    while True:
        await stage.target.resume()


async def test_a_release_that_dies_is_started_again_once_by_all_who_look_after_it(
    stage: LocalStage, other: LocalStage, http: aiohttp.ClientSession
) -> None:
    order = await stage.service(1)
    url = await stage.deploy(order)
    for each in (stage, other):
        await each.target.resume()
    for deaths in (1, 2):
        gone(stage, order)
        await stage.until(lambda: len(stage.started) > deaths)  # noqa: B023 - it is over before the next
        async with asyncio.timeout(45):
            while (await fetch(http, url)).status != 200:  # noqa: ASYNC110 - real processes
                await asyncio.sleep(0.01)
    assert stage.started == ["1"] * 3
    assert stage.release(order).life_number() == 3


async def test_who_comes_second_to_a_dead_release_starts_nothing(
    stage: LocalStage, other: LocalStage
) -> None:
    order = await stage.service(1)
    await stage.deploy(order)
    gone(stage, order)
    await stage.processes.wait(stage.release(order).life(1).process)
    for each in (stage, other):
        await each.target.succession._begin_life(stage.place(order), stage.release(order))
    await stage.until(lambda: len(stage.started) == 2)
    assert stage.release(order).life_number() == 2


async def test_a_switch_that_comes_too_late_undoes_nothing(
    stage: LocalStage, other: LocalStage, http: aiohttp.ClientSession
) -> None:
    first, second = await stage.service(1), await stage.service(2)
    await stage.deploy(first)
    url = await stage.deploy(second)
    await other.switch(first)
    assert (await fetch(http, url)).body == b"2"
    assert stage.started == ["1", "2"]


async def test_who_wakes_when_all_is_long_over_starts_nothing_again(
    stage: LocalStage, other: LocalStage
) -> None:
    first = await stage.service(1)
    await stage.deploy(first)
    for revision in (2, 3):
        await stage.deploy(await stage.service(revision))
        await stage.settled()
    assert not stage.release(first).folder.exists()
    assert await other.run(first) == Stopped()
    await other.discard(first)
    assert isinstance(await other.switch(first), Broke)
    assert stage.started == ["1", "2", "3"]


async def test_who_wakes_after_a_candidate_was_taken_away_shows_and_starts_nothing(
    stage: LocalStage, other: LocalStage
) -> None:
    started, never = await stage.service(1), await stage.service(2)
    await stage.run(started)
    for order in (started, never):
        await stage.discard(order)
        assert isinstance(await other.run(order), Stopped | Broke)
        assert isinstance(await other.switch(order), Broke)
    assert stage.started == ["1"]
    assert (await stage.target.host.gateway.sync()).routes == {}


async def test_who_was_frozen_until_its_time_had_passed_ends_no_process_that_listens(
    stage: LocalStage, other: LocalStage, http: aiohttp.ClientSession
) -> None:
    order = await stage.service(1, timeout_seconds=0.000_001)  # its time is over at its first look
    running = asyncio.create_task(stage.run(await stage.service(1)))
    await stage.until(lambda: stage.started == ["1"])
    answer = await running
    assert isinstance(answer, Launched)
    assert isinstance(await other.run(order), Launched)
    done = await stage.switch(order)
    assert isinstance(done, Done)
    assert isinstance(await other.run(order), Launched)
    assert (await fetch(http, done.outputs["url"])).body == b"1"
    assert is_alive(stage.leader(order))


async def test_a_script_lost_with_its_host_is_interrupted_whoever_takes_it_up(
    stage: LocalStage, other: LocalStage
) -> None:
    order = stage.script('echo ran >> "$NOTES"; exec sleep 60')
    running = asyncio.create_task(stage.run(order))
    await stage.until(lambda: stage.started == ["ran"])
    process = next((stage.folder / "deployer/attempts").glob("*/*/*/lives/1/process"))
    running.cancel()
    for name in ("pid", "group"):
        os.kill(int((process / name).read_text().split()[0]), signal.SIGKILL)
    assert evidence(await other.run(order)).kind == "interrupted"
    assert stage.started == ["ran"]


async def test_what_was_under_way_in_a_lost_folder_is_interrupted_here(stage: LocalStage) -> None:
    script, service = stage.script('echo ran >> "$NOTES"'), await stage.service(2)
    again = stage.script('echo again >> "$NOTES"', repeatable=True, id="again")
    stage.target.note_lost([order.log for order in (script, service, again)])
    for order in (script, service):
        assert evidence(await stage.run(order)).kind == "interrupted"
    assert await stage.run(again) == Done()
    assert stage.started == ["again"]


async def test_a_candidate_that_nobody_could_discard_is_taken_away(stage: LocalStage) -> None:
    live, abandoned, wanted = [await stage.service(revision) for revision in (1, 2, 3)]
    await stage.deploy(live)
    for order in (abandoned, wanted):
        await stage.run(order)
    names = {stage.release(order).name for order in (abandoned, wanted)}
    assert set(stage.target.candidates()) == names
    stage.target.take_away(names - {stage.release(wanted).name})
    await stage.target.succession.chores.settled("discard")
    alive = [is_alive(stage.leader(order)) for order in (live, abandoned, wanted)]
    assert alive == [True, False, True]


async def test_a_place_that_another_program_keeps_is_left_for_the_next_look(
    stage: LocalStage, other: LocalStage
) -> None:
    order = await stage.service(1)
    await stage.deploy(order)
    async with held(stage.place(order).lock_file, 20.0), asyncio.timeout(30):  # it would wait for 60
        await other.target.resume()


async def test_deployers_that_start_the_gateway_at_once_have_one_and_again_when_it_was_killed(
    tmp_path: Path,
) -> None:
    clients = [GatewayClient(tmp_path / "gateway", SystemClock()) for _ in range(3)]
    try:
        for _ in range(2):
            states = await asyncio.gather(*(client.sync() for client in clients))
            assert len({state.process for state in states}) == 1
            os.kill(states[0].process, signal.SIGKILL)
    finally:
        await clients[0].shut_down()
