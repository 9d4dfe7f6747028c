"""Whether one answer meets what is asked of its path.

A redirect is an answer of its own: it passes where its status is asked for, or any 2xx or 3xx is. It
is followed only where content is asked for and no status is, because a redirect has no content.
Following in general would let a login page, or the release before, answer for this one.
"""

import math
from dataclasses import dataclass
from datetime import datetime

from services.verifier.probe import RELEASE_HEADER, Answer
from shared.events import ProbeFault, ProbeResult, ProbeTarget
from shared.plan import PathCheck

BODY_HEAD_CHARACTERS_MAX = 200
PROBLEM_CHARACTERS_MAX = 300
URL_CHARACTERS_MAX = 500
SHOWN_CHARACTERS_MAX = 80  # of a text that somebody else wrote, inside a sentence
LATENCY_SECONDS_MIN = 0.001
LATENCY_SECONDS_MAX = 60.0  # whatever a pipeline asks for


@dataclass(frozen=True, slots=True)
class Check:
    """One path of one target."""

    target: ProbeTarget
    path: PathCheck

    @property
    def url(self) -> str:
        """Return what to ask for: joined as text, so that no path leads to another host."""
        return f"{self.target.base_url.rstrip('/')}/{self.path.path.lstrip('/')}"

    @property
    def latency_seconds_max(self) -> float:
        """Return the latency limit, within bounds that hold for everybody."""
        return within(self.target.criteria.latency_seconds_max, LATENCY_SECONDS_MIN, LATENCY_SECONDS_MAX)

    @property
    def follows_redirects(self) -> bool:
        """Tell whether a redirect is followed rather than judged."""
        return self.path.status is None and bool(self.path.contains)

    @property
    def expected_status(self) -> str:
        """Return the statuses that pass, for people."""
        return "2xx/3xx" if self.path.status is None else str(self.path.status)


def judge_answer(check: Check, answer: Answer, at: datetime) -> ProbeResult:
    """Hold an answer against its check."""
    fault, problem = _fault(check, answer)
    return ProbeResult(
        at=at,
        url=shown(check.url, URL_CHARACTERS_MAX),
        passed=not fault,
        status=answer.status,
        latency_seconds=round(answer.latency_seconds, 6),
        fault=fault,
        problem=shown(problem, PROBLEM_CHARACTERS_MAX),
        body_head=shown(answer.body[:BODY_HEAD_CHARACTERS_MAX], BODY_HEAD_CHARACTERS_MAX) if fault else "",
    )


def within(value: float, least: float, most: float) -> float:
    """Return the value brought between two bounds; what is no number becomes the lower one."""
    return least if math.isnan(value) else min(max(value, least), most)


def shown(text: str, characters_max: int) -> str:
    """Return somebody else's text fit for one line of ours: bounded, without control characters."""
    one_line = " ".join(text[: characters_max * 2].split())
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in one_line)
    return printable if len(printable) <= characters_max else f"{printable[: characters_max - 1]}…"


def _fault(check: Check, answer: Answer) -> tuple[ProbeFault, str]:
    """Return the first thing that is wrong: who answered, then what, then how fast."""
    if answer.fault or answer.status is None:
        return answer.fault or "broken", f"gave no answer: {answer.problem}"
    wanted = check.target.release
    if wanted and answer.release != wanted:
        return "release", f"answered by {_release(answer.release)}, expected {wanted}"
    if not _status_passes(check.path.status, answer.status):
        led = f" (to {shown(answer.location, SHOWN_CHARACTERS_MAX)})" if answer.location else ""
        return "status", f"gave {answer.status}{led} instead of {check.expected_status}"
    if check.path.contains not in answer.body:
        wanted_text = shown(check.path.contains, SHOWN_CHARACTERS_MAX)
        return "content", f"gave {answer.status} without the text {wanted_text!r}"
    if answer.latency_seconds > check.latency_seconds_max:
        took, limit = answer.latency_seconds, check.latency_seconds_max
        return "slow", f"gave {answer.status} after {took:.2f} s, the limit is {limit:g} s"
    return "", ""


def _release(marker: str) -> str:
    if not marker:
        return f"something without the header {RELEASE_HEADER}"
    return f"release {shown(marker, SHOWN_CHARACTERS_MAX)}"


def _status_passes(wanted: int | None, status: int) -> bool:
    return 200 <= status < 400 if wanted is None else status == wanted
