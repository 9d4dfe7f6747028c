"""Whether a build that failed is attempted again by itself.

A build has no effect but its artifact, so it may run again whenever its failure may pass: when the rules
of diagnosis say so (DESIGN 9), and when its machine went down. What is wrong with the source fails the
same way every time and is told at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.diagnosis.evidence import Setting
from shared.events import Evidence

ATTEMPTS_MAX = 3  # since somebody asked, the first one included
BACKOFF_SECONDS = 10.0  # after the first
BACKOFF_GROWTH = 3.0  # from one to the next: registries that limit rates name tens of seconds


@dataclass(frozen=True, slots=True)
class Again:
    """There is another attempt, not before then."""

    not_before: datetime
    code: str  # of the failure that may pass; empty: the machine went down
    rule: str


def another(evidence: Evidence, tries: int, pipeline: str, now: datetime) -> Again | None:
    """Return when to try again after `tries` attempts; None when the failure is final."""
    if tries >= ATTEMPTS_MAX:
        return None
    if evidence.kind == "interrupted":
        return Again(now, "", "host_interrupted")

    from shared.diagnosis.rules import classify  # noqa: PLC0415 - 200 rules that no start waits for

    found = classify(evidence, Setting(pipeline))
    if not found.answer.retryable:
        return None
    pause = timedelta(seconds=BACKOFF_SECONDS * BACKOFF_GROWTH ** (tries - 1))
    return Again(now + pause, found.answer.code, found.rule)
