"""One attempt at running a process: what to run, and what can be seen of it. Values only."""

import json
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from shared.faults import Refused

OUTPUT_BYTES_MAX = 16 * 1024 * 1024  # kept of one attempt's output, times included
GRACE_SECONDS = 10.0  # from SIGTERM to SIGKILL

ExitReason = Literal[
    "exited",  # by itself: with a code, or by a signal of its own or of a third party's
    "stopped",  # by `stop`, or by SIGTERM to the shim when the host goes down
    "limit",  # by its wall-clock limit
    "not_startable",  # no such program, no such folder, no permission; nothing ran
]


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run, exactly: nothing is inherited."""

    argv: tuple[str, ...]  # looked up in env's PATH unless it has a slash
    cwd: Path
    env: Mapping[str, str]
    output_bytes_max: int = OUTPUT_BYTES_MAX
    grace_seconds: float = GRACE_SECONDS
    limit_seconds: float | None = None  # a backstop: who waits keeps the real time limit
    keep_alive: bool = False  # a service: started again when it ends by itself, once promoted
    file_bytes_max: int | None = None  # of any one file it writes
    open_files_max: int | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """How it ended. `code` and `signal` exclude each other; neither: it never ran."""

    code: int | None
    signal: str  # "SIGKILL", or empty
    reason: ExitReason
    started_at: datetime
    finished_at: datetime
    message: str  # a sentence for people; empty when the code says it all

    @property
    def succeeded(self) -> bool:
        """Tell whether it ran to its own end and was content."""
        return self.reason == "exited" and self.code == 0


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing was ever started here."""


@dataclass(frozen=True, slots=True)
class Running:
    """It runs, is about to, is being stopped, or waits to be started again."""


@dataclass(frozen=True, slots=True)
class Exited:
    """It is over and nothing of its process group is left."""

    exit: Exit


@dataclass(frozen=True, slots=True)
class Lost:
    """It was started and is gone, and nobody knows how it ended: the host or its shim was killed."""


Observation = Absent | Running | Exited | Lost


def encode(spec: ProcessSpec) -> bytes:
    """Return the spec as the shim reads it."""
    fields = list(_fields(spec))
    if not spec.argv or not spec.argv[0]:
        raise Refused("a process needs a program to run, and none is named")
    if any("\0" in value for _, value in fields):
        raise Refused("an argument or a variable contains a NUL, which no program can be given")
    if any(not name or "=" in name for name in spec.env):
        raise Refused("the name of an environment variable is empty or contains '='")
    try:
        return b"".join(os.fsencode(f"{name}={value}") + b"\0" for name, value in fields)
    except UnicodeEncodeError as problem:
        raise Refused("an argument or a variable is not text that a program can be given") from problem


def _fields(spec: ProcessSpec) -> Iterator[tuple[str, str]]:
    yield from (("arg", value) for value in spec.argv)
    yield from (("env", f"{name}={value}") for name, value in spec.env.items())
    yield "cwd", str(spec.cwd.absolute())
    yield "output_bytes_max", str(spec.output_bytes_max)
    yield "grace_seconds", str(spec.grace_seconds)
    yield "limit_seconds", "inf" if spec.limit_seconds is None else str(spec.limit_seconds)
    yield "keep_alive", "1" if spec.keep_alive else "0"
    yield "file_bytes_max", str(-1 if spec.file_bytes_max is None else spec.file_bytes_max)
    yield "open_files_max", str(-1 if spec.open_files_max is None else spec.open_files_max)
    yield "end", "1"


def decode_exit(content: bytes) -> Exit | None:
    """Return the outcome that a shim wrote; None when a power cut left something else there."""
    try:
        fields = json.loads(content)
        number = fields["signal"]
        outcome = Exit(
            code=fields["code"],
            signal="" if number is None else signal_name(number),
            reason=fields["reason"],
            started_at=datetime.fromtimestamp(fields["started_at"], UTC),
            finished_at=datetime.fromtimestamp(fields["finished_at"], UTC),
            message=fields["message"],
        )
    except (ValueError, KeyError, TypeError):
        return None
    return outcome if outcome.reason in get_args(ExitReason) else None


def signal_name(number: int) -> str:
    """Return the signal's name as people write it."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"
