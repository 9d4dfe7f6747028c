"""Locks between processes that share a folder, on one machine or in several of its containers.

A lock belongs to whoever has its file open, so that the kernel lets go of it when a process ends,
however that is, and children that were given the descriptor go on holding it. Two holders in one
process exclude each other like any two. A process that is frozen keeps what it holds: whoever waits is
told which one it is. The file itself is never removed: another could be locking it just then.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from shared.faults import TryAgain

LOOK_AGAIN_SECONDS = 0.02  # flock has no wake-up that an event loop could wait for
PID_BYTES_MAX = 20


@asynccontextmanager
async def held(path: Path, seconds_max: float) -> AsyncIterator[int]:
    """Hold the lock; yields its descriptor. `TryAgain` when it cannot be had within `seconds_max`."""
    with _opened(path) as descriptor:
        await _take(descriptor, path, seconds_max)
        yield descriptor


@contextmanager
def held_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock unless somebody else does; yields which it is."""
    with _opened(path) as descriptor:
        yield _taken(descriptor)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise TryAgain(f"the lock {_shown(path)} cannot be made: {exc.strerror}") from exc
    try:
        yield descriptor
    finally:
        os.close(descriptor)


async def _take(descriptor: int, path: Path, seconds_max: float) -> None:
    try:
        async with asyncio.timeout(seconds_max):
            while not _taken(descriptor):  # noqa: ASYNC110 - the holder is another process
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
    except TimeoutError as exc:
        holder = os.pread(descriptor, PID_BYTES_MAX, 0).decode("ascii", "replace").strip() or "unknown"
        sentence = f"another process ({holder}) has worked on {_shown(path)} for too long"
        raise TryAgain(f"{sentence}: end it if it hangs") from exc


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    with suppress(OSError):  # no room on the disk: the lock holds without a name in it
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return True


def _shown(path: Path) -> str:
    """Return what is locked, without the machine's absolute path."""
    return path.stem if path.stem != "lock" else path.parent.name
