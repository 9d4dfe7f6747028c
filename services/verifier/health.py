"""From a service's latest samples to its health: the anti-flap table, and how it is read. Pure.

The first row that holds moves; when none does, the health stays as it is. Three things keep it from going
back and forth. What makes a service healthy excludes what made it ill, so no sample does both. A change is
followed by another only `SETTLES` samples later. And one sample alone moves nothing, but where nobody had
looked for long: then what was known says nothing any more.

Only samples that lie close enough together are looked at: what was before a gap is forgotten.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from services.verifier.sample import Sample
from shared.events import Health

WINDOW = 20  # samples that are kept
FEW = 5  # of them, the last, of which most must be good
IN_A_ROW = 3  # good or silent ones that settle it
TOO_FEW_RUN = 2  # samples in a row in which fewer processes run than should
RESTARTS_MAX = 3  # of processes, within the window; as many are a crash loop
SETTLES = 2  # samples from one change to the next, at least
INTERVALS = 3  # without a sample after which nothing is known any more

UNKNOWN: Health = "unknown"
HEALTHY: Health = "healthy"
DEGRADED: Health = "degraded"
UNREACHABLE: Health = "unreachable"
AILING: frozenset[Health] = frozenset({DEGRADED, UNREACHABLE})
WELL: frozenset[Health] = frozenset({HEALTHY})
WORSE: tuple[Health, ...] = (HEALTHY, UNKNOWN, DEGRADED, UNREACHABLE)


@dataclass(frozen=True, slots=True)
class Window:
    """What the table is read with."""

    samples: Sequence[Sample]  # since the last gap, oldest first, at least one
    gap_seconds: float | None = None  # for how long nobody had looked before the last one; None: all the time
    problem: str = ""  # the last that was seen

    def last(self, count: int) -> Sequence[Sample]:
        """Return the last samples, or none when there are not as many."""
        return self.samples[-count:] if len(self.samples) >= count else ()

    def all_of_last(self, count: int, holds: Callable[[Sample], bool]) -> bool:
        """Tell whether it holds for each of the last samples, and there are as many."""
        last = self.last(count)
        return bool(last) and all(map(holds, last))

    @property
    def restarts(self) -> int:
        """Return how many processes were started again within the window."""
        counts = [sample.restarts for sample in self.samples]
        return sum(max(after - before, 0) for before, after in pairwise(counts))

    @property
    def not_good(self) -> int:
        """Return how many of the last few were not."""
        return sum(sample.kind != "good" for sample in self.samples[-FEW:])


@dataclass(frozen=True, slots=True)
class Row:
    """A change of health, and what it needs."""

    before: frozenset[Health]
    when: str  # for people
    holds: Callable[[Window], bool]
    to: Health
    sentence: str  # the reason, with figures in braces: see `_figures`


def _is_good(sample: Sample) -> bool:
    return sample.kind == "good" and not _too_few_run(sample)


def _is_silent(sample: Sample) -> bool:
    return sample.kind == "silent"


def _answers(sample: Sample) -> bool:
    return not _is_silent(sample)


def _too_few_run(sample: Sample) -> bool:
    return sample.running < sample.wanted


def _is_gone(sample: Sample) -> bool:
    return _is_silent(sample) and sample.wanted > 0 and sample.running == 0


def _after_a_gap(window: Window) -> bool:
    return window.gap_seconds is not None and len(window.samples) == 1


def _silent_in_a_row(window: Window) -> bool:
    return window.all_of_last(IN_A_ROW, _is_silent)


def _gone(window: Window) -> bool:
    return _is_gone(window.samples[-1]) and len(window.samples) >= SETTLES


def _loops(window: Window) -> bool:
    return window.restarts >= RESTARTS_MAX


def _mostly_not_good(window: Window) -> bool:
    return window.not_good >= IN_A_ROW


def _lacks_processes(window: Window) -> bool:
    return window.all_of_last(TOO_FEW_RUN, _too_few_run)


def _good_in_a_row(window: Window) -> bool:
    return window.all_of_last(IN_A_ROW, _is_good) and not _loops(window)


def _good_from_the_start(window: Window) -> bool:
    return window.all_of_last(SETTLES, _is_good) and not (_loops(window) or _mostly_not_good(window))


def _answers_again(window: Window) -> bool:
    return window.all_of_last(IN_A_ROW, _answers)


# fmt: off
TABLE: tuple[Row, ...] = (
    Row(frozenset({HEALTHY, DEGRADED, UNREACHABLE}),
        f"nobody looked for longer than {INTERVALS} intervals",
        _after_a_gap, UNKNOWN,
        "nobody looked for {gap}, and one look since then says too little"),
    Row(frozenset({UNKNOWN, HEALTHY, DEGRADED}),
        f"{IN_A_ROW} looks in a row found no answer",
        _silent_in_a_row, UNREACHABLE,
        "{silent} looks in a row found no answer: {problem}"),
    Row(frozenset({UNKNOWN, HEALTHY, DEGRADED}),
        "none of its processes runs, and a look found no answer",
        _gone, UNREACHABLE,
        "none of its processes runs, and nothing answers: {problem}"),
    Row(frozenset({DEGRADED, UNREACHABLE}),
        f"{IN_A_ROW} looks in a row were good, with every process running and no crash loop",
        _good_in_a_row, HEALTHY,
        "{good} looks in a row were good{latency}"),
    Row(frozenset({UNKNOWN}),
        f"{SETTLES} looks in a row were good, with every process running, no crash loop, "
        f"and fewer than {IN_A_ROW} of the last {FEW} not good",
        _good_from_the_start, HEALTHY,
        "{good} looks in a row were good{latency}"),
    Row(frozenset({UNREACHABLE}),
        f"{IN_A_ROW} looks in a row found an answer, and not all of them were good",
        _answers_again, DEGRADED,
        "it answers again, and not well: {problem}"),
    Row(frozenset({UNKNOWN, HEALTHY}),
        f"{IN_A_ROW} of the last {FEW} looks were not good",
        _mostly_not_good, DEGRADED,
        "{not_good} of the last {few} looks were not good: {problem}"),
    Row(frozenset({UNKNOWN, HEALTHY}),
        f"fewer processes run than should, {TOO_FEW_RUN} looks in a row",
        _lacks_processes, DEGRADED,
        "{running} of {wanted} processes run: {problem}"),
    Row(frozenset({UNKNOWN, HEALTHY}),
        f"{RESTARTS_MAX} of its processes were started again within the last {WINDOW} looks",
        _loops, DEGRADED,
        "its processes were started again {restarts} times within {stretch}: {problem}"),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Change:
    """Another health than before, and why."""

    health: Health
    reason: str


def judge(health: Health, window: Window, stayed: int) -> Change | None:
    """Return what the health changes to; None: it stays. `stayed`: samples since it last changed."""
    for row in TABLE:
        settled = stayed >= SETTLES or row.to == UNKNOWN
        if settled and health in row.before and row.holds(window):
            return Change(row.to, row.sentence.format_map(_figures(window)))
    return None


def worse(one: Health, other: Health) -> Health:
    """Return the worse of two."""
    return max(one, other, key=WORSE.index)


def _figures(window: Window) -> dict[str, object]:
    last = window.samples[-1]
    lasted = (last.at - window.samples[0].at).total_seconds()
    return {
        "gap": _told(window.gap_seconds or 0.0),
        "silent": _in_a_row(window, _is_silent),
        "good": _in_a_row(window, _is_good),
        "latency": "" if last.latency_seconds is None else f", the last in {last.latency_seconds:.3f} s",
        "not_good": window.not_good,
        "few": min(FEW, len(window.samples)),
        "running": last.running,
        "wanted": last.wanted,
        "restarts": window.restarts,
        "stretch": _told(lasted),
        "problem": window.problem or "no reason is known",
    }


def _in_a_row(window: Window, holds: Callable[[Sample], bool]) -> int:
    return next(
        (count for count, sample in enumerate(reversed(window.samples)) if not holds(sample)),
        len(window.samples),
    )


def _told(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
