"""The seam at which reading and writing whole archives leaves the event loop."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from shared.artifacts.pack import Chunk

Answer = TypeVar("Answer")


class _Ended(Exception):  # noqa: N818 - nobody but `beside_the_loop` sees it
    """The work was told to end."""


async def beside_the_loop(work: Callable[[Chunk], Answer]) -> Answer:
    """Run `work` in a thread; if cancelled, have it end at its next chunk and wait until it has.

    Without that wait its files would still be written to while their folder is removed.
    """
    ending = threading.Event()

    def each() -> None:
        if ending.is_set():
            raise _Ended

    running = asyncio.get_running_loop().run_in_executor(None, work, each)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        ending.set()
        await asyncio.wait([running])
        raise
    finally:
        if running.done() and not running.cancelled():
            running.exception()  # seen, so that asyncio does not report it as forgotten
