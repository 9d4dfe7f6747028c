"""What a suite gives: series of values by round, and what can be said of them.

A round is a slice of time in which every party had its turn. Ratios are taken within a round and then
their median, because a shared machine is fast in one minute and slow in the next.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True, slots=True)
class Series:
    """One thing measured of one party."""

    subject: str  # what was measured, in the words of the table: "webhook answered"
    party: str  # whose it is: "Windlass", "Buildbot"
    unit: str  # "ms", "s", "MB", "a second", "of 200"
    # A round's values, in the order taken; none is empty. No round at all: the party could not take part,
    # and `note` says why.
    rounds: tuple[tuple[float, ...], ...]
    at: float | None = None  # its place on a growth curve; None where there is none
    along: str = ""  # what grows: "stored deployments"
    note: str = ""  # what else one must know to read it

    @property
    def values(self) -> list[float]:
        """Return the values of all rounds, the smallest first."""
        return sorted(chain.from_iterable(self.rounds))

    @property
    def medians(self) -> list[float]:
        """Return each round's median."""
        return [statistics.median(values) for values in self.rounds]

    def quantile(self, share: float) -> float:
        """Return the smallest value that at least `share` of all values, 0 to 1, do not exceed."""
        return quantile(self.values, share)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest of the values that at least `share` of them, 0 to 1, do not exceed."""
    rank = math.ceil(round(len(values) * share, 6))  # rounded: 0.07 of 100 are 7, not 7.000000000000001
    return sorted(values)[max(rank - 1, 0)]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times one party's median is another's, over the rounds."""

    median: float
    lowest: float
    highest: float


def ratio(of: Series, to: Series) -> Ratio:
    """Compare two series round by round; both have the same rounds, none with a median of 0 in `to`."""
    by_round = [ours / theirs for ours, theirs in zip(of.medians, to.medians, strict=True)]
    return Ratio(statistics.median(by_round), min(by_round), max(by_round))


def ratio_of(share: float, of: Series, to: Series) -> Ratio:
    """Compare one quantile of two series round by round; both have the same rounds, none of `to` gives 0."""
    pairs = zip(of.rounds, to.rounds, strict=True)
    by_round = [quantile(ours, share) / quantile(theirs, share) for ours, theirs in pairs]
    return Ratio(statistics.median(by_round), min(by_round), max(by_round))


def in_milliseconds(rounds: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    """Return rounds of seconds as `Series` takes them, in milliseconds."""
    return tuple(tuple(seconds * 1000 for seconds in values) for values in rounds)


def one_each(values: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """Return rounds that have one value each."""
    return tuple((value,) for value in values)
