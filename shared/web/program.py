"""How a program with an HTTP server runs until it is told to end."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog

from shared.web.server import Listener, WebServer

Part = Callable[[], Awaitable[None]]  # runs until it is cancelled

log = structlog.get_logger()


async def until_told(
    server: WebServer, listener: Listener, work: Part, afterwards: Part, greeting: str
) -> None:
    """Serve and work until SIGTERM or SIGINT; end the server first, so that nothing is taken that nobody
    carries on, then the work, which is cancelled and waited for.

    `afterwards` is begun once the server listens, and need not come to its end.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.end)
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(forever(work))
        serving = tasks.create_task(server.serve([listener]))
        await server.listening.wait()
        gc.freeze()  # what was loaded is never garbage: no collection need look at it again
        gc.enable()
        with suppress(OSError):  # nobody reads it, or there is no room for it
            print(greeting, flush=True)  # noqa: T201 - the one line that is the program's own output
        catching_up = tasks.create_task(_to_its_end(afterwards))
        await serving
        log.info("program.ended")
        catching_up.cancel()
        working.cancel()


async def side_by_side(parts: Sequence[Part]) -> None:
    """Run all of them until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        for part in parts:
            tasks.create_task(forever(part))


async def forever(part: Part) -> None:
    """Run it until cancelled; it is a bug when it ends before."""
    await part()
    raise RuntimeError(f"{part} ended by itself")


async def _to_its_end(part: Part) -> None:
    await part()
