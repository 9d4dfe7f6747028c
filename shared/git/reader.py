"""One kept `git cat-file --batch` process, asked for objects by id.

Only full ids and names of our own making are ever written to it: it reads lines, and a stranger's
path could hold one. Paths are walked by the caller, tree by tree.
"""

import asyncio
import re
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.faults import Refused, TryAgain
from shared.git.program import end_group, start

REQUESTS_MAX = 20_000  # then a fresh process: it must not gather memory for ever
DRAIN_BYTES_MAX = 1024**2  # the rest of an object that is longer than wanted; beyond, a fresh process

_NAME = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?|refs/windlass/[0-9a-f]{32}")


class Damaged(TryAgain):
    """The mirror lacks what it must have, or git dies of reading it. It is made anew before use."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What git has under a name."""

    id: str
    kind: str  # blob, tree, commit, tag
    size: int
    data: bytes  # the first of them, if fewer were wanted


class ObjectReader:
    """Answers one request at a time; a process that died is started again once."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], seconds_max: float) -> None:
        self._command = tuple(command)
        self._environ = dict(environ)
        self._seconds_max = seconds_max
        self._process: Process | None = None
        self._requests = 0
        self._turn = asyncio.Lock()

    async def read(self, name: str, bytes_max: int) -> StoredObject | None:
        """Return an object; None if there is none."""
        assert _NAME.fullmatch(name), name
        async with self._turn:
            try:
                return await self._ask(name, bytes_max)
            except (EOFError, ConnectionError):
                await self._end()
            try:
                return await self._ask(name, bytes_max)
            except (EOFError, ConnectionError) as exc:
                await self._end()
                raise Damaged("git's object reader ended without an answer, twice") from exc

    async def close(self) -> None:
        """End the process; a later read starts another."""
        async with self._turn:
            await self._end()

    async def _ask(self, name: str, bytes_max: int) -> StoredObject | None:
        answered = False
        try:
            async with asyncio.timeout(self._seconds_max):
                process = await self._started()
                found = await _exchange(process, name, bytes_max)
            answered = found is None or found.size - bytes_max <= DRAIN_BYTES_MAX
        except TimeoutError as exc:
            raise TryAgain(f"git gave no object within {self._seconds_max:g} seconds") from exc
        finally:
            # Half an answer in the pipe would be taken for the next one's.
            if not answered:
                await self._end()
        return found

    async def _started(self) -> Process:
        if self._process and self._requests >= REQUESTS_MAX:
            await self._end()
        if self._process is None:
            self._requests = 0
            self._process = await start(self._command, self._environ)
        self._requests += 1
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        await end_group(process)


async def _exchange(process: Process, name: str, bytes_max: int) -> StoredObject | None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{name}\n".encode("ascii"))
    await process.stdin.drain()
    header = await process.stdout.readuntil(b"\n")
    words = header.decode("ascii", "replace").split()
    if words[-1:] == ["missing"]:
        return None
    if len(words) != 3:
        raise Refused(f"git answered {header[:80]!a} for an object")
    size = int(words[2])
    data = await process.stdout.readexactly(min(size, bytes_max))
    rest = size - len(data)
    if rest <= DRAIN_BYTES_MAX:
        await process.stdout.readexactly(rest + 1)
    return StoredObject(words[0], words[1], size, data)
