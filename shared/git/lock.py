"""A lock between processes that share a folder, which children can go on holding."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from shared.faults import TryAgain

LOOK_AGAIN_SECONDS = 0.02  # flock has no wake-up that an event loop could wait for


@asynccontextmanager
async def locked(path: Path, seconds_max: float) -> AsyncIterator[int]:
    """Hold the lock; yields its descriptor, which a child may inherit. A full disk is a `TryAgain`."""
    try:
        with _opened(path) as descriptor:
            await _take(descriptor, path, seconds_max)
            yield descriptor
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    except OSError as exc:
        raise TryAgain(f"{path.stem} could not be worked on: {exc.strerror}") from exc


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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
        raise TryAgain(f"another process has worked on {path.stem} for too long") from exc


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
