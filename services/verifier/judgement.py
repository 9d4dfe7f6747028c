"""From the probes so far to a verdict. Pure: whoever carries it out has a clock and a network.

All checks are probed in rounds. The criteria are met as soon as every check has its successes in a row,
so the last round is followed by no wait. It is Failed at the deadline, with two exceptions, both for a
verifier that was away: the first round is always made, and a streak that is unbroken at the deadline
may complete, within a bound. A deployment is not rolled back because Windlass slept. A candidate whose
process has ended is Failed at once: nobody starts it again.

What met its criteria may be watched for a while, then `soak.py` says when it has failed. After a restart
of ours it is proved afresh, with as much time as at first, and watched until the same instant. While nobody
looked anything may have been: what was restarted meanwhile counts, and a few rounds more are made, past that
instant if need be.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.verifier import failure, soak, telling
from services.verifier.bounds import within
from services.verifier.checks import AnyCheck, ProcessCheck, ProgramCheck, checks_of
from services.verifier.criteria import Seen
from services.verifier.failure import RUN_ELSEWHERE, Course
from services.verifier.probe import Outcome
from services.verifier.soak import Noted, Soak
from services.verifier.tally import Tally, afresh, count, restarts_of
from shared.events import Evidence, ProbeResult, ProbeRound, VerificationRequested

INTERVAL_SECONDS_MIN = 0.05
INTERVAL_SECONDS_MAX = 300.0
STREAK_GRACE_SECONDS = 10.0  # how long past the deadline, or a later start, an unbroken streak may go on
PROBE_SECONDS_MIN = 1.0  # for a probe made right before the deadline, or after it
PROBES_AT_ONCE_MAX = 16  # of one round
DEADLINE_SECONDS_MAX = 3600.0


@dataclass(frozen=True, slots=True)
class Passed:
    """Every check met its criteria."""

    probes: tuple[ProbeResult, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """At least one did not in time, or not for as long as it was watched."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Met:
    """Every check met its criteria, and is now to be watched like that."""

    noted: Noted


@dataclass(frozen=True, slots=True)
class ProbeAgain:
    """No verdict yet: make another round then."""

    at: datetime


Verdict = Passed | Failed | Met | ProbeAgain


@dataclass(frozen=True, slots=True)
class Verification:
    """One verification, from its first probe in this life of the verifier."""

    tallies: tuple[Tally, ...]
    deadline: datetime
    began_at: datetime
    private_addresses: bool
    of_candidate: bool = False  # nobody starts its processes again
    soak_seconds: float = 0.0
    noted: Noted | None = None  # in an earlier life, which had met the criteria
    soak: Soak | None = None  # it met its criteria and is watched
    flaw: str = ""  # why nothing can be known of the service
    rounds: int = 0
    last_round_at: datetime | None = None  # when the last round began
    untold: tuple[ProbeRound, ...] = field(default=())
    told_at: datetime | None = None  # when rounds were last told, if they ever were

    @property
    def interval(self) -> timedelta:
        """Return the pause between rounds: the longest that any target asks for."""
        asked = (tally.check.target.criteria.interval_seconds for tally in self.tallies)
        bounded = (within(seconds, INTERVAL_SECONDS_MIN, INTERVAL_SECONDS_MAX) for seconds in asked)
        least = soak.INTERVAL_SECONDS_MIN if self.soak else INTERVAL_SECONDS_MIN
        return timedelta(seconds=max(*bounded, least, INTERVAL_SECONDS_MIN))

    def is_to_be_told(self, now: datetime) -> bool:
        """Tell whether the rounds so far are due, though there is no verdict."""
        since = self.told_at or self.began_at
        pause = telling.pause_seconds((since - self.began_at).total_seconds())
        return bool(self.untold) and not 0 <= (now - since).total_seconds() < pause

    @property
    def gap(self) -> timedelta:
        """Return how long after one round the next one begins at most, unless nobody was there to make it."""
        waves = -(-len(self.tallies) // PROBES_AT_ONCE_MAX)
        longest = max(_own_patience(tally.check) for tally in self.tallies)
        return soak.INTERVALS_BETWEEN_ROUNDS_MAX * self.interval + timedelta(seconds=waves * longest)


def begin(request: VerificationRequested, now: datetime, noted: Noted | None = None) -> Verification:
    """Return the verification with nothing probed: streaks begin afresh, the deadline is the request's.

    Where a soak was begun in an earlier life, there is as much time to prove it again as at first.
    """
    checks = [check for target in request.targets for check in checks_of(target)]
    elsewhere = any(isinstance(check, ProgramCheck) and check.target.place is None for check in checks)
    deadline = request.deadline
    if noted is not None:
        asked = (target.criteria.deadline_seconds for target in request.targets)
        seconds = max((within(each, PROBE_SECONDS_MIN, DEADLINE_SECONDS_MAX) for each in asked), default=0.0)
        deadline = max(deadline, now + timedelta(seconds=seconds))
    return Verification(
        tallies=tuple(Tally(check) for check in checks),
        deadline=deadline,
        began_at=now,
        private_addresses=request.private_addresses,
        of_candidate=bool(request.step),
        soak_seconds=within(request.soak_seconds, 0.0, soak.SOAK_SECONDS_MAX),
        noted=noted,
        flaw=RUN_ELSEWHERE if elsewhere else "",
    )


def patience(check: AnyCheck, verification: Verification, now: datetime) -> float:
    """Return how many seconds the check waits for what it asks now.

    It is longer than the latency limit, so that slow can be told from silent, but not long past the
    deadline. A command that is first run after it, by a verifier that was away, is given time to end.
    """
    own = _own_patience(check)
    if verification.soak is not None:  # its deadline was for the proof
        return own
    was_away = verification.began_at >= verification.deadline
    least = STREAK_GRACE_SECONDS if was_away and isinstance(check, ProgramCheck) else PROBE_SECONDS_MIN
    left = (verification.deadline - now).total_seconds()
    return min(own, max(left, least))


def after_round(verification: Verification, seen: Sequence[Seen], round_at: datetime) -> Verification:
    """Count what a round brought, one for each check, in the order of the tallies."""
    before = [tally.last[-1] for tally in verification.tallies if tally.last]
    tallies = count(verification.tallies, seen)
    results = [tally.last[-1] for tally in tallies]
    number = verification.rounds + 1
    flaws = [each.what.unable for each in seen if isinstance(each.what, Outcome) and each.what.unable]
    watched = verification.soak
    if watched is not None:
        passed = all(result.passed for result in results)
        restarts = sum(tally.restarts for tally in tallies)
        last = verification.last_round_at
        gap = last is not None and round_at - last > verification.gap
        watched = watched.after(passed=passed, restarts=restarts, after_a_gap=gap)
    return replace(
        verification,
        tallies=tallies,
        soak=watched,
        flaw=verification.flaw or next(iter(flaws), ""),
        rounds=number,
        last_round_at=round_at,
        untold=telling.with_round(verification.untold, telling.round_of(number, round_at, results, before)),
    )


def judge(verification: Verification, now: datetime) -> Verdict:
    """Return the verdict, or what to do next."""
    tallies = verification.tallies
    course = Course(tallies, verification.began_at, now)
    if verification.flaw:
        return Failed(failure.could_not_be_judged(course, verification.flaw))
    if not tallies:
        return Failed(failure.nothing_to_probe(course))
    if verification.of_candidate and any(tally.gone for tally in tallies):
        return Failed(failure.did_not_pass(course))
    if verification.soak is not None:
        return _judge_soak(verification, verification.soak, course)
    if all(tally.met for tally in tallies):
        return _judge_met(verification, now)
    if verification.last_round_at is None:
        return ProbeAgain(now)
    until = _until(verification, now)
    return (
        ProbeAgain(_next(verification, now, until)) if now < until else Failed(failure.did_not_pass(course))
    )


def watched(verification: Verification, noted: Noted, now: datetime) -> Verification:
    """Return the verification as it is watched from now on."""
    tallies = afresh(verification.tallies, noted.restarts)
    restarts = sum(tally.restarts for tally in tallies)
    if verification.noted is None:
        begun = Soak(now, noted.until, restarts=restarts)
    else:
        met_at = min(noted.until - timedelta(seconds=verification.soak_seconds), now)
        begun = Soak(met_at, noted.until, restarts=restarts, owed=soak.FAILURES_IN_A_ROW)
    return replace(verification, tallies=tallies, soak=begun)


def told(verification: Verification, now: datetime) -> Verification:
    """Return the verification once its rounds so far have been told."""
    return replace(verification, untold=(), told_at=now)


def _judge_met(verification: Verification, now: datetime) -> Passed | Met:
    if not verification.soak_seconds:
        return Passed(failure.told(verification.tallies))
    restarts, noted = restarts_of(verification.tallies), verification.noted
    if noted is None:
        return Met(Noted(now + timedelta(seconds=verification.soak_seconds), restarts))
    return Met(Noted(noted.until, {**restarts, **noted.restarts}))


def _judge_soak(verification: Verification, soaking: Soak, course: Course) -> Verdict:
    last = verification.last_round_at
    assert last is not None, "what is watched has been probed"
    if soaking.failing:
        return Failed(failure.did_not_last(course, soaking.met_at, soaking.failing))
    late = last >= soaking.until
    if late and not soaking.owed and soaking.passed and soaking.passed[-1]:
        return Passed(failure.told(verification.tallies))
    following = _following(last, verification.interval, course.now)
    return ProbeAgain(following if late else min(following, max(soaking.until, course.now)))


def _until(verification: Verification, now: datetime) -> datetime:
    """Return when there is a verdict at the latest."""
    if now < verification.deadline:
        return verification.deadline
    unbroken = all(tally.streak for tally in verification.tallies)
    grace = timedelta(seconds=STREAK_GRACE_SECONDS if unbroken else 0.0)
    return max(verification.deadline, verification.began_at) + grace


def _next(verification: Verification, now: datetime, until: datetime) -> datetime:
    assert verification.last_round_at is not None
    return min(_following(verification.last_round_at, verification.interval, now), until)


def _following(last: datetime, interval: timedelta, now: datetime) -> datetime:
    """Return when the round after the last is due: within an interval, even if the clock was set back."""
    return min(max(last + interval, now), now + interval)


def _own_patience(check: AnyCheck) -> float:
    match check:
        case ProgramCheck():
            return check.timeout_seconds
        case ProcessCheck():
            return 0.0
        case _:
            return 2 * check.latency_seconds_max + PROBE_SECONDS_MIN
