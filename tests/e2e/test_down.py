"""What is deployed outlives `windlass up`, until `windlass down`; the next `up` brings it back."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.harbour import Harbour, new_harbour
from tests.e2e.program import Program
from tests.ports import free_port

ANSWER_SECONDS_MAX = 60.0

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    folder = tmp_path_factory.mktemp("down")
    ports = {"staging": free_port(), "production": free_port()}
    harbour = new_harbour(folder, Program(folder, free_port()), ports)
    try:
        yield harbour
    finally:
        asyncio.run(harbour.program.clear())


async def test_releases_outlive_up_and_end_with_down_and_come_back(harbour: Harbour) -> None:
    program, url = harbour.program, f"http://127.0.0.1:{harbour.ports['production']}"
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS_MAX) as http:
        await program.start()
        harbour.register()
        await harbour.post(http, harbour.commit())
        await harbour.deployed(1)
        refused = program.cli("down")
        assert (refused.returncode, str(program.pid) in refused.stderr) == (1, True)
        assert await program.end() == 0
        assert (await http.get(url)).headers["Windlass-Revision"] == "1"
        ended = program.cli("down")
        assert ended.returncode == 0, ended.stderr
        with pytest.raises(httpx.ConnectError):
            await http.get(url)
        await program.start()
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            while not await _answers(http, url):
                await asyncio.sleep(0.05)


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        answer = await http.get(url)
    except httpx.TransportError:
        return False
    return answer.text == "1" and answer.headers["Windlass-Revision"] == "1"
