"""What a result says of a budget, and of the party beside Windlass; and how figures are told.

A budget on a growth curve holds at each of its points, so the worst of them is judged; as a ratio, of those
where the peer stands beside it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.budgets import WINDLASS, Beside, Budget, budgets_of
from benchmarks.figures import Ratio, Series, quantile, ratio, ratio_of
from benchmarks.record import Result


@dataclass(frozen=True, slots=True)
class Related:
    """A budget held, as a ratio of what its peer gave then, against the ratio of one run."""

    budget: Budget
    series: Series
    peer: Series
    asked: float
    measured: Ratio  # of the budget's statistic, round by round

    @property
    def is_met(self) -> bool:
        """Tell whether the median of the rounds keeps to it."""
        of = self.measured.median
        return of >= self.asked if self.budget.at_least else of <= self.asked

    @property
    def words(self) -> str:
        """Say whether it is met, and by how much; a count is only judged as it is."""
        if self.budget.is_counted:
            return "a count: asked as it is"
        return _judged(self.measured.median, self.asked, self.budget, is_met=self.is_met)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A budget held against a series."""

    budget: Budget
    suite: str
    series: Series
    peer: Series | None  # who did the same in the same run
    beside: Ratio | None  # how many times the peer's Windlass' is
    related: Related | None  # where the peer that the budget was written beside took part

    @property
    def is_comparable(self) -> bool:
        """Tell whether what was measured is in the unit that the budget asks in."""
        return self.series.unit == self.budget.unit

    @property
    def is_met(self) -> bool:
        """Tell whether what is asked was measured."""
        return self.is_comparable and self.budget.is_met(self.series)

    @property
    def words(self) -> str:
        """Say whether it is met, and by how much."""
        if not self.is_comparable:
            return f"cannot be judged: measured in {self.series.unit}"
        budget = self.budget
        return _judged(budget.figure(self.series), budget.bound, budget, is_met=self.is_met)


def _judged(figure: float, bound: float, budget: Budget, *, is_met: bool) -> str:
    """Say by how much a figure keeps to a bound, or misses it."""
    if is_met:
        share = abs(1 - figure / bound) if bound else 0
        return f"met, by {share:.0%}" if share >= 0.005 else "met"
    if not bound:
        return f"missed by {number(abs(figure - bound))}"
    share = figure / bound
    return (
        f"missed: {share:.0%} of what is asked"
        if budget.at_least
        else f"missed: {share:.2f} times what is asked"
    )


def verdicts(result: Result) -> Iterator[Verdict]:
    """Yield what a result says of each budget it has to do with, Windlass by Windlass."""
    judged: dict[tuple[Budget, str], Series] = {}
    ratios: dict[tuple[Budget, str], Related] = {}
    for series in filter(None, map(present, result.series)):
        for budget in budgets_of(series):
            key = (budget, series.party)
            if key not in judged or is_worse(budget, series, judged[key]):
                judged[key] = series
            related = related_of(budget, series, result.series)
            if related and (key not in ratios or _is_worse(related, ratios[key])):
                ratios[key] = related
    for (budget, party), series in judged.items():
        peer = next(iter(peers_of(series, result.series)), None)
        related = ratios.get((budget, party))
        yield Verdict(budget, result.suite, series, peer, compared(series, peer), related)


def related_of(budget: Budget, series: Series, among: Sequence[Series]) -> Related | None:
    """Return a series beside the peer that its budget was written beside, if that took part."""
    if budget.beside is None or budget.ratio is None or series.unit != budget.unit:
        return None
    for peer in peers_of(series, among):
        is_its, have_same = peer.party == budget.beside.party, len(peer.rounds) == len(series.rounds)
        if is_its and have_same and all(quantile(values, budget.share) for values in peer.rounds):
            measured_ratio = ratio_of(budget.share, series, peer)
            return Related(budget, series, peer, budget.ratio, measured_ratio)
    return None


def _is_worse(one: Related, other: Related) -> bool:
    ours, theirs = one.measured.median, other.measured.median
    return ours < theirs if one.budget.at_least else ours > theirs


def is_worse(budget: Budget, one: Series, other: Series) -> bool:
    """Tell whether the budget has more to say against the one than against the other."""
    ours, theirs = budget.figure(one), budget.figure(other)
    return ours < theirs if budget.at_least else ours > theirs


def present(series: Series) -> Series | None:
    """Return a series whose party took part."""
    return series if series.rounds else None


def peers_of(series: Series, among: Sequence[Series]) -> Iterator[Series]:
    """Yield what others than Windlass did of the same, at the same place; a suite gives its peer first."""
    for each in among:
        same = (each.subject, each.at, each.unit) == (series.subject, series.at, series.unit)
        if same and each.rounds and not each.party.startswith(WINDLASS):
            yield each


def compared(of: Series, to: Series | None) -> Ratio | None:
    """Return the ratio where there is one: the same rounds, and something to divide by."""
    if to is None or not to.rounds or len(of.rounds) != len(to.rounds) or not all(to.medians):
        return None
    return ratio(of, to)


def asked(budget: Budget) -> str:
    """Say what is asked: "p95 at most 120 ms"; what each value is asked, without its statistic."""
    limit = "at least" if budget.at_least else "at most"
    words = f"{limit} {measured(budget.bound, budget.unit)}"
    of_each = budget.statistic == ("lowest" if budget.at_least else "highest")
    return words if of_each else f"{budget.statistic} {words}"


def asked_beside(budget: Budget, peer: Beside) -> str:
    """Say what is asked beside what a peer gave: "p95 at most 120 / 302 ms"."""
    both = f"{number(budget.bound)} / {measured(peer.figure, budget.unit)}"
    return asked(budget).replace(measured(budget.bound, budget.unit), both)


def asked_ratio(budget: Budget, share: float) -> str:
    """Say what is asked as a ratio: "at most 0.397"."""
    return f"{'at least' if budget.at_least else 'at most'} {number(share)}"


def place(series: Series) -> str:
    """Say where on its curve a series stands: "100,000 stored deployments"."""
    return "" if series.at is None else f"{number(series.at)} {series.along}".strip()


def measured(value: float, unit: str) -> str:
    """Return a figure with its unit; of a growing quantity three digits say all."""
    return f"{number(value)} {unit}"


def number(value: float) -> str:
    """Return a number of three digits that count; a whole one entirely."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 1:
        return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{value:.3g}"


def times(beside: Ratio | None) -> str:
    """Return a ratio and its spread over the rounds."""
    if beside is None:
        return ""
    return f"{beside.median:.2f} ({beside.lowest:.2f} to {beside.highest:.2f})"
