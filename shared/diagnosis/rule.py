"""What a rule is made of, and the ways a rule can find its cause.

Every finding has a place in the story: typed facts that settle the matter stand before all lines, a
line at its number, and what is only known from the end after all lines. The earliest finding is the
cause; of two in one place, the rule that comes first.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from shared.diagnosis.evidence import Case, Kind, Phase
from shared.events.verification import FailureCategory, FailureCode, FailureStage

SETTLED = -1  # place of a typed fact that leaves no doubt
IN_THE_END = 1_000_000  # place of what is known only because nothing earlier is
LAST_LINES = 5  # shown where no line is the cause


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause, where it stands, and the lines that say it."""

    place: int
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A name in the fixed vocabulary."""

    stage: FailureStage
    category: FailureCategory
    code: FailureCode

    @property
    def retryable(self) -> bool:
        """Tell whether the same again may well succeed; the code fixes it."""
        return self.code == "INFRASTRUCTURE_NETWORK_FAILURE"


BY_PHASE: dict[Phase, Answer] = {
    "clone": Answer("clone", "unknown_failure", "DEPLOYMENT_FAILED_GENERIC"),
    "detect": Answer("detect", "unknown_failure", "DEPLOYMENT_FAILED_GENERIC"),
    "build": Answer("build", "build_failure", "CODEBUILD_DOCKER_IMAGE_BUILD_FAILED"),
    "publish": Answer("publish", "unknown_failure", "DEPLOYMENT_FAILED_GENERIC"),
    "setup": Answer("setup", "unknown_failure", "DEPLOYMENT_FAILED_GENERIC"),
    "deploy": Answer("deploy", "unknown_failure", "DEPLOYMENT_FAILED_GENERIC"),
    "rollout": Answer("rollout", "startup_failure", "DEPLOYMENT_VERIFICATION_FAILED"),
    "verify": Answer("verify", "health_check_failure", "DEPLOYMENT_VERIFICATION_FAILED"),
    "unknown": Answer("unknown", "unknown_failure", "DEPLOYMENT_FAILED_GENERIC"),
}

Find = Callable[[Case], Finding | None]
Name = Callable[[Phase], Answer]


def by_phase(phase: Phase) -> Answer:
    """Name a failure by the phase that it happened in."""
    return BY_PHASE[phase]


def infrastructure(phase: Phase) -> Answer:
    """Name a failure of what we run on: not the program's fault, and not passing by itself."""
    return Answer(BY_PHASE[phase].stage, "infrastructure_failure", "DEPLOYMENT_FAILED_GENERIC")


def network(phase: Phase) -> Answer:
    """Name a passing failure of the network."""
    return Answer(BY_PHASE[phase].stage, "infrastructure_failure", "INFRASTRUCTURE_NETWORK_FAILURE")


def access(_: Phase) -> Answer:
    """Name a missing or refused credential, wherever it was needed."""
    return Answer("auth", "auth_failure", "AUTHENTICATION_FAILED")


@dataclass(frozen=True, slots=True)
class Rule:
    """One cause that can be recognised."""

    name: str
    find: Find
    cause: str  # a sentence for people
    commands: tuple[str, ...] = ()  # worth trying; {pipeline} {stage} {revision} {url} are filled in
    answer: Name = by_phase
    home: Phase = "unknown"  # the phase it belongs to in a log whose phase is not known


def line(
    phases: Collection[Phase],
    *patterns: str,
    unless_later: re.Pattern[str] | None = None,
    unless: Callable[[Case, int], bool] = lambda _case, _place: False,
) -> Find:
    """Find the first line that begins as one of the patterns says, in these phases or an unknown one.

    A line after it that matches `unless_later` shows that the program got over it.
    """
    compiled = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))

    def find(case: Case) -> Finding | None:
        if case.phase not in phases and case.phase != "unknown":
            return None
        for place, text in enumerate(case.lines):
            if compiled.match(text) and not unless(case, place):
                later = case.lines[place + 1 :]
                if not (unless_later and any(unless_later.match(each) for each in later)):
                    return Finding(place, (text,))
        return None

    return find


def settled(find: Find) -> Find:
    """Let what is found count before everything else, wherever it stands."""

    def found(case: Case) -> Finding | None:
        finding = find(case)
        return Finding(SETTLED, finding.lines) if finding else None

    return found


def fact(holds: Callable[[Case], bool], *, place: int = SETTLED) -> Find:
    """Find a cause in the typed facts alone; the last lines are shown with it."""

    def find(case: Case) -> Finding | None:
        return Finding(place, case.lines[-LAST_LINES:]) if holds(case) else None

    return find


def ended(
    kind: Kind, phases: Collection[Phase], *, codes: Collection[int] = (), signals: Collection[str] = ()
) -> Find:
    """Find how a process ended; with neither codes nor signals, any ending counts, after all lines."""

    def holds(case: Case) -> bool:
        how = case.exit_code in codes or case.signal in signals
        return case.kind == kind and case.phase in phases and (how or not (codes or signals))

    return fact(holds, place=SETTLED if codes or signals else IN_THE_END)
