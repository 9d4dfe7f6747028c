"""LOCAL:STATIC:DEPLOY behind a real gateway."""

import asyncio
import socket

import aiohttp
import pytest

from services.deployer.step_order import Done, Launched, Stopped
from tests.integration.local_target.gateway_site import fetch
from tests.integration.local_target.local_stage import LocalStage, evidence, target_url
from tests.ports import free_port


async def test_a_site_is_shown_as_a_candidate_and_then_replaces_the_live_one(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    first, second = await stage.static(1), await stage.static(2)
    url = await stage.deploy(first)
    answer = await stage.run(second)
    assert isinstance(answer, Launched)
    assert answer.targets[0].release == second.release
    candidate = await fetch(http, target_url(answer))
    assert (candidate.body, candidate.release) == (b"2", second.release)
    assert (await fetch(http, url)).release == first.release
    assert await stage.switch(second) == Done({"url": url})
    live = await fetch(http, url)
    assert (live.body, live.release) == (b"2", second.release)


async def test_every_verb_of_a_site_repeated_by_a_new_life_has_one_effect(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    first, second = await stage.static(1), await stage.static(2)
    url = await stage.deploy(first)
    answers = []
    for verb in (stage.run, stage.switch):
        answers.append(await verb(second))
        await stage.restart_windlass()
        answers.append(await verb(second))
    assert answers[0] == answers[1]
    assert answers[2] == answers[3] == Done({"url": url})
    assert await stage.switch(first) == Done({"url": url})
    for order in (first, second):
        await stage.discard(order)
        await stage.discard(order)
    assert (await fetch(http, url)).release == second.release


async def test_a_discarded_site_is_gone(stage: LocalStage, http: aiohttp.ClientSession) -> None:
    url = await stage.deploy(await stage.static(1))
    second = await stage.static(2)
    candidate = target_url(await stage.run(second))
    await stage.discard(second)
    await stage.discard(second)
    await stage.settled()
    with pytest.raises(aiohttp.ClientConnectorError):
        await fetch(http, candidate)
    assert await stage.run(second) == Stopped()
    assert "no longer there" in evidence(await stage.switch(second)).message
    assert (await fetch(http, url)).body == b"1"


async def test_a_site_that_is_called_off_is_not_shown(stage: LocalStage) -> None:
    called_off = asyncio.Event()
    called_off.set()
    assert await stage.run(await stage.static(1), called_off) == Stopped()


async def test_a_site_whose_port_is_taken_is_not_switched_to(stage: LocalStage) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as stranger:
        order = await stage.static(1, port=stranger.getsockname()[1])
        await stage.run(order)
        seen = evidence(await stage.switch(order))
    assert (seen.kind, "Address already in use" in seen.message) == ("target", True)


async def test_the_same_files_get_another_tag_in_another_release(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    url = await stage.deploy(await stage.static(1))
    known = {"If-None-Match": (await fetch(http, url)).headers["ETag"]}
    assert (await fetch(http, url, headers=known)).status == 304
    await stage.deploy(await stage.static(2))
    assert (await fetch(http, url, headers=known)).body == b"2"


async def test_a_server_can_follow_a_site_in_one_place(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    url = await stage.deploy(await stage.static(1))
    assert await stage.deploy(await stage.service(2)) == url
    assert (await fetch(http, url)).body == b"2"
    assert await stage.deploy(await stage.static(3)) == url
    assert (await fetch(http, url)).body == b"3"
    await stage.settled()


async def test_a_site_says_nothing(stage: LocalStage) -> None:
    order = await stage.static(1)
    answer, lines = await asyncio.gather(stage.run(order), stage.lines(order))
    assert isinstance(answer, Launched)
    assert lines == []
