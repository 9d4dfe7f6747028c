"""Results as JSON, a file for each suite, and reading them back.

A file has to be small enough to be kept beside the code. Values keep five digits. Of a series of more than
`VALUES_MAX` values as many are kept, evenly by rank and from each round in proportion, its lowest and its
highest always: what is read back has the same quantiles to one part in `VALUES_MAX`, and rounds weigh what
they did; only the order in which the values were taken is lost.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.figures import Series
from benchmarks.machine import Conditions, Machine
from benchmarks.suite import Effort

SCHEMA = 1
VALUES_MAX = 2_000
DIGITS = 5


class Unreadable(Exception):  # noqa: N818 - named for what is the case
    """A file is not a result, or one of another schema; says which and the way out."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a suite."""

    suite: str
    date: str  # when it began, UTC: "2026-11-22T19:00:00Z"
    seconds: float  # that it took
    effort: Effort
    machine: Machine
    before: Conditions
    after: Conditions
    series: tuple[Series, ...]
    taken: tuple[int, ...]  # the number of values of each series, before some were left out
    unavailable: str = ""  # why nothing was measured

    def taken_of(self, series: Series) -> int:
        """Return how many values one of its series had."""
        return self.taken[self.series.index(series)]


def condensed(series: Series) -> Series:
    """Return a series as it is kept."""
    many = sum(map(len, series.rounds))
    share = min(VALUES_MAX / many, 1) if many else 1
    return replace(series, rounds=tuple(_thinned(values, share) for values in series.rounds))


def written(result: Result) -> str:
    """Return the file's text: a line for each series, so that a difference can be read."""
    head = asdict(replace(result, series=(), taken=()))
    del head["series"], head["taken"]
    rounded_head = _rounded({"schema": SCHEMA, **head})
    rows = [
        _compact({**asdict(series), "taken": taken})
        for series, taken in zip(result.series, result.taken, strict=True)
    ]
    opened = json.dumps(rounded_head, indent=2, ensure_ascii=False).removesuffix("\n}")
    listed = ",\n".join(f"    {row}" for row in rows)
    return f'{opened},\n  "series": [\n{listed}\n  ]\n}}\n' if rows else f'{opened},\n  "series": []\n}}\n'


def read(text: str, name: str) -> Result:
    """Return what a file says; `name` is what the file is called in an answer."""
    try:
        content = json.loads(text)
        schema = content.pop("schema")
        if schema != SCHEMA:
            raise Unreadable(f"{name} has schema {schema}, not {SCHEMA}: measure the suite anew")
        rows = content.pop("series")
        return Result(
            **content
            | {
                "effort": Effort(**content["effort"]),
                "machine": Machine(**content["machine"]),
                "before": Conditions(**content["before"]),
                "after": Conditions(**content["after"]),
                "taken": tuple(row.pop("taken") for row in rows),
                "series": tuple(map(_series, rows)),
            }
        )
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise Unreadable(f"{name} is not a result of a suite: {problem!r}") from problem


def read_all(folder: Path) -> Sequence[Result]:
    """Return the results in a folder, by the names of their suites."""
    return [read(file.read_text(encoding="utf-8"), file.name) for file in sorted(folder.glob("*.json"))]


def rounded(value: float) -> float:
    """Return a value to five digits; a whole number stays what it is: it was counted."""
    return value if value == int(value) else float(f"{value:.{DIGITS}g}")


def _thinned(values: Sequence[float], share: float) -> tuple[float, ...]:
    kept = max(round(len(values) * share), 2)
    if kept >= len(values):
        return tuple(map(rounded, values))
    ordered = sorted(values)
    last = len(ordered) - 1
    return tuple(rounded(ordered[round(rank * last / (kept - 1))]) for rank in range(kept))


def _series(row: Mapping[str, Any]) -> Series:
    return Series(**{**row, "rounds": tuple(tuple(values) for values in row["rounds"])})


def _rounded(value: Any) -> Any:
    match value:
        case dict():
            return {key: _rounded(inner) for key, inner in value.items()}
        case float():
            return rounded(value)
    return value


def _compact(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))
