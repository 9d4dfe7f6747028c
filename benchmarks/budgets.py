"""What is asked of Windlass: DESIGN 12, and where it is silent the anchors of its peers, as data.

A budget is a figure of one machine on one day. Where it was written beside a peer's, what is asked of any
other machine is the ratio of the two, taken in one run.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.figures import Series

Statistic = Literal["p50", "p95", "p99", "highest", "lowest"]
SHARES: dict[Statistic, float] = {"lowest": 0.0, "p50": 0.5, "p95": 0.95, "p99": 0.99, "highest": 1.0}
WINDLASS = "Windlass"
COUNTS = frozenset({"runs", "pushes", "effects", "of 1"})  # units


@dataclass(frozen=True, slots=True)
class Beside:
    """What a peer gave when the budget was written, of the same statistic in the same unit."""

    party: str
    figure: float


@dataclass(frozen=True, slots=True)
class Budget:
    """A bound on one statistic of one subject."""

    subject: str
    statistic: Statistic
    bound: float
    unit: str
    at_least: bool = False  # else at most
    at: float | Literal["anywhere"] | None = "anywhere"  # on a growth curve; None: only where nothing grows
    beside: Beside | None = None  # None: nobody was measured

    @property
    def share(self) -> float:
        """Return 0 to 1, the share of values that do not exceed what is bounded."""
        return SHARES[self.statistic]

    @property
    def ratio(self) -> float | None:
        """Return how many times the peer's figure the bound is."""
        return self.bound / self.beside.figure if self.beside else None

    @property
    def is_counted(self) -> bool:
        """Tell whether it bounds a count, which no machine's speed excuses."""
        return self.unit in COUNTS

    def is_asked_of(self, series: Series) -> bool:
        """Tell whether it is about a series; nothing is asked of peers."""
        is_its = series.party.startswith(WINDLASS) and series.subject == self.subject
        return is_its and self.at in {"anywhere", series.at}

    def figure(self, series: Series) -> float:
        """Return the statistic that is bounded."""
        return series.quantile(self.share)

    def is_met(self, series: Series) -> bool:
        """Tell whether the series keeps to it."""
        figure = self.figure(series)
        return figure >= self.bound if self.at_least else figure <= self.bound


def _buildbot(figure: float) -> Beside:
    return Beside("Buildbot", figure)


BUDGETS: Sequence[Budget] = (
    Budget("webhook answered", "p50", 2, "ms", at=None, beside=_buildbot(11.2)),
    Budget("webhook answered", "p99", 8, "ms", at=None, beside=_buildbot(33.7)),
    Budget("pushes accepted while deploying", "p50", 800, "a second", at_least=True, beside=_buildbot(40)),
    Budget("accepted pushes lost or doubled", "highest", 0, "pushes"),
    Budget("push to first step", "p50", 60, "ms", at=None, beside=_buildbot(247)),
    Budget("push to first step", "p95", 120, "ms", at=None, beside=_buildbot(302)),
    Budget("step to next step", "p50", 10, "ms", at=None, beside=_buildbot(70)),
    Budget("burst of 200 pushes: runs", "highest", 2, "runs", beside=_buildbot(26)),
    Budget("burst of 200 pushes: last commit live", "lowest", 1, "of 1", at_least=True),
    Budget("ready again after kill -9", "highest", 2, "s", beside=_buildbot(1.2)),
    Budget("effects repeated by kill -9", "highest", 0, "effects"),
    Budget("list query", "p95", 10, "ms", beside=_buildbot(8.5)),
    Budget("status query", "p95", 10, "ms", beside=_buildbot(8.5)),
    Budget("memory", "highest", 200, "MB", beside=_buildbot(89)),
    Budget("rebuild of the read model", "p50", 50_000, "events a second", at_least=True),
    Budget("stages advanced", "p50", 100, "a second", at_least=True, at=100),
    Budget("event to browser", "p95", 150, "ms"),
)


def budgets_of(series: Series) -> Iterable[Budget]:
    """Return what is asked of a series; of peers nothing is."""
    return [each for each in BUDGETS if each.is_asked_of(series)]
