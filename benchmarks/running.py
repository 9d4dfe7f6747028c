"""One suite after the other, each in a fresh folder; what became of each is kept."""

import math
import shutil
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from benchmarks.figures import Series
from benchmarks.machine import ROOT, Conditions, Machine, conditions, machine
from benchmarks.record import Result, condensed, written
from benchmarks.suite import Bench, Effort, Suite, Tell, Unavailable

REASON_MAX = 500  # characters


class Entry(Protocol):
    """A suite by name; `contents.Entry` is one."""

    def load(self) -> Suite:
        """Return the suite."""
        ...

    def subjects(self) -> Sequence[str]:
        """Return what it measures."""
        ...


@dataclass(frozen=True, slots=True)
class Build:
    """Where everything lies that is made on the way; on the disk that is measured."""

    folder: Path

    @property
    def fresh(self) -> Path:
        """Return where suites get their folders."""
        return self.folder / "run"

    @property
    def tools(self) -> Path:
        """Return where peers are installed once."""
        return self.folder / "tools"

    def results(self, effort: Effort) -> Path:
        """Return where results are kept; a brief look is no result, and never takes the place of one."""
        return self.folder / ("brief" if effort.brief else "results")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a suite: a result, or why there is none."""

    suite: str
    result: Result | None
    problem: str = ""  # also beside a result: why it is not as it has to be

    @property
    def is_good(self) -> bool:
        """Tell whether it was measured as it has to be."""
        return self.result is not None and not self.result.unavailable and not self.problem


@dataclass(frozen=True, slots=True)
class Run:
    """How suites are run."""

    build: Build
    effort: Effort
    tell: Tell
    machine: Callable[[], Awaitable[Machine]] = machine
    conditions: Callable[[Path], Awaitable[Conditions]] = conditions


async def run(suites: Mapping[str, Entry], how: Run) -> AsyncIterator[Outcome]:
    """Yield what became of each suite; none keeps the next from its turn."""
    it = await how.machine()
    for name, entry in suites.items():
        try:
            result = await _measured(name, entry, how, it)
            problem = unlisted(result, entry.subjects())
        except Exception as wrong:  # noqa: BLE001 - whatever a suite raises, the others have their turn
            how.tell("".join(traceback.format_exception(wrong)).rstrip())
            yield Outcome(name, None, f"failed: {type(wrong).__name__}: {wrong}")
            continue
        _keep(result, how.build.results(how.effort))
        yield Outcome(name, result, problem)


def unlisted(result: Result, subjects: Sequence[str]) -> str:
    """Return what is wrong with a result whose subjects are not those that its suite names."""
    strange = dict.fromkeys(each.subject for each in result.series if each.subject not in subjects)
    return f"measured what its SUBJECTS do not name: {', '.join(strange)}" if strange else ""


def sound(series: Sequence[Series]) -> Sequence[Series]:
    """Return series as they were given; raises `ValueError` for what no table could show."""
    for each in series:
        values = [value for values in each.rounds for value in values]
        if not all(each.rounds) or not all(map(math.isfinite, values)):
            raise ValueError(
                f"{each.subject} of {each.party} has a round without values, or one that is none"
            )
        if not each.rounds and not each.note:
            raise ValueError(f"{each.subject} of {each.party} has no round and no note that says why")
    often = Counter((each.subject, each.party, each.unit, each.at) for each in series)
    if twice := [key for key, times in often.items() if times > 1]:
        raise ValueError(f"given twice: {twice[0]}")
    return series


async def _measured(name: str, entry: Entry, how: Run, it: Machine) -> Result:
    """Measure one suite in a folder that is gone afterwards."""
    how.build.fresh.mkdir(parents=True, exist_ok=True)
    how.build.tools.mkdir(parents=True, exist_ok=True)
    probed, folder = (Path(tempfile.mkdtemp(prefix=f"{name}-", dir=how.build.fresh)) for _ in range(2))
    date, began = datetime.now(UTC), time.monotonic()
    series: Sequence[Series] = ()
    unavailable = ""
    try:
        before = await how.conditions(probed)
        try:
            series = sound(await entry.load()(Bench(folder, how.build.tools, how.effort, how.tell)))
        except Unavailable as why:
            unavailable = _told(why)
        after = await how.conditions(probed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(probed, ignore_errors=True)
    return Result(
        suite=name,
        date=f"{date:%Y-%m-%dT%H:%M:%SZ}",
        seconds=time.monotonic() - began,
        effort=how.effort,
        machine=it,
        before=before,
        after=after,
        series=tuple(map(condensed, series)),
        taken=tuple(sum(map(len, each.rounds)) for each in series),
        unavailable=unavailable,
    )


def _told(why: Unavailable) -> str:
    """Return the reason as it can be published: on one line, without this machine's folders.

    Of a long one both ends are kept: what was tried stands first, what went wrong last.
    """
    words = " ".join(str(why).replace(str(ROOT), ".").split()) or "no reason was given"
    if len(words) <= REASON_MAX:
        return words
    return f"{words[: REASON_MAX // 2 - 3]} … {words[-REASON_MAX // 2 :]}"


def _keep(result: Result, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{result.suite}.json").write_text(written(result), encoding="utf-8")
