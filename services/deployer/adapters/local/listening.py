"""Whether a process listens on its port, and not somebody else in its stead.

On Linux the kernel says which process owns a listening socket. Elsewhere, and where another user's
process is not to be seen, whoever listens is taken for the one that was told to.
"""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from services.deployer.adapters.gateway.route import LOOPBACK
from shared.process.sockets import (
    everybody,
    listening_sockets,
    open_files,
    port_of,
    session_led,
    session_of,
)

CONNECT_SECONDS_MAX = 1.0

Answering = Literal["nobody", "the process", "another process"]


async def who_answers(process: Path, port: int) -> Answering:
    """Tell who takes connections on a loopback port, seen from the process that should."""
    if not await _accepts(port):
        return "nobody"
    if not sys.platform.startswith("linux"):
        return "the process"
    session = session_led(process)
    if session is None:
        return "another process"  # ours does not exist yet
    sockets = _sockets(port)
    all_there_are = everybody()
    ours = [pid for pid in all_there_are if session_of(pid) == session]
    if _any_has(ours, sockets) or not _any_has(all_there_are, sockets):
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
    return frozenset(link for link, address in listening_sockets() if port_of(address) == port)


def _any_has(processes: Sequence[int], sockets: frozenset[str]) -> bool:
    """Tell whether one of the processes has one of the sockets open, as far as we may look."""
    return any(link in sockets for process in processes for link in open_files(process))
