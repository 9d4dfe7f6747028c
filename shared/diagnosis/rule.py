"""What a rule is made of, and the ways a rule can find its cause.

Every finding has a place in the story: typed facts that settle the matter stand before all lines, a
line at its number, and what is only known from the end after all lines. The earliest finding is the
cause; of two in one place, the rule that comes first.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cache

from shared.diagnosis.evidence import Case, Kind, Phase
from shared.events.verification import Confidence, FailureCategory, FailureCode, FailureStage

SETTLED = -1  # place of a typed fact that leaves no doubt
IN_THE_END = 1_000_000  # place of what is known only because nothing earlier is
LAST_LINES = 5  # shown where no line is the cause
TO_COMPILE: list[Callable[[], re.Pattern[str]]] = []  # every rule's, in the order of loading


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause, where it stands, and what says it: lines by their place in the case, other things in words."""

    place: int
    lines: tuple[int | str, ...] = ()
    home: Phase = "unknown"  # the phase it speaks of; unknown: the rule's own


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
    check: tuple[str, ...] = ()  # what to look at, most likely first; sentences
    done_when: str = ""  # how to know that it is mended; a sentence
    confidence: Confidence = "likely"
    example: Case | None = None  # a failure that it names
    near_miss: Case | None = None  # one that looks alike and that it must not name


def when_asked(pattern: str) -> Callable[[], re.Pattern[str]]:
    """Compile the pattern at the first look: all take a tenth of a second, and a command needs few."""
    compiled = cache(lambda: re.compile(pattern))
    TO_COMPILE.append(compiled)
    return compiled


def line(
    phases: Collection[Phase],
    *patterns: str,
    unless_later: re.Pattern[str] | None = None,
    unless: Callable[[Case, int], bool] = lambda _case, _place: False,
    following: int = 0,
) -> Find:
    """Find the first line that begins as one of the patterns says, in these phases or an unknown one.

    A line after it that matches `unless_later` shows that the program got over it. As many of the
    `following` lines are shown with it.
    """
    compiled = when_asked("|".join(f"(?:{pattern})" for pattern in patterns))

    def find(case: Case) -> Finding | None:
        if case.phase not in phases and case.phase != "unknown":
            return None
        begins = compiled()
        for place in range(got_over(case, unless_later), len(case.lines)):
            if begins.match(case.lines[place]) and not unless(case, place):
                last = min(place + following + 1, len(case.lines))
                return Finding(place, tuple(range(place, last)))
        return None

    return find


def block(phases: Collection[Phase], begins: str, says: str, *, lines: int = 8) -> Find:
    """Find a message that its tool broke into lines, also within words: `says` is written without blanks."""
    compiled = when_asked(begins), when_asked(says)

    def find(case: Case) -> Finding | None:
        if case.phase not in phases and case.phase != "unknown":
            return None
        begin, said = (each() for each in compiled)
        for place, text in enumerate(case.lines):
            if begin.match(text):
                shown = range(place, min(place + lines, len(case.lines)))
                if said.search("".join("".join(case.lines[each].split()) for each in shown)):
                    return Finding(place, tuple(shown))
        return None

    return find


def got_over(case: Case, by: re.Pattern[str] | None) -> int:
    """Return the first place that no later line makes good."""
    if by is None:
        return 0
    places = range(len(case.lines) - 1, -1, -1)
    return next((place + 1 for place in places if by.match(case.lines[place])), 0)


def first_of(*finds: Find) -> Find:
    """Find one cause in several ways: the earliest of them."""

    def find(case: Case) -> Finding | None:
        found = [finding for each in finds if (finding := each(case))]
        return min(found, key=lambda finding: finding.place, default=None)

    return find


def settled(find: Find) -> Find:
    """Let what is found count before everything else, wherever it stands."""

    def found(case: Case) -> Finding | None:
        finding = find(case)
        return replace(finding, place=SETTLED) if finding else None

    return found


def last_lines(case: Case) -> tuple[int, ...]:
    """Return the places of the lines that are shown where none is the cause."""
    return tuple(range(len(case.lines))[-LAST_LINES:])


def fact(holds: Callable[[Case], bool], *, place: int = SETTLED) -> Find:
    """Find a cause in the typed facts alone; the last lines are shown with it."""

    def find(case: Case) -> Finding | None:
        return Finding(place, last_lines(case)) if holds(case) else None

    return find


def ended(
    kind: Kind, phases: Collection[Phase], *, codes: Collection[int] = (), signals: Collection[str] = ()
) -> Find:
    """Find how a process ended; with neither codes nor signals, any ending counts, after all lines."""

    def holds(case: Case) -> bool:
        how = case.exit_code in codes or case.signal in signals
        return case.kind == kind and case.phase in phases and (how or not (codes or signals))

    return fact(holds, place=SETTLED if codes or signals else IN_THE_END)
