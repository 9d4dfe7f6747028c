"""Whether what came back from one question meets what is asked.

A redirect is an answer of its own: it passes where its status is asked for, or any 2xx or 3xx is. It
is followed only where content is asked for and no status is, because a redirect has no content.
Following in general would let a login page, or the release before, answer for this one.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from services.verifier.bounds import shown
from services.verifier.checks import AnyCheck, Check, PortCheck, ProcessCheck, ProgramCheck
from services.verifier.probe import RELEASE_HEADER, Answer, Outcome
from services.verifier.signals import Signals
from shared.events import ProbeFault, ProbeResult
from shared.events.evidence import ProbeKind

BODY_HEAD_CHARACTERS_MAX = 200
PROBLEM_CHARACTERS_MAX = 300
URL_CHARACTERS_MAX = 500
SHOWN_CHARACTERS_MAX = 80  # of a text that somebody else wrote, inside a sentence

# What a well-known path answers that the service does not have, or shows to nobody who is not known.
NOT_COUNTED = frozenset({401, 403, 404, 405, 410})

# What is part of no word and no version; a dot is part of one between two letters or digits.
BETWEEN_WORDS = re.compile(r"[^0-9A-Za-z.]|(?<![0-9A-Za-z])\.|\.(?![0-9A-Za-z])")
BREAK = "\udc00"  # in no text that was decoded


@dataclass(frozen=True, slots=True)
class Seen:
    """What a question brought."""

    at: datetime  # when it was asked
    what: Answer | Outcome | Signals | None  # None: there is nothing to be seen from here


@dataclass(frozen=True, slots=True)
class Finding:
    """A result, before it is put on record."""

    fault: ProbeFault = ""
    problem: str = ""
    status: int | None = None
    latency_seconds: float | None = None
    said: str = ""


def judge_seen(check: AnyCheck, seen: Seen, before: Signals | None = None) -> ProbeResult:
    """Hold what came back against its check; `before` is what was last seen of the processes."""
    what = seen.what
    if isinstance(check, Check) and isinstance(what, Answer):
        return judge_answer(check, what, seen.at)
    if isinstance(check, PortCheck) and isinstance(what, Answer):
        return _result(check, "tcp", seen.at, _of_connection(check, what))
    if isinstance(check, ProgramCheck) and isinstance(what, Outcome):
        return _result(check, "command", seen.at, _of_outcome(what))
    assert isinstance(check, ProcessCheck)
    assert not isinstance(what, Answer | Outcome)
    return _result(check, "process", seen.at, _of_signals(what, before))


def judge_answer(check: Check, answer: Answer, at: datetime) -> ProbeResult:
    """Hold an answer against its check."""
    fault, problem = _fault(check, answer)
    found = Finding(fault, problem, answer.status, answer.latency_seconds, answer.body if fault else "")
    return _result(check, "http", at, found)


def counts(check: AnyCheck, seen: Seen) -> bool:
    """Tell whether the answer says anything about the service: not for a path that it need not have."""
    if not isinstance(check, Check) or not isinstance(seen.what, Answer) or not check.well_known:
        return True
    stranger = bool(check.target.release) and seen.what.release != check.target.release
    return stranger or seen.what.status not in NOT_COUNTED


def _result(check: AnyCheck, kind: ProbeKind, at: datetime, found: Finding) -> ProbeResult:
    seconds = found.latency_seconds
    return ProbeResult(
        at=at,
        url=shown(check.url, URL_CHARACTERS_MAX),
        kind=kind,
        service=check.target.service,
        passed=not found.fault,
        status=found.status,
        latency_seconds=None if seconds is None else round(seconds, 6),
        fault=found.fault,
        problem=shown(found.problem, PROBLEM_CHARACTERS_MAX),
        body_head=shown(found.said[:BODY_HEAD_CHARACTERS_MAX], BODY_HEAD_CHARACTERS_MAX),
    )


def _fault(check: Check, answer: Answer) -> tuple[ProbeFault, str]:
    """Return the first thing that is wrong: who answered, then what, then how fast."""
    if answer.fault or answer.status is None:
        return answer.fault or "broken", f"gave no answer: {answer.problem}"
    wanted = check.target.release
    if wanted and answer.release != wanted:
        return "release", f"answered by {_release(answer.release)}, expected {wanted}"
    if problem := _header_problem(check, answer):
        return "release", problem
    if not _status_passes(check.path.status, answer.status):
        led = f" (to {shown(answer.location, SHOWN_CHARACTERS_MAX)})" if answer.location else ""
        return "status", f"gave {answer.status}{led} instead of {check.expected_status}"
    if check.path.contains not in answer.body:
        wanted_text = shown(check.path.contains, SHOWN_CHARACTERS_MAX)
        return "content", f"gave {answer.status} without the text {wanted_text!r}"
    if problem := _body_problem(check, answer):
        return "release", problem
    return _slow(answer, check.latency_seconds_max, f"gave {answer.status}")


def _slow(answer: Answer, limit: float, what: str) -> tuple[ProbeFault, str]:
    if answer.latency_seconds <= limit:
        return "", ""
    return "slow", f"{what} after {answer.latency_seconds:.2f} s, the limit is {limit:g} s"


def _header_problem(check: Check, answer: Answer) -> str:
    """Return what is wrong with the service's own header; empty where it is right, or not asked for."""
    if not check.marker_header:
        return ""
    expected, header = check.marker_expected, check.marker_header
    if not expected:
        return f"could not be told from another release: nobody knows what {header} is to say"
    if answer.marker.strip() == expected:
        return ""
    told = f"says {shown(answer.marker, SHOWN_CHARACTERS_MAX)!r} in" if answer.marker else "came without"
    return f"{told} the header {header}, expected {shown(expected, SHOWN_CHARACTERS_MAX)!r}"


def _body_problem(check: Check, answer: Answer) -> str:
    """Return what is wrong with the service's own marker in the body; empty where it is right."""
    if check.marker is None or check.marker.header:
        return ""
    expected = check.marker_expected
    if not expected:
        return "could not be told from another release: nobody knows what its body is to say"
    if stands_alone(expected, answer.body):
        return ""
    wanted = shown(expected, SHOWN_CHARACTERS_MAX)
    return f"gave {answer.status} without the release {wanted!r} in its body"


def stands_alone(marker: str, text: str) -> bool:
    """Tell whether the marker is there and not inside a longer word or version: no 1.2 in 1.20 or 11.2.

    With every break between words made visible that is one search, linear however the text is made.
    """
    return _with_breaks(marker) in _with_breaks(text)


def _with_breaks(text: str) -> str:
    return BREAK + BETWEEN_WORDS.sub(rf"{BREAK}\g<0>{BREAK}", text) + BREAK


def _of_connection(check: PortCheck, answer: Answer) -> Finding:
    if answer.fault:
        by_whom = " by the release itself" if answer.fault == "release" else ""
        problem = f"was not taken{by_whom}: {answer.problem}"
        return Finding(answer.fault, problem, latency_seconds=answer.latency_seconds)
    fault, problem = _slow(answer, check.latency_seconds_max, "was taken")
    return Finding(fault, problem, latency_seconds=answer.latency_seconds)


def _of_outcome(outcome: Outcome) -> Finding:
    if outcome.content:
        return Finding(latency_seconds=outcome.latency_seconds)
    lines = outcome.said.splitlines()
    last = f": {shown(lines[-1], SHOWN_CHARACTERS_MAX)}" if lines else ""
    end = outcome.said[-BODY_HEAD_CHARACTERS_MAX:]
    return Finding("command", f"{outcome.problem}{last}", None, outcome.latency_seconds, end)


def _of_signals(signals: Signals | None, before: Signals | None) -> Finding:
    """Judge how the processes do: one that is not there, then one that is another than before."""
    if signals is None:
        return Finding()
    if signals.process != "running" or signals.running < signals.wanted:
        return Finding("ended", signals.message or "is not there")
    if before is not None and signals.restarts > before.restarts:
        return Finding("restarted", signals.message or "ended and was started again")
    return Finding()


def _release(marker: str) -> str:
    if not marker:
        return f"something without the header {RELEASE_HEADER}"
    return f"release {shown(marker, SHOWN_CHARACTERS_MAX)}"


def _status_passes(wanted: int | None, status: int) -> bool:
    return 200 <= status < 400 if wanted is None else status == wanted
