"""What is asked of Windlass: DESIGN 12, and where it is silent the anchors of its peers, as data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.figures import Series

Statistic = Literal["p50", "p95", "p99", "highest", "lowest"]
SHARES: dict[Statistic, float] = {"lowest": 0.0, "p50": 0.5, "p95": 0.95, "p99": 0.99, "highest": 1.0}
WINDLASS = "Windlass"


@dataclass(frozen=True, slots=True)
class Budget:
    """A bound on one statistic of one subject."""

    subject: str
    statistic: Statistic
    bound: float
    unit: str
    at_least: bool = False  # else at most
    at: float | Literal["anywhere"] | None = "anywhere"  # on a growth curve; None: only where nothing grows

    def is_asked_of(self, series: Series) -> bool:
        """Tell whether it is about a series; nothing is asked of peers."""
        is_its = series.party.startswith(WINDLASS) and series.subject == self.subject
        return is_its and self.at in {"anywhere", series.at}

    def figure(self, series: Series) -> float:
        """Return the statistic that is bounded."""
        return series.quantile(SHARES[self.statistic])

    def is_met(self, series: Series) -> bool:
        """Tell whether the series keeps to it."""
        figure = self.figure(series)
        return figure >= self.bound if self.at_least else figure <= self.bound


BUDGETS: Sequence[Budget] = (
    Budget("webhook answered", "p50", 2, "ms", at=None),
    Budget("webhook answered", "p99", 8, "ms", at=None),
    Budget("pushes accepted while deploying", "p50", 800, "a second", at_least=True),
    Budget("accepted pushes lost or doubled", "highest", 0, "pushes"),
    Budget("push to first step", "p50", 60, "ms", at=None),
    Budget("push to first step", "p95", 120, "ms", at=None),
    Budget("step to next step", "p50", 10, "ms", at=None),
    Budget("burst of 200 pushes: runs", "highest", 2, "runs"),
    Budget("burst of 200 pushes: last commit live", "lowest", 1, "of 1", at_least=True),
    Budget("ready again after kill -9", "highest", 2, "s"),
    Budget("effects repeated by kill -9", "highest", 0, "effects"),
    Budget("list query", "p95", 10, "ms"),
    Budget("status query", "p95", 10, "ms"),
    Budget("memory", "highest", 200, "MB"),
    Budget("rebuild of the read model", "p50", 50_000, "events a second", at_least=True),
    Budget("stages advanced", "p50", 100, "a second", at_least=True, at=100),
    Budget("event to browser", "p95", 150, "ms"),
)


def budgets_of(series: Series) -> Iterable[Budget]:
    """Return what is asked of a series; of peers nothing is."""
    return [each for each in BUDGETS if each.is_asked_of(series)]
