"""What outlives a crash of Windlass, of the gateway, of the supervision and of the host."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from services.deployer.adapters.local_target import ATTEMPTS_KEPT, RESUME_SECONDS
from services.deployer.step_order import StepOrder
from shared.clock import SystemClock
from shared.faults import TryAgain
from tests.integration.local_target.gateway_site import fetch
from tests.integration.local_target.local_stage import SERVER, LocalStage, is_alive
from tests.ports import free_port


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[LocalStage]:
    """A machine of its own for each test, the gateway too: it is killed here."""
    made = LocalStage(tmp_path)
    yield made
    await made.close()


async def answers(http: aiohttp.ClientSession, url: str, body: bytes) -> bool:
    try:
        answer = await fetch(http, url)
    except aiohttp.ClientError:
        return False
    return answer.body == body


async def until_it_answers(http: aiohttp.ClientSession, url: str, body: bytes) -> None:
    async with asyncio.timeout(45):
        while not await answers(http, url, body):
            await SystemClock().sleep(0.02)


def go_down(stage: LocalStage, *orders: StepOrder) -> None:
    """Kill services and their supervision, as a host that goes down does."""
    for order in orders:
        for victim in (stage.shim(order), stage.leader(order)):
            os.kill(victim, signal.SIGKILL)


async def test_a_restart_of_windlass_adopts_what_runs(stage: LocalStage, http: aiohttp.ClientSession) -> None:
    order = await stage.service(1)
    url = await stage.deploy(order)
    leader = stage.leader(order)
    await stage.restart_windlass()
    next_look = await stage.target.resume()
    assert next_look - stage.target.host.clock.now() <= timedelta(seconds=RESUME_SECONDS)
    (adopted,) = stage.target.adopted()
    assert (adopted.release, adopted.revision, adopted.kind, adopted.problem) == (
        order.release,
        1,
        "server",
        "",
    )
    assert (await fetch(http, url)).body == b"1"
    assert stage.leader(order) == leader
    assert stage.started == ["1"]


async def test_a_killed_gateway_is_brought_back_with_every_address(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    urls = [await stage.deploy(await stage.service(1)), await stage.deploy(await stage.static(2, id="site"))]
    await stage.kill_gateway()
    await stage.target.resume()
    assert [(await fetch(http, url)).body for url in urls] == [b"1", b"2"]
    assert stage.started == ["1"]


async def test_a_service_whose_supervision_was_killed_is_started_again(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    order = await stage.service(1)
    url = await stage.deploy(order)
    before = stage.leader(order)
    await stage.target.resume()
    os.kill(stage.shim(order), signal.SIGKILL)
    await stage.until(lambda: stage.started == ["1", "1"])
    await until_it_answers(http, url, b"1")
    assert not is_alive(before)
    assert is_alive(stage.leader(order))


async def test_after_a_restart_of_the_host_everything_live_comes_back(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    first, second, api = (
        await stage.service(1),
        await stage.service(2),
        await stage.service(3, id="api", port=free_port()),
    )
    await stage.deploy(first)
    urls = [await stage.deploy(second), await stage.deploy(api)]
    await stage.settled()
    go_down(stage, second, api)
    await stage.kill_gateway()
    await stage.restart_windlass()
    await stage.target.resume()
    await until_it_answers(http, urls[0], b"2")
    await until_it_answers(http, urls[1], b"3")
    assert sorted(stage.started) == ["1", "2", "2", "3", "3"]
    assert not is_alive(stage.leader(first))


async def test_a_live_service_that_does_not_come_up_is_tried_again_with_pauses(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    once = SERVER.replace(
        "listener =", "if os.path.exists(os.environ['GATE']): raise SystemExit(1)\nlistener ="
    )
    order = await stage.service(1, once)
    url = await stage.deploy(order)
    await stage.target.resume()
    stage.gate.touch()
    go_down(stage, order)
    await stage.until(lambda: len(stage.started) >= 3)
    stage.gate.unlink()
    await until_it_answers(http, url, b"1")


async def test_a_release_is_replaced_while_its_process_is_being_brought_back(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    once = SERVER.replace("listener =", "while os.path.exists(os.environ['GATE']): pass\nlistener =")
    first, second = await stage.service(1, once), await stage.service(2)
    url = await stage.deploy(first)
    await stage.target.resume()
    stage.gate.touch()
    go_down(stage, first)
    await stage.until(lambda: stage.started == ["1", "1"])
    assert await stage.deploy(second) == url
    await stage.settled()
    assert (await fetch(http, url)).body == b"2"
    assert not is_alive(stage.leader(first))
    assert is_alive(stage.leader(second))


async def test_a_release_that_was_replaced_in_a_crash_is_ended_by_the_next_life(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    first, second = await stage.service(1), await stage.service(2)
    await stage.deploy(first)
    await stage.run(second)
    await stage.switch(second)
    await stage.target.close()  # before the chores that the switch began have done anything
    assert is_alive(stage.leader(first))
    await stage.restart_windlass()
    await stage.target.resume()
    await stage.settled()
    assert not is_alive(stage.leader(first))


async def test_a_trial_and_a_candidate_that_a_crash_left_routed_are_forgotten(stage: LocalStage) -> None:
    order = await stage.service(1)
    await stage.deploy(order)
    gateway = stage.target.host.gateway
    name = stage.place(order).name
    live = gateway.route(name)
    assert live is not None
    gateway.set_route(replace(live, name=f"{name}+next", port=free_port()))
    gateway.set_route(replace(live, name=f"{name}+{live.folder}", port=free_port()))
    gateway.set_route(replace(live, name=f"{name}+gone.1", folder="gone.1", port=free_port()))
    await gateway.sync()
    await stage.target.resume()
    assert set((await gateway.sync()).routes) == {name}


async def test_a_candidate_that_waits_for_its_verdict_is_left_alone(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    await stage.deploy(await stage.service(1))
    order = await stage.service(2)
    answer = await stage.run(order)
    await stage.restart_windlass()
    await stage.target.resume()
    await stage.settled()
    assert await stage.run(order) == answer
    assert is_alive(stage.leader(order))


async def test_what_was_ended_on_purpose_comes_back_with_the_next_life(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    order = await stage.service(1)
    url = await stage.deploy(order)
    await stage.target.end()
    assert not is_alive(stage.leader(order))
    await stage.restart_windlass()
    await stage.target.resume()
    await until_it_answers(http, url, b"1")


async def test_what_scripts_of_long_ago_left_is_removed_but_never_a_running_one(stage: LocalStage) -> None:
    done = stage.script("true", id="done")
    running = replace(stage.script('echo x >> "$NOTES"; sleep 60'), run=stage.order("", 9, None).run)
    await stage.run(done)
    task = asyncio.ensure_future(stage.run(running))
    await stage.until(lambda: stage.started == ["x"])
    await stage.settled()
    attempts = stage.target.host.folder / "attempts"
    long_ago = (stage.target.host.clock.now() - ATTEMPTS_KEPT - timedelta(days=1)).timestamp()
    for run in (done.run, running.run):
        os.utime(attempts / str(run), (long_ago, long_ago))
    await stage.target.resume()
    assert {each.name for each in attempts.iterdir()} == {str(running.run)}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await stage.discard(running)


async def test_a_data_folder_with_a_long_name_works(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    folder = tmp_path.joinpath(*["a-long-name" * 8] * 3)
    folder.mkdir(parents=True)
    stage = LocalStage(folder)
    try:
        url = await stage.deploy(await stage.static(1))
        await stage.kill_gateway()
        await stage.target.resume()
        assert (await fetch(http, url)).body == b"1"
    finally:
        await stage.close()


async def test_a_full_disk_is_no_verdict(stage: LocalStage, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    order = await stage.service(1)
    with monkeypatch.context() as disk:
        disk.setattr("services.deployer.adapters.local.release.replace_file", full)
        with pytest.raises(TryAgain, match="No space left"):
            await stage.run(order)
    await stage.deploy(order)
    assert stage.started == ["1"]
