"""What is said of a verification that failed: one sentence, and what was seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.verifier.checks import WELL_KNOWN, AnyCheck, Check, PortCheck, ProcessCheck, ProgramCheck
from services.verifier.tally import Tally
from shared.events import Diagnostics, Evidence, ProbeResult, ProbeTarget

PROBES_MAX = 40  # in one verdict
RUN_ELSEWHERE = "commands are run on the machine that the release is deployed to, and that is not this one"


@dataclass(frozen=True, slots=True)
class Course:
    """What a verification has come to."""

    tallies: Sequence[Tally]
    began_at: datetime
    now: datetime


def told(tallies: Sequence[Tally]) -> tuple[ProbeResult, ...]:
    """Return the probes that go into the verdict: those of unmet checks before the others."""
    unmet_first = sorted(tallies, key=lambda tally: tally.met)
    return tuple(probe for tally in unmet_first for probe in tally.kept)[:PROBES_MAX]


def worst_of(tallies: Sequence[Tally]) -> Tally:
    """Return the check that explains the most: one that fails now, of these a process, then what counts."""
    return min(tallies, key=_rank)


def did_not_pass(course: Course) -> Evidence:
    """Return the evidence of criteria that were not met."""
    unmet = [tally for tally in course.tallies if not tally.met]
    worst = worst_of(unmet)
    explained = isinstance(worst.check, ProcessCheck)  # what is not there answers nothing
    others = [tally for tally in unmet if tally is not worst and tally.counted and not explained]
    return _evidence(course, worst, f"{_sentence(worst, unmet)}{_others(others)}")


def did_not_last(course: Course, met_at: datetime, why: str) -> Evidence:
    """Return the evidence of criteria that were met, and not for long."""
    failed = [tally for tally in course.tallies if tally.failed]
    seconds = (course.now - met_at).total_seconds()
    began = f"it met its criteria and failed {seconds:.0f} s later"
    if not failed:  # it came to that while we were away
        restarted = max(course.tallies, key=lambda tally: tally.restarts)
        return _evidence(course, restarted, f"{began}, as {why}")
    worst = min(failed, key=lambda tally: (tally.streak, *_rank(tally)))
    return _evidence(course, worst, f"{began}, as {why}: {_sentence(worst, failed)}")


def could_not_be_judged(course: Course, why: str) -> Evidence:
    """Return the evidence of a verification that broke on our side: nothing is known of the service."""
    return Evidence(
        phase="verify",
        kind="error",
        message=f"the deployment could not be verified: {why}",
        started_at=course.began_at,
        finished_at=course.now,
        probes=told(course.tallies),
    )


def nothing_to_probe(course: Course) -> Evidence:
    """Return the evidence of a request that names nothing."""
    return Evidence(
        phase="verify",
        kind="error",
        message="there is nothing to probe: no target was named",
        started_at=course.began_at,
        finished_at=course.now,
    )


def diagnosed(evidence: Evidence, found: Diagnostics | None) -> Evidence:
    """Add what was found on the target at that moment."""
    if found is None:
        return evidence
    added = {
        "diagnostics": found,
        "exit_code": found.exit_code if evidence.exit_code is None else evidence.exit_code,
        "signal": evidence.signal or found.signal,
    }
    return evidence.model_copy(update=added)


def target_of(tallies: Sequence[Tally], evidence: Evidence) -> ProbeTarget | None:
    """Return the target that the evidence accuses, if it accuses one."""
    targets = (tally.check.target for tally in tallies)
    return next((target for target in targets if target.service == evidence.what), None)


def _rank(tally: Tally) -> tuple[bool, bool, bool]:
    return tally.streak > 0, not isinstance(tally.check, ProcessCheck), not tally.counted


def _evidence(course: Course, worst: Tally, message: str) -> Evidence:
    return Evidence(
        phase="verify",
        kind="probe",
        message=message,
        what=worst.check.target.service,
        started_at=course.began_at,
        finished_at=course.now,
        probes=told([worst, *(tally for tally in course.tallies if tally is not worst)]),
    )


def _sentence(tally: Tally, unmet: Sequence[Tally]) -> str:
    if not tally.counted:
        return _none_is_there(tally, unmet)
    seen = tally.last_failure
    counts = f"{tally.failed} of {tally.probed} probes failed"
    needed = tally.check.target.criteria.successes
    if tally.streak:
        counts += f", {needed} in a row were asked for, the last {tally.streak} passed"
    url = seen.url if seen else tally.check.url
    problem = seen.problem if seen else "did not pass often enough in time"
    return f"{_asked(tally.check, url)} {problem} ({counts})"


def _none_is_there(tally: Tally, unmet: Sequence[Tally]) -> str:
    here = [each for each in unmet if each.check.target is tally.check.target and not each.counted]
    statuses = [f"{each.check.url} gave {each.last[-1].status}" for each in here]
    return (
        f"none of the well-known paths answers well: {', '.join(statuses[: len(WELL_KNOWN)])};"
        " say under `verify: paths:` what is to be asked for"
    )


def _asked(check: AnyCheck, url: str) -> str:
    match check:
        case Check():
            return f"GET {url}"
        case PortCheck():
            return f"the connection to {url}"
        case ProgramCheck():
            return f"the command {url}"
        case ProcessCheck():
            return f"the {url}"


def _others(others: Sequence[Tally]) -> str:
    if not others:
        return ""
    what = "path" if all(isinstance(tally.check, Check) for tally in others) else "check"
    return f"; {len(others)} more {what}{'s' if len(others) > 1 else ''} did not pass"
