"""The gateway as a process: who it outlives, what it shrugs off, what it costs."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from services.deployer.adapters.gateway import program
from services.deployer.adapters.gateway.client import GatewayClient
from services.deployer.adapters.gateway.route import Route, decode, encode
from shared.clock import SystemClock
from tests.integration.local_target.gateway_site import Site, fetch

ROOT = Path(__file__).resolve().parents[3]
MEMORY_BYTES_MAX = 64 * 1024 * 1024  # it takes 35 MiB

# Starts a gateway, says its process id, and dies with its whole process group, as by `kill -9`.
STARTER = """
import asyncio, os, signal, sys
from pathlib import Path
from services.deployer.adapters.gateway.client import GatewayClient
from shared.clock import SystemClock
state = asyncio.run(GatewayClient(Path(sys.argv[1]), SystemClock()).sync())
print(state.process, flush=True)
os.killpg(0, signal.SIGKILL)
"""


async def test_it_outlives_the_process_group_of_whoever_started_it(tmp_path: Path) -> None:
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STARTER, str(tmp_path)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    said, _ = await starter.communicate()
    assert starter.returncode == -signal.SIGKILL
    gateway = GatewayClient(tmp_path, SystemClock())
    assert (await gateway.sync()).process == int(said)
    await gateway.shut_down()


async def test_there_is_one_in_a_folder(site: Site, gateway_folder: Path) -> None:
    await site.gateway.ensure_running()
    ours, theirs = os.pipe()
    second = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.deployer.adapters.gateway", str(gateway_folder), str(theirs)),
        cwd=ROOT,
        pass_fds=(theirs,),
    )
    os.close(theirs)
    with os.fdopen(ours, "rb") as said:
        assert said.read() == b"taken\n"
    assert await second.wait() == 0


async def test_it_takes_little_memory(site: Site) -> None:
    assert memory((await site.gateway.sync()).process) < MEMORY_BYTES_MAX


def memory(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def is_ours_alone(file: Path) -> bool:
    return file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="HTTP"),
        pytest.param(b"[]\n", id="no object"),
        pytest.param(b'{"ask": "drained", "route": 1}\n', id="wrong types"),
        pytest.param(b"x" * 200_000 + b"\n", id="a line beyond bounds"),
        pytest.param(b"\xff\n", id="no text"),
        pytest.param(b"{", id="half a question"),
    ],
)
async def test_a_question_that_is_none_harms_nobody(site: Site, gateway_folder: Path, said: bytes) -> None:
    before = await site.gateway.sync()
    socket = json.loads((gateway_folder / "process.json").read_text())["control"]
    assert is_ours_alone(Path(socket))
    reader, writer = await asyncio.open_unix_connection(socket)
    writer.write(said)
    writer.write_eof()
    async with asyncio.timeout(45):
        try:
            answer = await reader.read()
        except ConnectionError:
            answer = b""
    writer.close()
    assert answer == b"" or "problem" in json.loads(answer)
    assert (await site.gateway.sync()).process == before.process


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"name": "x"', id="torn"),
        pytest.param(b"[1]", id="no object"),
        pytest.param(b"\x00" * 4096, id="zeros, as after a power cut"),
    ],
)
async def test_a_damaged_route_file_does_not_take_the_route_away(
    site: Site, gateway_folder: Path, http: aiohttp.ClientSession, tmp_path: Path, change: bytes
) -> None:
    (tmp_path / "index.html").write_text("home")
    await site.serve_folder(tmp_path)
    (gateway_folder / "routes" / f"{site.name}.json").write_bytes(change)
    state = (await site.gateway.sync()).routes[site.name]
    assert (state.listening, state.problem != "") == (True, True)
    assert (await fetch(http, site.url)).status == 200


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("name", "another"),
        ("name", "../x"),
        ("port", 0),
        ("port", 65536),
        ("port", "80"),
        ("kind", "proxy"),
        ("upstream_port", 0),
        ("revision", "one"),
        ("release", "a\r\nb"),
        ("release", None),
    ],
)
def test_a_route_that_makes_no_sense_is_refused_with_a_reason(part: str, value: object) -> None:
    route = Route("x", 8080, "server", "r1", 1, "c", upstream_port=8081)
    assert decode("x", encode(route)) == route
    document = {**json.loads(encode(route)), part: value}
    assert isinstance(decode("x", json.dumps(document).encode()), str)


def test_a_static_route_names_its_folder_from_the_root() -> None:
    route = Route("x", 8080, "static", "r1", 1, "c", root="files")
    assert decode("x", encode(route)) == "it has no folder to serve"


def test_a_route_of_a_later_windlass_is_understood() -> None:
    route = Route("x", 8080, "server", "r1", 1, "c", upstream_port=8081)
    document = {**json.loads(encode(route)), "weight": 3}
    assert decode("x", json.dumps(document).encode()) == route


async def test_it_ends_once_its_folder_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "ORPHAN_LOOK_SECONDS", 0.01)
    lock = tmp_path / "lock"
    lock.touch()
    waiting = asyncio.ensure_future(program._told_or_orphaned(asyncio.Event(), lock))
    done, _ = await asyncio.wait({waiting}, timeout=0.1)
    assert not done
    lock.unlink()
    async with asyncio.timeout(45):
        await waiting
