"""Structured logs: one line a thing that happened, `noun.verb_past` and key-values, to standard error."""

import logging
import os
import sys
from typing import TextIO, cast

import structlog


class PatientStream:
    """A descriptor to which lines are lost rather than anything ended by what is only told of it.

    A log lies on a disk, which may be full, or is a pipe, whose reader may be gone.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._line = b""
        self._lost = 0
        self._torn = False  # the last line stands there without its end

    def write(self, text: str) -> None:
        """Take a part of a line."""
        self._line += text.encode("utf-8", "backslashreplace")

    def flush(self) -> None:
        """Write the line, after a word about those that were lost before it."""
        line, self._line = self._line, b""
        end = b"\n" if self._torn else b""
        word = b'{"event": "lines.lost", "count": %d}\n' % self._lost if self._lost else b""
        if not self._put(end + word + line):
            self._lost += 1
        else:
            self._lost, self._torn = 0, False

    def _put(self, lines: bytes) -> bool:
        try:
            written = os.write(self._descriptor, lines)
        except OSError:
            return False
        self._torn = written < len(lines)
        return not self._torn


def configure(*, json: bool, level: str = "info") -> None:
    """Set up structlog for this process; called once, by the program that starts."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if json else structlog.processors.StackInfoRenderer(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", PatientStream(sys.stderr.fileno()))),
        cache_logger_on_first_use=True,
    )
