"""What only a machine does: supervision that dies, services that are started again, sockets."""

import fcntl
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.verifier.signals import Signals
from shared.events.evidence import LOG_LINE_CHARACTERS_MAX, LOG_TAIL_LINES_MAX
from shared.process import Lost
from shared.process.shim.child import identity
from tests.contract.observer.sites import TALKS, LocalSite
from tests.integration.process.conftest import until
from tests.ports import free_port

LISTENS = """
import json, os, socket
here = [socket.create_server(("127.0.0.1", 0)), socket.create_server(("0.0.0.0", 0))]
if socket.has_ipv6:
    here.append(socket.create_server(("::1", 0), family=socket.AF_INET6))
client = socket.create_connection(here[0].getsockname())
udp = socket.socket(type=socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
print("at", json.dumps([each.getsockname()[:2] for each in here]), flush=True)
if os.fork() == 0:
    further = socket.create_server(("127.0.0.1", 0))
    print("also", json.dumps(further.getsockname()), flush=True)
signal = __import__("signal")
signal.pause()
"""


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[LocalSite]:
    local = LocalSite(tmp_path)
    yield local
    await local.close()


async def test_where_a_service_listens_is_found_with_all_its_processes(site: LocalSite) -> None:
    await site.run("python3", "-c", LISTENS)
    await until(lambda: len(site.said) == 2)
    words = dict(line.split(" ", 1) for line in site.said)
    addresses = [*json.loads(words["at"]), json.loads(words["also"])]
    readable = {f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in addresses}
    found = await site.observer.diagnostics(site.place)
    assert found is not None
    assert set(found.listening) == readable


async def test_a_service_that_its_shim_starts_again_is_seen_restarted(site: LocalSite) -> None:
    await site.start()
    site.processes.promote(site.process)
    await site.say("fall")
    await site.until_said("ready", times=2)
    assert await site.observer.signals(site.place) == Signals("running", restarts=1)
    await site.say("again")
    await site.until_said("ready", times=3)
    found = await site.observer.diagnostics(site.place)
    assert found is not None
    assert (found.process, found.restarts) == ("running", 2)


async def test_between_two_of_its_processes_a_service_does_not_run(site: LocalSite) -> None:
    """Its shim lives, and what is noted as its child is not there: the number may be another's by now."""
    process = site.folder / "lives" / "1" / "process"
    (process / "claimed").mkdir(parents=True)
    (process / "group").write_text(f"{os.getpid()} 1 {identity(os.getpid()).split()[1]}\n")
    with (process / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert await site.observer.signals(site.place) == Signals("running"), (
            "a candidate is not started again"
        )
        (process / "promoted").touch()
        assert await site.observer.signals(site.place) == Signals(
            "running", running=0, message="ended and is about to be started again"
        )


async def test_what_a_killed_shim_left_is_lost_once_it_is_ended(site: LocalSite) -> None:
    await site.start()
    os.kill(int((site.process / "pid").read_text().split()[0]), signal.SIGKILL)
    assert await site.processes.wait(site.process) == Lost()
    seen = await site.observer.signals(site.place)
    assert seen == Signals(
        "lost", running=0, message="is gone: its host went down or its supervision was killed"
    )


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        pytest.param(("sh", "-c", "kill -9 $$"), "was ended by SIGKILL", id="killed"),
        pytest.param(("sh", "-c", "exit 0"), "exited with 0", id="ended well"),
        pytest.param(
            ("/nowhere/x",),
            "could not be started: cannot run '/nowhere/x': No such file or directory",
            id="no program",
        ),
    ],
)
async def test_how_a_process_ended_is_said_in_words(
    site: LocalSite, argv: tuple[str, ...], message: str
) -> None:
    await site.run(*argv)
    await site.processes.wait(site.process)
    seen = await site.observer.signals(site.place)
    assert seen is not None
    assert (seen.process, seen.running, seen.message) == ("exited", 0, message)


async def test_a_release_that_was_never_started_has_no_process(site: LocalSite) -> None:
    (site.folder / "lives").mkdir()
    seen = await site.observer.signals(site.place)
    assert seen == Signals("absent", running=0, message="was never started")
    found = await site.observer.diagnostics(site.place)
    assert found is not None
    assert (found.process, found.log_tail) == ("absent", ())


async def test_what_it_said_last_is_bounded_and_may_be_an_earlier_process(site: LocalSite) -> None:
    await site.run("sh", "-c", f"seq 1 {3 * LOG_TAIL_LINES_MAX}; printf '%090000d' 0")
    await site.processes.wait(site.process)
    await site.run("sh", "-c", "exit 1")
    await site.processes.wait(site.process)
    found = await site.observer.diagnostics(site.place)
    assert found is not None
    assert len(found.log_tail) == LOG_TAIL_LINES_MAX
    assert max(len(line.text) for line in found.log_tail) == LOG_LINE_CHARACTERS_MAX
    assert found.exit_code == 1


async def test_what_lies_about_in_the_folder_confuses_nobody(site: LocalSite) -> None:
    await site.start()
    lives = site.folder / "lives"
    (lives / "notes").mkdir()
    (lives / "7x").touch()
    (site.process / "restarts").write_text("many")
    (lives / "0").mkdir()
    assert await site.observer.signals(site.place) == Signals("running")


HOLDS = "import socket, signal; s = socket.create_server(({host!r}, {port})); print('ready'); signal.pause()"


async def test_a_port_is_known_to_be_of_the_latest_process_or_of_another(site: LocalSite) -> None:
    with socket.create_server(("127.0.0.1", 0)) as others:
        others_port = others.getsockname()[1]
        port = free_port()
        await site.run("python3", "-u", "-c", HOLDS.format(host="127.0.0.1", port=port))
        await site.until_said("ready")
        assert await site.observer.takes_connections(site.place, "127.0.0.1", port) is True
        assert await site.observer.takes_connections(site.place, "127.0.0.1", others_port) is False
    await site.run("sh", "-c", TALKS)
    await site.until_said("ready")
    assert await site.observer.takes_connections(site.place, "127.0.0.1", port) is False, (
        "it is the process before that holds it"
    )


async def test_the_same_port_at_another_address_is_another_one(site: LocalSite) -> None:
    with socket.create_server(("127.0.0.1", 0)) as others:
        port = others.getsockname()[1]
        await site.run("python3", "-u", "-c", HOLDS.format(host="127.0.0.2", port=port))
        await site.until_said("ready")
        assert await site.observer.takes_connections(site.place, "127.0.0.1", port) is False
        assert await site.observer.takes_connections(site.place, "127.0.0.2", port) is True


async def test_a_port_at_every_address_is_its_own_too(site: LocalSite) -> None:
    port = free_port()
    await site.run("python3", "-u", "-c", HOLDS.format(host="0.0.0.0", port=port))
    await site.until_said("ready")
    assert await site.observer.takes_connections(site.place, "127.0.0.1", port) is True


async def test_a_release_that_was_never_started_holds_no_port_that_could_be_seen(site: LocalSite) -> None:
    (site.folder / "lives" / "1" / "process").mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as others:
        port = others.getsockname()[1]
        assert await site.observer.takes_connections(site.place, "127.0.0.1", port) is False
