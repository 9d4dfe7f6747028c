"""One attempt to build one artifact: what is ordered, what comes back, and what a failure shows.

Facts only: what a failure is called `shared/diagnosis` says, and whether another attempt follows,
`another_attempt`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from signal import Signals
from typing import Literal

from shared.events import Evidence, LogLine
from shared.events.evidence import LOG_LINE_CHARACTERS_MAX, LOG_TAIL_LINES_MAX
from shared.ids import Commit, Digest, Pipeline
from shared.plan import ArtifactPlan
from shared.process import Exit

LOG_TAIL_BYTES_MAX = 64 * 1024  # in all; it travels inside one event

_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class BuildLimits:
    """How much one attempt may take of the machine; its time is the recipe's."""

    file_bytes_max: int = 8 * 1024**3  # of any one file it writes
    output_bytes_max: int = 16 * 1024**2  # of output that is kept; the rest is thrown away
    grace_seconds: float = 10.0  # from SIGTERM to SIGKILL when it is stopped


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """Build this artifact, at this commit."""

    attempt: int  # from 1; each has a workspace of its own
    pipeline: Pipeline
    revision: int
    remote: str
    commit: Commit
    recipe: ArtifactPlan

    @property
    def name(self) -> str:
        """Return what the attempt's workspace is called."""
        assert _KEY.fullmatch(self.recipe.build_key), "a build key is a sha256"
        return f"{self.recipe.build_key}-{self.attempt}"


@dataclass(frozen=True, slots=True)
class Built:
    """The artifact is in the store."""

    digest: Digest
    size_bytes: int
    duration_seconds: float  # from the first beginning of the attempt, crashes included


@dataclass(frozen=True, slots=True)
class BuildFailed:
    """The attempt gave no artifact."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class BuildStopped:
    """Somebody asked for the attempt to end, and it has."""


BuildAnswer = Built | BuildFailed | BuildStopped


def impossible(order: BuildOrder, problem: str) -> Evidence:
    """Return the evidence of a build whose commands were never run."""
    return Evidence(
        phase="build",
        kind="error",
        what=order.recipe.id,
        message=f"The build of {order.recipe.id} could not be carried out: {problem}.",
    )


def unsourced(order: BuildOrder, problem: str) -> Evidence:
    """Return the evidence of a commit that could not be had."""
    return Evidence(
        phase="clone",
        kind="source",
        what=order.recipe.id,
        message=f"Checking out {order.commit} for {order.recipe.id} was refused: {problem}.",
    )


def unpackable(order: BuildOrder, problem: str, ended: Exit | None) -> Evidence:
    """Return the evidence of an output that is missing or that no artifact may hold."""
    return Evidence(
        phase="build",
        kind="artifact",
        what=order.recipe.id,
        exit_code=ended.code if ended else None,
        started_at=ended.started_at if ended else None,
        finished_at=ended.finished_at if ended else None,
        message=f"{order.recipe.id} was built but cannot be kept: {problem}.",
    )


def lost(order: BuildOrder, tail: Sequence[LogLine]) -> Evidence:
    """Return the evidence of a build that its machine took down."""
    return Evidence(
        phase="build",
        kind="interrupted",
        what=order.recipe.id,
        message=f"The build of {order.recipe.id} was interrupted: its process is gone without a trace.",
        log_tail=bounded(tail),
    )


def ended_badly(order: BuildOrder, ended: Exit, tail: Sequence[LogLine]) -> Evidence:
    """Return the evidence of commands that did not end with 0."""
    return Evidence(
        phase="build",
        kind=_KINDS[ended.reason],
        what=order.recipe.id,
        message=f"The build of {order.recipe.id} {_ending(order, ended)}.",
        exit_code=ended.code,
        signal=ended.signal,
        started_at=ended.started_at,
        finished_at=ended.finished_at,
        log_tail=bounded(tail),
    )


def bounded(tail: Sequence[LogLine]) -> tuple[LogLine, ...]:
    """Return the last lines, as many and as long as travel with a failure."""
    lines = [
        LogLine(at=line.at, text=line.text[:LOG_LINE_CHARACTERS_MAX]) for line in tail[-LOG_TAIL_LINES_MAX:]
    ]
    sizes = accumulate(len(line.text.encode("utf-8", "replace")) for line in reversed(lines))
    kept = sum(1 for _ in takewhile(lambda size: size <= LOG_TAIL_BYTES_MAX, sizes))
    return tuple(lines[len(lines) - kept :])


# What a process that ended tells about why. "stopped" without anybody having asked us to stop it is
# the machine being shut down.
_KINDS: dict[str, Literal["process", "timeout", "interrupted", "error"]] = {
    "exited": "process",
    "limit": "timeout",
    "stopped": "interrupted",
    "not_startable": "error",
}


def _ending(order: BuildOrder, ended: Exit) -> str:
    match ended.reason:
        case "limit":
            return f"did not end within {order.recipe.timeout_seconds:g} s and was stopped"
        case "stopped":
            return "was interrupted: something other than Windlass ended its process"
        case "not_startable":
            return f"could not be started: {ended.message}"
    ended_by = ended.signal or _signal_of_a_command(ended.code or 0)
    if ended_by == "SIGXFSZ":
        return "was ended because a file it wrote passed the size that one file may have"
    if ended.signal:
        return f"was ended by {ended.signal}"
    return f"exited with {ended.code}" + (f": a command was ended by {ended_by}" if ended_by else "")


def _signal_of_a_command(code: int) -> str:
    """Return which signal a shell means by its exit code, or the empty string."""
    return next((known.name for known in Signals if known == code - 128), "")
