"""Times and states in words, as people read them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.clock import SystemClock

STYLES: Mapping[str, str] = {
    "pending": "dim",
    "deploying": "yellow",
    "running": "green",
    "failed": "red",
    "degraded": "red",
    "unreachable": "red",
    "paused": "magenta",
}
COMMIT_CHARACTERS = 8

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def duration(seconds: float) -> str:
    """Return a span in its largest unit that fits."""
    whole = int(abs(seconds))
    for size, unit in _UNITS:
        if whole >= size:
            return f"{whole // size} {unit}"
    return "0 s"


def ago(instant: str | None) -> str:
    """Return how long ago an instant was, or how far ahead it lies; empty for none."""
    if not instant:
        return ""
    seconds = (SystemClock().now() - datetime.fromisoformat(instant)).total_seconds()
    return f"{duration(seconds)} ago" if seconds >= 0 else f"in {duration(seconds)}"


def short(commit: str | None) -> str:
    """Return as much of a commit id as people read."""
    return (commit or "")[:COMMIT_CHARACTERS]


def reason(told: Mapping[str, Any]) -> str:
    """Return a sentence of the API with its times."""
    times = [f"for {ago(told['since']).removesuffix(' ago')}"] if told.get("since") else []
    if told.get("deadline"):
        times.append(f"ends by itself {ago(told['deadline'])} at the latest")
    return f"{told['text']} ({', '.join(times)})" if times else str(told["text"])


def problem(found: Mapping[str, Any]) -> str:
    """Return a mistake of a pipeline file with its place and what may have been meant."""
    hint = f" ({found['hint']})" if found["hint"] else ""
    return f"{found['file']}:{found['line']}:{found['column']}: {found['message']}{hint}"
