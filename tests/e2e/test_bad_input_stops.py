"""SIGTERM at the worst moment: it ends soon and well, and the next start takes up what was under way."""

import asyncio
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.harbour import Harbour, new_harbour, wrongs
from tests.e2e.program import Program
from tests.e2e.quay import Quay, Tenant, push_body
from tests.ports import free_port

STOP_SECONDS_MAX = 12.0  # less than a stream's heartbeat and a body's patience; open streams are given one
PIPELINE = """\
version: "1"
pipeline:
  stages: [{name: live}]
  steps:
    - {name: say, type: "SCRIPT:EXECUTE", params: {commands: [echo said]}}
"""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


async def ended_well(program: Program) -> bool:
    """Stop it; tell whether that took little time and left no complaint."""
    logged, began = len(program.log), time.monotonic()
    code = await program.end(60)
    said = program.log[logged:]
    in_time = time.monotonic() - began < STOP_SECONDS_MAX
    return in_time and code == 0 and "Traceback" not in said and '"level": "error"' not in said


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    """Give an installation whose deployments are effects in a file."""
    folder = tmp_path_factory.mktemp("stops")
    ports = {"staging": free_port(), "production": free_port()}
    harbour = new_harbour(folder, Program(folder, free_port()), ports)
    harbour.pause = "0.4"
    try:
        yield harbour
    finally:
        asyncio.run(harbour.program.clear())


async def test_a_deployment_goes_on_after_stops_in_its_middle_and_nothing_is_repeated(
    harbour: Harbour,
) -> None:
    program = harbour.program
    await program.start()
    harbour.register()
    async with httpx.AsyncClient() as http:
        assert (await harbour.post(http, harbour.commit())).status_code == httpx.codes.ACCEPTED
    for effects in (1, 4, 7):  # a build, a candidate, a script of the second stage
        await _seen(harbour, effects)
        assert await ended_well(program), program.log[-3000:]
        await program.start()

    await harbour.deployed(1)

    assert wrongs(harbour.effects(), 1) == []
    async with httpx.AsyncClient(trust_env=False) as http:
        for port in harbour.ports.values():
            assert (await http.get(f"http://127.0.0.1:{port}/")).text == "1"


async def _seen(harbour: Harbour, effects: int) -> None:
    async with asyncio.timeout(90):
        while len(harbour.effects()) < effects:
            await asyncio.sleep(0.01)


async def test_a_stop_waits_neither_for_streams_nor_for_half_requests(moored: Quay) -> None:
    async with moored.at_hand():
        tenant = await _pushed_to(moored, "streamed")
        door = httpx.URL(tenant.hook.url).raw_path.decode()
        idle, begun = [await asyncio.open_connection("127.0.0.1", moored.program.port) for _ in range(2)]
        head = f"POST {door} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
        begun[1].write(head.encode())
        assert await begun[0].readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"  # it is in hand
        begun[1].write(b"{")
        events, stream = "/api/v1/events", {"Accept": "text/event-stream"}
        async with moored.operator.stream("GET", events, headers=stream) as answer:
            assert answer.status_code == httpx.codes.OK
            assert await ended_well(moored.program), moored.program.log[-3000:]
            assert await answer.aread() == b""
        assert await idle[0].read() == b""
        assert b" 503 " in await begun[0].readline()
        assert b"retry-after" in await begun[0].read()
        for _, writer in (idle, begun):
            writer.close()
        await moored.program.start()
        await moored.neighbour.deploys()


async def test_what_was_acknowledged_before_a_stop_is_answered_after_it(moored: Quay) -> None:
    async with moored.at_hand():
        tenant, commits = await _pushed_to(moored, "hurried"), []
        for number in range(30):
            files = {".windlass/hurried/pipeline.yaml": PIPELINE.encode(), "a": str(number).encode()}
            commits.append(tenant.copy.commit(files))
        posts = [asyncio.create_task(tenant.deliver(push_body(commit))) for commit in commits]
        await asyncio.wait(posts, return_when=asyncio.FIRST_COMPLETED)
        assert await ended_well(moored.program), moored.program.log[-3000:]
        answers = await asyncio.gather(*posts, return_exceptions=True)
    await moored.program.start()
    async with moored.at_hand():
        told = [each for each in answers if isinstance(each, httpx.Response)]
        assert {each.status_code for each in told} <= {202, 503}
        assert all(isinstance(each, httpx.TransportError) for each in answers if each not in told)
        taken = [each.json()["push"] for each in told if each.status_code == httpx.codes.ACCEPTED]
        assert taken
        became = [await moored.answer_to(push) for push in taken]
        assert all(len(push["decisions"]) == 1 for push in became)
        await moored.neighbour.deploys()


async def _pushed_to(quay: Quay, slug: str) -> Tenant:
    """Give a repository whose pipeline has deployed."""
    tenant = await quay.tenant(slug)
    await tenant.push_files({f".windlass/{slug}/pipeline.yaml": PIPELINE})
    assert (await quay.outcome(slug, 1))["state"] == "Succeeded"
    return tenant
