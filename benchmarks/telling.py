"""A result as a table on a terminal, with what is asked and whether it is met."""

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.budgets import WINDLASS
from benchmarks.figures import Series
from benchmarks.record import Result
from benchmarks.report import windlass_to
from benchmarks.verdict import Verdict, asked, asked_ratio, measured, number, place, times, verdicts

HEAD = ("", "party", "p50", "p95", "p99", "unit", "values", "Windlass over it")
WORDS = frozenset({0, 1, 5, 7})  # columns of words, flush left


def told(result: Result) -> str:
    """Return the table."""
    if result.unavailable:
        return f"{result.suite}: not measured: {result.unavailable}\n"
    rows = [HEAD, *(_row(result, each) for each in result.series)]
    return "".join([f"{result.suite}\n\n", *_aligned(rows), "\n", *map(_verdict, verdicts(result))])


def _row(result: Result, series: Series) -> tuple[str, ...]:
    name = ", ".join(filter(None, (series.subject, place(series))))
    if not series.rounds:
        return (name, series.party, "", "", "", "", "none", f"could not take part: {series.note}")
    figures = (number(series.quantile(share)) for share in (0.5, 0.95, 0.99))
    many = f"{result.taken_of(series):,}"
    return (name, series.party, *figures, series.unit, many, windlass_to(series, result.series))


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(_cells(row, widths)).rstrip() + "\n"


def _cells(row: Iterable[str], widths: Sequence[int]) -> Iterator[str]:
    for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.ljust(width) if column in WORDS else cell.rjust(width)


def _verdict(verdict: Verdict) -> str:
    budget, series = verdict.budget, verdict.series
    which = series.party if series.party != WINDLASS else ""
    name = ", ".join(filter(None, (budget.subject, which, place(series))))
    figure = measured(budget.figure(series), series.unit)
    words = f"{asked(budget)} is asked, {figure} measured: {verdict.words}"
    return f"  {name}: {words}{_related(verdict)}\n"


def _related(verdict: Verdict) -> str:
    """Say how it stands to the peer, with what is asked of that where something is."""
    if related := verdict.related:
        share = asked_ratio(related.budget, related.asked)
        where = f" at {place(related.series)}" if related.series != verdict.series else ""
        told = f"of {related.peer.party}{where} {share} is asked, {times(related.measured)} measured"
        return f"; {told}: {related.words}"
    if verdict.peer and verdict.beside:
        return f"; {times(verdict.beside)} of {verdict.peer.party}"
    return ""
