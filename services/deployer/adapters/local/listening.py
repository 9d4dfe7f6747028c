"""Whether a process listens on its port, and not somebody else in its stead.

On Linux the kernel says which process owns a listening socket. Elsewhere, and where another user's
process is not to be seen, whoever listens is taken for the one that was told to.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
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
    owners = set(_owners(_sockets(port))) if sys.platform.startswith("linux") else set()
    session = _session_led(process)
    if not owners or session is None or any(_session(owner) == session for owner in owners):
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
    """Return the inodes of the sockets that listen on a port."""
    found = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(fields[9])
    return frozenset(found)


def _owners(sockets: frozenset[str]) -> Iterator[int]:
    """Yield the processes that have one of the sockets open, as far as we may look."""
    wanted = {f"socket:[{inode}]" for inode in sockets}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                if any(str(fd.readlink()) in wanted for fd in (entry / "fd").iterdir()):
                    yield int(entry.name)


def _session_led(process: Path) -> int | None:
    """Return the session of a process that a shim started; it leads one of its own."""
    with suppress(OSError, ValueError, IndexError):
        return int((process / "group").read_text(encoding="ascii").split()[0])
    return None


def _session(process: int) -> int:
    with suppress(OSError):
        return os.getsid(process)
    return -1
