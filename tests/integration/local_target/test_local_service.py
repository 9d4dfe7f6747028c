"""LOCAL:SERVICE:DEPLOY with real processes behind a real gateway."""

import asyncio
import json
import os
import signal
import socket
from dataclasses import replace
from itertools import count
from time import perf_counter

import aiohttp
import pytest

from services.deployer.adapters.local.ports import noted
from services.deployer.step_order import Broke, Done, Launched, Stopped
from tests.integration.local_target.gateway_site import fetch
from tests.integration.local_target.local_stage import (
    SERVER,
    LocalStage,
    evidence,
    is_alive,
    target_url,
    texts,
)
from tests.ports import free_port

SWITCH_SECONDS_MAX = 15.0  # it would be 30 if it waited; that it takes 0.1 is for benchmarks to say


async def test_a_candidate_is_shown_beside_the_live_release_and_then_takes_its_place(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    first = await stage.service(1)
    url = await stage.deploy(first)
    second = await stage.service(2)
    answer = await stage.run(second)
    assert isinstance(answer, Launched)
    assert answer.targets[0].service == "web"
    assert answer.targets[0].release == second.release
    candidate = await fetch(http, target_url(answer))
    assert (candidate.body, candidate.release) == (b"2", second.release)
    live = await fetch(http, url)
    assert (live.body, live.release) == (b"1", first.release)
    assert await stage.switch(second) == Done({"url": url})
    switched = await fetch(http, url)
    assert (switched.body, switched.release) == (b"2", second.release)
    assert switched.headers["Windlass-Revision"] == "2"
    assert (await fetch(http, target_url(answer))).status == 404  # on the connection kept from before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(target_url(answer).rpartition(":")[2])))


async def test_a_service_sees_a_clean_environment_and_its_own_variables(
    stage: LocalStage, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAK", "1")
    tell = SERVER_OF_ITS_ENVIRONMENT
    order = await stage.service(3, tell, env={"COLOUR": "blue"})
    seen = json.loads((await fetch(http, target_url(await stage.run(order)))).body)
    assert seen["COLOUR"] == "blue"
    assert seen["HOST"] == "127.0.0.1"
    assert seen["WINDLASS_RELEASE"] == order.release
    assert (seen["WINDLASS_PIPELINE"], seen["WINDLASS_STAGE"]) == ("shop", "Staging (EU)")
    assert (seen["WINDLASS_REVISION"], seen["WINDLASS_COMMIT"]) == ("3", "c0ffee")
    assert seen["HOME"] == str(stage.release(order).home)
    assert "LEAK" not in seen


SERVER_OF_ITS_ENVIRONMENT = """
import json, os, socket
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
body = json.dumps(dict(os.environ)).encode()
while True:
    connection, _ = listener.accept()
    if connection.recv(65536):
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body))
    connection.close()
"""


async def test_five_switches_under_load_fail_no_request_and_every_old_process_ends(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    url = await stage.deploy(await stage.service(0))
    orders = [await stage.service(revision) for revision in range(1, 6)]
    over = asyncio.Event()
    seen: list[list[int]] = [[], []]  # by each of two, who may be answered out of turn

    async def ask(mine: list[int]) -> None:
        while not over.is_set():
            answer = await fetch(http, url)
            assert answer.status == 200
            mine.append(int(answer.body))
            await asyncio.sleep(0.05)

    asking = [asyncio.ensure_future(ask(mine)) for mine in seen]  # 40 requests a second, connections kept
    leaders = [stage.leader(await stage.service(0))]
    for order in orders:
        await stage.deploy(order)
        leaders.append(stage.leader(order))
        await stage.until(lambda revision=order.revision: all(revision in mine for mine in seen))  # type: ignore[misc]
    await stage.settled()
    over.set()
    await asyncio.gather(*asking)
    assert [sorted(mine) for mine in seen] == seen
    assert [set(mine) - {0} for mine in seen] == [set(range(1, 6))] * 2
    assert [is_alive(leader) for leader in leaders] == [False] * 5 + [True]
    assert len(list(stage.place(orders[-1]).releases.iterdir())) == 2  # the live one and the one before


async def test_a_switch_waits_for_nobody_and_the_old_process_for_its_last_answer(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    first, second = await stage.service(1), await stage.service(2)
    url = await stage.deploy(first)
    pending = asyncio.ensure_future(fetch(http, f"{url}/slow"))
    await stage.run(second)
    await stage.until_in_flight(first, {first.release: 1})
    began = perf_counter()
    await stage.switch(second)
    assert perf_counter() - began < SWITCH_SECONDS_MAX
    assert (await fetch(http, url)).body == b"2"
    assert is_alive(stage.leader(first))
    stage.gate.touch()
    assert (await pending).body == b"1"
    await stage.settled()
    assert not is_alive(stage.leader(first))


async def test_a_service_that_exits_at_once_breaks_with_what_it_said(stage: LocalStage) -> None:
    order = await stage.service(1, "import sys\nprint('no database')\nsys.exit(3)")
    answer, lines = await asyncio.gather(stage.run(order), stage.lines(order))
    seen = evidence(answer)
    assert (seen.phase, seen.kind, seen.exit_code, seen.what) == ("rollout", "process", 3, "web")
    assert "exited with 3 before it listened on port" in seen.message
    assert texts(seen.log_tail) == lines == ["no database"]


async def test_a_program_that_is_not_there_breaks_with_its_name(stage: LocalStage) -> None:
    order = await stage.service(1, command=["no-such-program"])
    seen = evidence(await stage.run(order))
    assert "could not be started" in seen.message
    assert "no-such-program" in seen.message


async def test_a_service_that_never_listens_is_stopped_and_stays_so(stage: LocalStage) -> None:
    program = "import os, time\nopen(os.environ['NOTES'], 'a').write('1\\n')\ntime.sleep(60)"
    order = await stage.service(1, program, timeout_seconds=600.0)
    running = asyncio.ensure_future(stage.run(order))
    await stage.until(lambda: stage.started == ["1"])
    stage.clock.put_on(600)
    seen = evidence(await running)
    assert (seen.phase, seen.kind) == ("rollout", "timeout")
    assert "did not listen on 127.0.0.1 port" in seen.message
    assert not is_alive(stage.leader(order))
    await stage.discard(order)
    await stage.restart_windlass()
    again = evidence(await stage.run(order))
    assert (again.kind, again.message) == (seen.kind, seen.message)
    assert stage.started == ["1"]


async def test_another_process_on_its_port_does_not_pass_for_the_service(stage: LocalStage) -> None:
    order = await stage.service(1, "import time\ntime.sleep(60)", timeout_seconds=1.0)
    port_file = stage.release(order).life(1).port_file
    port_file.parent.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", free_port())) as stranger:
        port_file.write_text(str(stranger.getsockname()[1]))
        seen = evidence(await stage.run(order))
    assert seen.kind == "timeout"
    assert "another process answers on that port" in seen.message


async def test_a_stable_port_that_is_taken_breaks_the_switch_and_nothing_else(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    first = await stage.service(1)
    url = await stage.deploy(first)
    with socket.create_server(("127.0.0.1", free_port())) as stranger:
        port = stranger.getsockname()[1]
        second = await stage.service(2, port=port)
        await stage.run(second)
        for _ in range(2):
            seen = evidence(await stage.switch(second))
            assert (seen.phase, seen.kind) == ("rollout", "target")
            assert f"port {port}, the stable one, cannot be had: Address already in use" in seen.message
        assert (await fetch(http, url)).release == first.release
        assert await stage.discard(second) == Done()
    assert (await fetch(http, url)).release == first.release
    assert not is_alive(stage.leader(second))
    third = await stage.service(3, port=port)
    assert await stage.deploy(third) == f"http://127.0.0.1:{port}"


async def test_two_places_cannot_have_one_port(stage: LocalStage, http: aiohttp.ClientSession) -> None:
    port = free_port()
    url = await stage.deploy(await stage.service(1, port=port))
    other = await stage.service(2, port=port, id="api")
    await stage.run(other)
    assert "belongs to shop+staging-eu" in evidence(await stage.switch(other)).message
    assert (await fetch(http, url)).body == b"1"


async def test_every_verb_repeated_by_a_new_life_has_one_effect(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    first, second = await stage.service(1), await stage.service(2)
    await stage.deploy(first)
    answers = []
    for verb in (stage.run, stage.run, stage.switch, stage.switch):
        answers.append(await verb(second))
        await stage.restart_windlass()
        answers.append(await verb(second))
    assert isinstance(answers[0], Launched)
    assert all(answer == answers[0] for answer in answers[:4])
    assert all(answer == answers[4] for answer in answers[4:])
    await stage.target.resume()
    await stage.settled()
    await stage.discard(second)
    await stage.discard(first)
    url = stage.target.host.gateway.routes()[stage.place(second).name].port
    assert (await fetch(http, f"http://127.0.0.1:{url}")).body == b"2"
    assert stage.started == ["1", "2"]
    assert not is_alive(stage.leader(first))


async def test_a_late_switch_of_a_replaced_release_changes_nothing(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    first, second = await stage.service(1), await stage.service(2)
    await stage.deploy(first)
    url = await stage.deploy(second)
    assert await stage.switch(first) == Done({"url": url})
    assert (await fetch(http, url)).release == second.release


async def test_a_discarded_candidate_is_gone_and_never_comes_back(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    url = await stage.deploy(await stage.service(1))
    second = await stage.service(2)
    candidate = target_url(await stage.run(second))
    for _ in range(2):
        assert await stage.discard(second) == Done()
        await stage.restart_windlass()
    await stage.settled()
    assert not is_alive(stage.leader(second))
    with pytest.raises(aiohttp.ClientConnectorError):
        await fetch(http, candidate)
    assert isinstance(await stage.run(second), Broke)
    assert "no longer there" in evidence(await stage.switch(await stage.service(4))).message
    assert isinstance(await stage.switch(second), Broke)
    assert (await fetch(http, url)).body == b"1"
    assert stage.started == ["1", "2"]


async def test_a_candidate_that_died_is_not_switched_to(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    url = await stage.deploy(await stage.service(1))
    second = await stage.service(2)
    await stage.run(second)
    leader = stage.leader(second)
    os.kill(leader, signal.SIGKILL)
    await stage.processes.wait(stage.release(second).life(1).process)
    seen = evidence(await stage.switch(second))
    assert seen.signal == "SIGKILL"
    assert "was ended by SIGKILL before it was given its address" in seen.message
    assert (await fetch(http, url)).body == b"1"


async def test_a_service_called_off_while_it_starts_is_stopped(stage: LocalStage) -> None:
    program = "import os, time\nopen(os.environ['NOTES'], 'a').write('1\\n')\ntime.sleep(60)"
    order = await stage.service(1, program)
    called_off = asyncio.Event()
    running = asyncio.ensure_future(stage.run(order, called_off))
    await stage.until(lambda: stage.started == ["1"])
    called_off.set()
    port = noted(stage.release(order).life(1).port_file)
    assert await running == Stopped(f"the service did not listen on 127.0.0.1 port {port}")
    assert not is_alive(stage.leader(order))
    await stage.discard(order)
    assert await stage.run(order, called_off) == Stopped()
    assert await stage.run(await stage.service(2), called_off) == Stopped()
    assert stage.started == ["1"]


async def test_what_a_service_said_until_it_listened_is_given_and_then_no_more(stage: LocalStage) -> None:
    silent = SERVER.replace('print("listening", flush=True)', "")
    order = await stage.service(1, silent.replace("listener =", FIRST_WORD))
    answer, lines = asyncio.ensure_future(stage.run(order)), asyncio.ensure_future(stage.lines(order))
    await stage.until(lambda: stage.started == ["1"])
    process = stage.release(order).life(1).process
    await stage.until(lambda: texts(stage.processes.tail(process, 9)) == ["soon"])
    stage.gate.touch()
    assert isinstance(await answer, Launched)
    assert await lines == ["soon"]


FIRST_WORD = """
print("soon", flush=True)
while not os.path.exists(os.environ["GATE"]):
    __import__("time").sleep(0.01)
listener ="""


@pytest.mark.parametrize("name", ["LD_PRELOAD", "GIT_DIR", "WINDLASS_RELEASE", "PORT", "BASH_ENV", "A B", ""])
async def test_what_a_step_may_not_set_is_refused_by_name(stage: LocalStage, name: str) -> None:
    order = await stage.service(1, env={name: "x"})
    assert f"the step sets {name}, which" in evidence(await stage.run(order)).message
    assert stage.started == []


async def test_an_artifact_that_is_not_in_the_store_breaks_the_step(stage: LocalStage) -> None:
    order = await stage.service(1)
    assert evidence(await stage.run(replace(order, artifacts={}))).kind == "artifact"
    await stage.artifacts.remove(order.artifacts["app"])
    seen = evidence(await stage.run(order))
    assert (seen.kind, "not in the artifact store" in seen.message) == ("artifact", True)


async def test_a_second_attempt_is_a_release_of_its_own(
    stage: LocalStage, http: aiohttp.ClientSession
) -> None:
    program = "import os, sys\nopen(os.environ['NOTES'], 'a').write('0\\n')\nsys.exit(1)"
    failing = await stage.service(1, program)
    assert isinstance(await stage.run(failing), Broke)
    await stage.discard(failing)
    again = replace(await stage.service(1), attempt=2)
    url = await stage.deploy(again)
    await stage.discard(failing)
    assert (await fetch(http, url)).release == again.release
    assert stage.started == ["0", "1"]


async def test_only_the_last_discarded_releases_are_kept(stage: LocalStage) -> None:
    orders = [await stage.service(revision, "import sys\nsys.exit(1)") for revision in range(8)]
    for order in orders:
        await stage.run(order)
        await stage.discard(order)
        await stage.settled()
    kept = sorted(stage.place(orders[0]).releases.iterdir())
    assert len(kept) == 5
    assert not any((release / "files").exists() for release in kept)


async def test_a_place_can_have_any_name(stage: LocalStage) -> None:
    names = ["../../x", "A", "a", "a b", "a-b", "ä" * 100, "..", ".", "con/../x\n", "x" * 300, "~", "a+b"]
    orders = [replace(o := await stage.service(n), step=o.step.model_copy(update={"id": name}))
              for n, name in zip(count(), names)]  # fmt: skip
    places = [stage.place(order) for order in orders]
    assert len({place.name.lower() for place in places}) == len(names)
    assert {place.folder.parent for place in places} == {places[0].folder.parent}
    assert all(place.folder.resolve() == place.folder for place in places)
