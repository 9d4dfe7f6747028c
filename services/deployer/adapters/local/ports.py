"""Choosing ports that are free and stay one's own: each is noted in a file, and noted ports are taken."""

import os
import socket
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from services.deployer.adapters.gateway.route import LOOPBACK, replace_file
from services.deployer.adapters.local.host import Host
from shared.faults import TryAgain
from shared.file_lock import held

# Below what Linux and others give to outgoing connections, so that none of those takes one by chance.
FIRST = 20_000
LAST = 31_999
LOCK_SECONDS_MAX = 20.0  # it is held for milliseconds, unless its holder is frozen
NOTES = ("*/*/*/port", "*/*/*/releases/*/port", "*/*/*/releases/*/lives/*/port")


def noted(file: Path) -> int | None:
    """Return the port in a file."""
    with suppress(OSError, ValueError):
        return int(file.read_text(encoding="ascii"))
    return None


async def port_of(host: Host, file: Path) -> int:
    """Return the port noted in `file`; if there is none, choose a free one and note it first."""
    if port := noted(file):
        return port
    async with held(host.folder / "ports.lock", LOCK_SECONDS_MAX):
        if port := noted(file):  # by another program, meanwhile
            return port
        return _note(host, file)


def _note(host: Host, file: Path) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    port = _choose(file, _spoken_for(host))
    replace_file(file, f"{port}\n".encode())
    return port


def _spoken_for(host: Host) -> frozenset[int]:
    """Return the ports that are somebody's even while nobody listens there."""
    notes = (noted(file) for note in NOTES for file in host.local.glob(note))
    return frozenset({*(port for port in notes if port), *(r.port for r in host.gateway.routes().values())})


def _choose(file: Path, taken: frozenset[int]) -> int:
    """Return a free port; where the search begins follows from the file, so that places differ."""
    size = LAST - FIRST + 1
    start = int.from_bytes(sha256(os.fsencode(file)).digest()[:4]) % size
    for offset in range(size):
        port = FIRST + (start + offset) % size
        if port not in taken and _is_free(port):
            return port
    raise TryAgain(f"no port between {FIRST} and {LAST} is free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that waits out its last connection
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
