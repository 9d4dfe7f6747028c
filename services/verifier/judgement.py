"""From the probes so far to a verdict. Pure: whoever carries it out has a clock and a network.

All checks are probed in rounds. The verdict is Passed as soon as every check has met its successes in
a row, so the last round is followed by no wait. It is Failed at the deadline, with two exceptions,
both for a verifier that was away: the first round is always made, and a streak that is unbroken at
the deadline may complete, within a bound. A deployment is not rolled back because Windlass slept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.verifier.criteria import Check, within
from services.verifier.probe import Probe
from shared.events import Evidence, ProbeResult, VerificationRequested

FIRST_FAILURES_KEPT = 3  # per check: how it began
LAST_PROBES_KEPT = 5  # per check: how it ended
PROBES_MAX = 40  # in one verdict
INTERVAL_SECONDS_MIN = 0.05
INTERVAL_SECONDS_MAX = 300.0
STREAK_GRACE_SECONDS = 10.0  # how long past the deadline, or a later start, an unbroken streak may go on
PROBE_SECONDS_MIN = 1.0  # for a probe made right before the deadline, or after it


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of one check; bounded, however long it is probed."""

    check: Check
    streak: int = 0
    probed: int = 0
    failed: int = 0
    first_failures: tuple[ProbeResult, ...] = ()
    last: tuple[ProbeResult, ...] = ()
    last_failure: ProbeResult | None = None

    @property
    def met(self) -> bool:
        """Tell whether it has passed often enough in a row; nothing passes unprobed."""
        return self.streak >= max(self.check.target.criteria.successes, 1)

    @property
    def kept(self) -> tuple[ProbeResult, ...]:
        """Return the probes worth telling, oldest first."""
        return *(probe for probe in self.first_failures if probe not in self.last), *self.last


@dataclass(frozen=True, slots=True)
class Passed:
    """Every check met its criteria."""

    probes: tuple[ProbeResult, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """At least one did not in time."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class ProbeAgain:
    """No verdict yet: make another round then."""

    at: datetime


Verdict = Passed | Failed | ProbeAgain


@dataclass(frozen=True, slots=True)
class Verification:
    """One verification, from its first probe in this life of the verifier."""

    tallies: tuple[Tally, ...]
    deadline: datetime
    began_at: datetime
    private_addresses: bool
    last_round_at: datetime | None = None  # when the last round began

    @property
    def interval(self) -> timedelta:
        """Return the pause between rounds: the longest that any target asks for."""
        asked = (tally.check.target.criteria.interval_seconds for tally in self.tallies)
        bounded = (within(seconds, INTERVAL_SECONDS_MIN, INTERVAL_SECONDS_MAX) for seconds in asked)
        return timedelta(seconds=max(bounded, default=INTERVAL_SECONDS_MIN))


def begin(request: VerificationRequested, now: datetime) -> Verification:
    """Return the verification with nothing probed: streaks begin afresh, the deadline is the request's."""
    checks = (Check(target, path) for target in request.targets for path in target.criteria.paths)
    tallies = tuple(Tally(check) for check in checks)
    return Verification(tallies, request.deadline, now, request.private_addresses)


def probe_for(check: Check, verification: Verification, now: datetime) -> Probe:
    """Return the question that the check asks now.

    It waits for longer than the latency limit, so that slow can be told from silent, but not for
    long past the deadline.
    """
    left = (verification.deadline - now).total_seconds()
    patience = 2 * check.latency_seconds_max + PROBE_SECONDS_MIN
    seconds = min(patience, max(left, PROBE_SECONDS_MIN))
    return Probe(check.url, seconds, verification.private_addresses, check.follows_redirects)


def after_round(
    verification: Verification, results: Sequence[ProbeResult], round_at: datetime
) -> Verification:
    """Count a round's results, one for each check, in the order of the tallies."""
    counted = zip(verification.tallies, results, strict=True)
    tallies = tuple(_count(tally, result) for tally, result in counted)
    return replace(verification, tallies=tallies, last_round_at=round_at)


def judge(verification: Verification, now: datetime) -> Verdict:
    """Return the verdict, or when to probe next."""
    tallies = verification.tallies
    if not tallies:
        return Failed(_nothing_to_probe(verification, now))
    if all(tally.met for tally in tallies):
        return Passed(_told(tallies))
    if verification.last_round_at is None:
        return ProbeAgain(now)
    unbroken = all(tally.streak for tally in tallies)
    grace = timedelta(seconds=STREAK_GRACE_SECONDS if unbroken else 0.0)
    late = now >= verification.deadline
    until = max(verification.deadline, verification.began_at) + grace if late else verification.deadline
    if now < until:
        return ProbeAgain(min(max(verification.last_round_at + verification.interval, now), until))
    return Failed(_evidence(verification, now))


def could_not_be_judged(verification: Verification, why: str, now: datetime) -> Evidence:
    """Return the evidence of a verification that broke on our side: nothing is known of the service."""
    return Evidence(
        phase="verify",
        kind="error",
        message=f"the deployment could not be verified: {why}",
        started_at=verification.began_at,
        finished_at=now,
        probes=_told(verification.tallies),
    )


def _count(tally: Tally, result: ProbeResult) -> Tally:
    firsts = tally.first_failures
    if not result.passed and len(firsts) < FIRST_FAILURES_KEPT:
        firsts = (*firsts, result)
    return Tally(
        check=tally.check,
        streak=tally.streak + 1 if result.passed else 0,
        probed=tally.probed + 1,
        failed=tally.failed + (not result.passed),
        first_failures=firsts,
        last=(*tally.last, result)[-LAST_PROBES_KEPT:],
        last_failure=tally.last_failure if result.passed else result,
    )


def _told(tallies: Sequence[Tally]) -> tuple[ProbeResult, ...]:
    """Return the probes that go into the verdict: those of unmet checks before the others."""
    unmet_first = sorted(tallies, key=lambda tally: tally.met)
    return tuple(probe for tally in unmet_first for probe in tally.kept)[:PROBES_MAX]


def _evidence(verification: Verification, now: datetime) -> Evidence:
    unmet = [tally for tally in verification.tallies if not tally.met]
    worst = next((tally for tally in unmet if tally.streak == 0), unmet[0])
    return Evidence(
        phase="verify",
        kind="probe",
        message=_sentence(worst, others=len(unmet) - 1),
        what=worst.check.target.service,
        started_at=verification.began_at,
        finished_at=now,
        probes=_told([worst, *(tally for tally in verification.tallies if tally is not worst)]),
    )


def _sentence(tally: Tally, others: int) -> str:
    seen = tally.last_failure
    counts = f"{tally.failed} of {tally.probed} probes failed"
    needed = tally.check.target.criteria.successes
    if tally.streak:
        counts += f", {needed} in a row were asked for, the last {tally.streak} passed"
    more = f"; {others} more path{'s' if others > 1 else ''} did not pass" if others else ""
    url = seen.url if seen else tally.check.url
    problem = seen.problem if seen else "did not pass often enough in time"
    return f"GET {url} {problem} ({counts}){more}"


def _nothing_to_probe(verification: Verification, now: datetime) -> Evidence:
    return Evidence(
        phase="verify",
        kind="error",
        message="there is nothing to probe: no target has a path",
        started_at=verification.began_at,
        finished_at=now,
    )
