"""What is known of one check over all rounds so far; bounded, however long it is probed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.verifier.checks import AnyCheck, Check
from services.verifier.criteria import Seen, counts, judge_seen
from services.verifier.signals import Signals
from shared.events import ProbeResult

FIRST_FAILURES_KEPT = 3  # per check: how it began
LAST_PROBES_KEPT = 5  # per check: how it ended


@dataclass(frozen=True, slots=True)
class Tally:
    """One check and what came of it."""

    check: AnyCheck
    streak: int = 0
    probed: int = 0
    failed: int = 0
    first_failures: tuple[ProbeResult, ...] = ()
    last: tuple[ProbeResult, ...] = ()
    last_failure: ProbeResult | None = None
    counted: bool = True  # the last answer says something of the service
    signals: Signals | None = None  # last seen of its processes
    restarts: int = 0  # of its processes, while we looked

    @property
    def met(self) -> bool:
        """Tell whether it has passed often enough in a row; nothing passes unprobed."""
        return self.streak >= max(self.check.target.criteria.successes, 1)

    @property
    def kept(self) -> tuple[ProbeResult, ...]:
        """Return the probes worth telling, oldest first."""
        probes = (*(probe for probe in self.first_failures if probe not in self.last), *self.last)
        return tuple(probe for probe in probes if is_told(probe))

    @property
    def gone(self) -> bool:
        """Tell whether its process was not there when last looked for."""
        return bool(self.last) and self.last[-1].fault == "ended"


def is_told(probe: ProbeResult) -> bool:
    """Tell whether a probe is put on record: a process that simply runs is not."""
    return probe.kind != "process" or not probe.passed


def count(tallies: Sequence[Tally], seen: Sequence[Seen]) -> tuple[Tally, ...]:
    """Count what a round brought, one for each tally, in their order.

    As soon as one path of a target has passed, those well-known ones that do not count are left out;
    one that has passed is known to be there, and counts from then on.
    """
    counted = [_count(tally, each) for tally, each in zip(tallies, seen, strict=True)]
    answered = {id(t.check.target) for t in counted if isinstance(t.check, Check) and t.last[-1].passed}
    return tuple(t for t in counted if t.counted or id(t.check.target) not in answered)


def restarts_of(tallies: Sequence[Tally]) -> dict[str, int]:
    """Return how often the processes of each service were restarted so far, where that can be seen."""
    return {tally.check.target.service: tally.signals.restarts for tally in tallies if tally.signals}


def afresh(tallies: Sequence[Tally], restarts: Mapping[str, int]) -> tuple[Tally, ...]:
    """Return the checks with nothing counted but restarts beyond these; the processes are remembered."""
    return tuple(
        Tally(tally.check, signals=tally.signals, restarts=_beyond(tally, restarts)) for tally in tallies
    )


def _count(tally: Tally, seen: Seen) -> Tally:
    result = judge_seen(tally.check, seen, tally.signals)
    firsts = tally.first_failures
    if not result.passed and len(firsts) < FIRST_FAILURES_KEPT:
        firsts = (*firsts, result)
    check = tally.check
    if isinstance(check, Check) and check.well_known and result.passed:
        check = replace(check, well_known=False)
    signals = seen.what if isinstance(seen.what, Signals) else tally.signals
    return Tally(
        check=check,
        streak=tally.streak + 1 if result.passed else 0,
        probed=tally.probed + 1,
        failed=tally.failed + (not result.passed),
        first_failures=firsts,
        last=(*tally.last, result)[-LAST_PROBES_KEPT:],
        last_failure=tally.last_failure if result.passed else result,
        counted=counts(tally.check, seen),
        signals=signals,
        restarts=tally.restarts + _restarts(tally.signals, signals),
    )


def _beyond(tally: Tally, restarts: Mapping[str, int]) -> int:
    if tally.signals is None:
        return 0
    return max(tally.signals.restarts - restarts.get(tally.check.target.service, 0), 0)


def _restarts(before: Signals | None, now: Signals | None) -> int:
    return max(now.restarts - before.restarts, 0) if before and now else 0
