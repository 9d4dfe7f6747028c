"""Times and states in words, as people read them."""

from collections.abc import Iterator, Mapping, Sequence
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
ID_CHARACTERS = 8  # of a run's id: enough to tell those of a stage apart
SHORT_SECONDS = 10  # below, a tenth of a second counts

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def duration(seconds: float) -> str:
    """Return a span in its largest unit that fits."""
    whole = int(abs(seconds))
    for size, unit in _UNITS:
        if whole >= size:
            return f"{whole // size} {unit}"
    return "0 s"


def span(seconds: float | None) -> str:
    """Return a span in its two largest units that count; "-" for none."""
    if seconds is None:
        return "-"
    if seconds < SHORT_SECONDS:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    place = next(place for place, (size, _) in enumerate(_UNITS) if whole >= size)
    told = [(whole // size, unit) for size, unit in _UNITS[place : place + 1]]
    told += [(whole % _UNITS[place][0] // size, unit) for size, unit in _UNITS[place + 1 : place + 2]]
    return " ".join(f"{number} {unit}" for number, unit in told if number)


def ago(instant: str | None) -> str:
    """Return how long ago an instant was, or how far ahead it lies; empty for none."""
    if not instant:
        return ""
    seconds = (SystemClock().now() - datetime.fromisoformat(instant)).total_seconds()
    return f"{duration(seconds)} ago" if seconds >= 0 else f"in {_ahead(-seconds)}"


def _ahead(seconds: float) -> str:
    return duration(seconds) if seconds < SHORT_SECONDS else span(seconds)


def seconds_since(instant: str) -> float:
    """Return how long ago an instant was; never less than nothing."""
    return max((SystemClock().now() - datetime.fromisoformat(instant)).total_seconds(), 0.0)


def short(commit: str | None) -> str:
    """Return as much of a commit id as people read."""
    return (commit or "")[:COMMIT_CHARACTERS]


def reason(told: Mapping[str, Any]) -> str:
    """Return a sentence of the API with its times."""
    times = [f"for {ago(told['since']).removesuffix(' ago')}"] if told.get("since") else []
    if told.get("deadline"):
        times.append(f"ends by itself {ago(told['deadline'])} at the latest")
    return f"{told['text']} ({', '.join(times)})" if times else str(told["text"])


def wait(told: Mapping[str, Any]) -> str:
    """Return on what somebody waits and what ends that."""
    why, way_out = str(told["blocked_by"]).rstrip(" ."), str(told["released_by"]).rstrip(" .")
    return f"{why}{' Released' if why.endswith(('?', '!')) else '; released'} by {way_out}"


def first_line(text: str) -> str:
    """Return as much of a text as a line of a table has room for."""
    line, _, more = text.strip().partition("\n")
    return f"{line} ..." if more else line


def listed(numbers: Sequence[int]) -> str:
    """Return which revisions these are, oldest first: "revisions 8, 9 and 12"."""
    *others, last = map(str, sorted(numbers))
    return f"revisions {', '.join(others)} and {last}" if others else f"revision {last}"


def reason_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence of the API, and below it what belongs to it."""
    yield reason(told)
    for detail in told["details"]:
        yield f"  {detail}"
    for command in told["commands"]:
        yield f"  `{command}`"


def problem(found: Mapping[str, Any]) -> str:
    """Return a mistake of a pipeline file with its place and what may have been meant."""
    hint = f" ({found['hint']})" if found["hint"] else ""
    return f"{found['file']}:{found['line']}:{found['column']}: {found['message']}{hint}"
