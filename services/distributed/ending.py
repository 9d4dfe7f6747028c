"""How long a process may take to end: bounded, whatever hangs, and at once when it is asked twice.

Being cut short is no worse than a crash, which nothing is lost by.
"""

import asyncio
import os
import signal

import structlog
from starlette.types import ASGIApp

from shared.web.server import WebServer

CUT_SHORT = 1  # the exit code when the time was not enough
AT_ONCE = 128 + signal.SIGTERM  # as a shell counts it

log = structlog.get_logger()


class BoundedServer(WebServer):
    """A server whose end is the beginning of the program's."""

    def __init__(self, app: ASGIApp, shutdown_seconds: float) -> None:
        super().__init__(app)
        self._shutdown_seconds = shutdown_seconds

    def end(self) -> None:
        """End, and have the process end with us before long."""
        if self.should_exit:
            log.warning("program.ended_at_once")
            os._exit(AT_ONCE)
        super().end()
        asyncio.get_running_loop().call_later(self._shutdown_seconds, self._cut_short)

    def _cut_short(self) -> None:
        log.error("program.cut_short", after_seconds=self._shutdown_seconds)
        os._exit(CUT_SHORT)
