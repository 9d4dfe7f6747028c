"""Which pictures a result gives, and the points in them; `plots.py` draws.

Kept from drawing so that the page, and its check, need no drawing library: a picture carries a mark of its
points, and the check compares it with the mark of what the figures give now.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Literal

from benchmarks.budgets import SHARES, budgets_of
from benchmarks.figures import Series, quantile
from benchmarks.record import Result
from benchmarks.verdict import asked

TIMES = frozenset({"ms", "s", "µs"})
VALUES_MIN = 20  # fewer are no distribution
STEPS_MAX = 250  # of a curve: more would not be seen
PLACES_MIN = 3  # fewer are no curve


@dataclass(frozen=True, slots=True)
class Line:
    """A party's line; of a distribution x is a value and y the share of values up to it."""

    party: str
    points: tuple[tuple[float, float], ...]
    spread: tuple[tuple[float, float], ...] = ()  # for each point, the lowest and highest of rounds' medians
    high: tuple[tuple[float, float], ...] = ()  # the p95 above the points, where there are values enough
    marks: tuple[tuple[str, float, float], ...] = ()  # what is written beside a point, and the point


@dataclass(frozen=True, slots=True)
class Bound:
    """What is asked, as a line."""

    words: str
    value: float
    share: float  # of values, of which it is asked


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn into one file."""

    name: str  # of the file, without its ending
    title: str
    kind: Literal["distribution", "growth"]
    x: str  # what its axis says
    y: str
    lines: tuple[Line, ...]
    bounds: tuple[Bound, ...] = ()

    @property
    def mark(self) -> str:
        """Return what another picture of the same name would not have."""
        return sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:32]


def pictures(result: Result) -> Sequence[Picture]:
    """Return the pictures of a result, in the order of its subjects."""
    subjects = dict.fromkeys((series.subject, series.unit) for series in result.series)
    return [*filter(None, (_picture(result, *subject) for subject in subjects))]


def _picture(result: Result, subject: str, unit: str) -> Picture | None:
    of_it = [each for each in result.series if (each.subject, each.unit) == (subject, unit) and each.rounds]
    single = [series for series in of_it if series.at is None]
    grown = [series for series in of_it if series.at is not None]
    name = f"{result.suite}-{slug(subject)}"
    if len({series.at for series in grown}) >= PLACES_MIN:
        return _growth(name, grown)
    if unit in TIMES and any(len(series.values) >= VALUES_MIN for series in single):
        return _distribution(name, single)
    return None


def _distribution(name: str, series: Sequence[Series]) -> Picture:
    return Picture(
        name=name,
        title=series[0].subject,
        kind="distribution",
        x=series[0].unit,
        y="share of values up to it",
        lines=tuple(map(_steps, series)),
        bounds=tuple(_bounds(series)),
    )


def _steps(series: Series) -> Line:
    """Return the steps of a distribution, no more of them than can be seen."""
    ordered = series.values
    many = min(len(ordered), STEPS_MAX)
    shares = [step / many for step in range(1, many + 1)]
    points = [(quantile(ordered, 0), 0.0), *((quantile(ordered, share), round(share, 4)) for share in shares)]
    marks = [(f"p{round(share * 100)}", quantile(ordered, share), share) for share in (0.5, 0.95)]
    return Line(series.party, tuple(points), marks=tuple(marks))


def _growth(name: str, series: Sequence[Series]) -> Picture:
    by_party: dict[str, list[Series]] = {}
    for each in sorted(series, key=_at):
        by_party.setdefault(each.party, []).append(each)
    lines = tuple(_curve(party, curve) for party, curve in by_party.items())
    first, several = series[0], any(line.high for line in lines)
    return Picture(
        name=name,
        title=first.subject,
        kind="growth",
        x=first.along,
        y=f"{first.unit} (line: p50, dots: p95)" if several else first.unit,
        lines=lines,
        bounds=tuple(_bounds(series)),
    )


def _curve(party: str, curve: Sequence[Series]) -> Line:
    several = all(len(each.values) >= VALUES_MIN for each in curve)
    return Line(
        party,
        tuple((_at(each), each.quantile(0.5)) for each in curve),
        tuple((min(each.medians), max(each.medians)) for each in curve),
        tuple((_at(each), each.quantile(0.95)) for each in curve) if several else (),
    )


def _at(series: Series) -> float:
    assert series.at is not None
    return series.at


def _bounds(series: Sequence[Series]) -> Iterator[Bound]:
    """Yield what is asked of Windlass, told as the picture is read."""
    for budget in dict.fromkeys(budget for each in series for budget in budgets_of(each)):
        if budget.unit == series[0].unit:
            yield Bound(f"asked: {asked(budget)}", budget.bound, SHARES[budget.statistic])


def slug(words: str) -> str:
    """Return words as a file is called."""
    return re.sub("[^a-z0-9]+", "-", words.lower()).strip("-")
