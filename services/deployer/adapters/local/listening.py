"""Whether a process listens on its port, and not somebody else in its stead.

On Linux the kernel says which process owns a listening socket. Elsewhere, and where another user's
process is not to be seen, whoever listens is taken for the one that was told to.
"""

import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from services.deployer.adapters.gateway.route import LOOPBACK

CONNECT_SECONDS_MAX = 1.0
LISTENS = "0A"  # the state in /proc/net/tcp

Answering = Literal["nobody", "the process", "another process"]


async def who_answers(process: Path, port: int) -> Answering:
    """Tell who takes connections on a loopback port, seen from the process that should."""
    if not await _accepts(port):
        return "nobody"
    if not sys.platform.startswith("linux"):
        return "the process"
    session = _session_led(process)
    if session is None:
        return "another process"  # ours does not exist yet
    sockets = _sockets(port)
    everybody = [int(entry) for entry in os.listdir("/proc") if entry.isdecimal()]  # noqa: PTH208 - in haste
    ours = [pid for pid in everybody if _session(pid) == session]
    if _any_has(ours, sockets) or not _any_has(everybody, sockets):
        return "the process"
    return "another process"


async def _accepts(port: int) -> bool:
    try:
        async with asyncio.timeout(CONNECT_SECONDS_MAX):
            _, writer = await asyncio.open_connection(LOOPBACK, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


def _sockets(port: int) -> frozenset[str]:
    """Return the sockets that listen on a port, as links to them read."""
    found = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(f"socket:[{fields[9]}]")
    return frozenset(found)


def _any_has(processes: Sequence[int], sockets: frozenset[str]) -> bool:
    """Tell whether one of the processes has one of the sockets open, as far as we may look."""
    return any(link in sockets for process in processes for link in _open_files(process))


def _open_files(process: int) -> Iterator[str]:
    folder = Path(f"/proc/{process}/fd")
    with suppress(OSError):
        for descriptor in list(folder.iterdir()):
            with suppress(OSError):  # closed since it was listed
                yield str(descriptor.readlink())


def _session_led(process: Path) -> int | None:
    """Return the session of a process that a shim started; it leads one of its own."""
    with suppress(OSError, ValueError, IndexError):
        return int((process / "group").read_text(encoding="ascii").split()[0])
    return None


def _session(process: int) -> int:
    with suppress(OSError):
        return os.getsid(process)
    return -1
