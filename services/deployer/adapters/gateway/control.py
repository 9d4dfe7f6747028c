"""How the gateway is told things: one JSON object a line on a Unix socket, answered by another."""

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from services.deployer.adapters.gateway.route import as_json, replace_file

SOCKET_PATH_BYTES_MAX = 100  # Linux takes 107, macOS 103
LINE_BYTES_MAX = 64 * 1024  # of what is asked
DRAIN_SECONDS_MAX = 3600.0
PROCESS_FILE = "process.json"
ELSEWHERE = "windlass-gateway-"  # begins the temporary folder of a socket whose own would be too long


class Controlled(Protocol):
    """What can be asked of a gateway."""

    async def sync(self) -> dict[str, Any]:
        """Look at the route files again."""
        ...

    async def drained(self, name: str, release: str, seconds: float) -> bool:
        """Wait for a release's last answers."""
        ...


@asynccontextmanager
async def listening(folder: Path, gateway: Controlled, told_to_end: asyncio.Event) -> AsyncIterator[None]:
    """Take questions for as long as the block lasts; the folder says where."""
    socket = _place(folder)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                answer = await _answer(line, gateway, told_to_end)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError):  # gone, or a line beyond all bounds
            pass
        finally:
            writer.close()

    server = await asyncio.start_unix_server(converse, socket, limit=LINE_BYTES_MAX)
    socket.chmod(0o600)
    document = {"process": os.getpid(), "control": str(socket)}
    replace_file(folder / PROCESS_FILE, json.dumps(document).encode() + b"\n")
    try:
        yield
    finally:
        server.close()
        _forget(folder)


def _place(folder: Path) -> Path:
    """Return a free path for the socket, short enough to be one."""
    _forget(folder)
    socket = folder / "control"
    if len(os.fsencode(socket)) <= SOCKET_PATH_BYTES_MAX:
        return socket
    return Path(tempfile.mkdtemp(prefix=ELSEWHERE)) / "control"  # 0700 and ours


def _forget(folder: Path) -> None:
    """Remove this gateway's socket, or that of one that was killed."""
    (folder / "control").unlink(missing_ok=True)
    before = Path(str(as_json(folder / PROCESS_FILE).get("control", "")))
    if before.parent.name.startswith(ELSEWHERE):
        with suppress(OSError):
            before.unlink(missing_ok=True)
            before.parent.rmdir()


async def _answer(line: bytes, gateway: Controlled, told_to_end: asyncio.Event) -> dict[str, Any]:
    match json.loads(line):
        case {"ask": "sync"}:
            return {"process": os.getpid(), "routes": await gateway.sync()}
        case {"ask": "drained", "route": str(name), "release": str(release), "seconds": int() | float() as s}:
            return {"drained": await gateway.drained(name, release, min(s, DRAIN_SECONDS_MAX))}
        case {"ask": "end"}:
            told_to_end.set()
            return {"process": os.getpid()}
    return {"problem": "that is no question"}
