"""A failure as the rules see it: typed facts, and the lines that a program printed.

Only printed lines are matched against patterns. Names and sentences (of a step, a commit, our own
messages) are shown to people and decide nothing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from shared.events import Diagnostics, Evidence, ProbeResult
from shared.events.evidence import Stated
from shared.events.runs import RunKind

LINES_MAX = 2_000  # of a log, from its end
LINE_CHARACTERS_MAX = 1_000  # of a line; patterns see no more

Phase = Literal["clone", "detect", "build", "publish", "setup", "deploy", "rollout", "verify", "unknown"]
PHASES: frozenset[Phase] = frozenset(get_args(Phase))
Kind = Literal[
    "process", "probe", "source", "artifact", "target", "timeout", "interrupted", "error", "unknown"
]

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]{0,20}[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\^_])")
# What log collectors put before a line: BuildKit's step and time, a time, a container's or package's name.
_PREFIX = re.compile(
    r"(?:#\d{1,5} \d{1,6}\.\d{1,3} )?"
    r"(?:\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,]{0,10}(?:Z|[+-]\d\d:?\d\d| [+-]\d{4}(?=\]))?\]?:? )?"
    r"(?:[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d [\w.-]{1,80} [\w@./-]{1,60}(?:\[\d{1,8}\])?: )?"  # syslog
    r"(?:\[Container\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})? )?"  # CodeBuild
    r"(?:\[\d\d:\d\d:\d\d(?:\.\d{1,6})?\] )?"
    r"(?:Completed [\d.]{1,8} \w{3,5}/[^\n]{1,80}remaining)?"  # progress that is never ended by a line's end
    r"(?:##\[error\])?"  # a forge's runner
    r"(?:@?[a-z0-9][a-z0-9_./@-]{0,60}:(?:build|test|lint|dev|start): )?"  # Turborepo
    r"(?:[a-z0-9][a-z0-9_.-]{0,40} {1,20}\| )?"
)
_SPACES = {ord(space): " " for space in "\t\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}"}


@dataclass(frozen=True, slots=True)
class Case:
    """One failure to be named."""

    phase: Phase
    kind: Kind
    lines: tuple[str, ...]  # printed by the program, oldest first, cleaned and bounded
    message: str = ""  # shown, never matched
    exit_code: int | None = None
    signal: str = ""
    provider_code: str = ""
    probes: tuple[ProbeResult, ...] = ()
    whole_stage: bool = False
    stated: Stated = ""
    diagnostics: Diagnostics | None = None
    numbers: tuple[int, ...] = ()  # of the lines in the whole log, from 1; 0: it is no line of the log

    def number_of(self, place: int) -> int | None:
        """Return which line of the whole log stands at a place among `lines`; None: it is none of the log."""
        return (self.numbers[place] or None) if self.numbers else place + 1

    @property
    def failed_probe(self) -> ProbeResult | None:
        """Return how the check that is told first went wrong in the end."""
        failed = [probe for probe in self.probes if not probe.passed]
        same = [probe for probe in failed if probe.url == failed[0].url]
        return same[-1] if same else None


@dataclass(frozen=True, slots=True)
class Setting:
    """Whose failure it is: what turns a command worth trying into one that can be copied."""

    pipeline: str = ""  # empty: no run of ours, and no command that names one helps
    stage: str = ""
    revision: str = ""
    kind: RunKind = "deploy"
    asked_by: str = ""  # the person who asked for the run; empty: it came by itself
    no_candidate: bool = False  # it should have been rolled back, and there was nothing to go back to
    whole_stage: bool = False  # what passed is the stage's own time limit


def case_of(evidence: Evidence, setting: Setting) -> Case:
    """Return the case that a failed run's evidence makes."""
    lines, numbers = numbered_lines((line.text for line in evidence.log_tail), evidence.log_first_line)
    if evidence.log_first_line < 1:  # where they stand is not known
        numbers = (0,) * len(lines)
    if not lines and evidence.diagnostics:
        lines = clean_lines(line.text for line in evidence.diagnostics.log_tail)
        numbers = (0,) * len(lines)
    return Case(
        phase=evidence.phase,
        kind=evidence.kind,
        lines=lines,
        message=one_line(evidence.message),
        exit_code=evidence.exit_code,
        signal=evidence.signal,
        provider_code=evidence.provider_code,
        probes=evidence.probes,
        whole_stage=setting.whole_stage,
        stated=evidence.stated,
        diagnostics=evidence.diagnostics,
        numbers=numbers,
    )


def case_of_log(text: str) -> Case:
    """Return the case that a bare log makes: nothing is known but what it says."""
    lines, numbers = tail_lines(text)
    return Case("unknown", "unknown", lines, numbers=numbers)


def tail_lines(text: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the last lines of a log of any size, cleaned, and their numbers in it."""
    start = max(0, len(text) - LINES_MAX * LINE_CHARACTERS_MAX)
    lines = text[start:].split("\n")
    if start and len(lines) > 1:
        del lines[0]  # what is left of it does not show how it began
    skipped = max(0, len(lines) - LINES_MAX)
    after = text.count("\n") + 1 - (len(lines) - skipped)
    return numbered_lines(lines[skipped:], after + 1)


def numbered_lines(texts: Iterable[str], first: int = 1) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the lines as they would be read, without blank ones, and the number of each."""
    cleaned = [(line, number) for number, text in enumerate(texts, first) if (line := _clean(text))]
    return tuple(line for line, _ in cleaned), tuple(number for _, number in cleaned)


def clean_lines(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the lines as they would be read: no colours, no overwritten progress, no collector's prefix."""
    return numbered_lines(texts)[0]


def one_line(text: str) -> str:
    """Return the text bounded and without control characters."""
    flat = text[:LINE_CHARACTERS_MAX].translate(_SPACES)
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in flat).rstrip()


def _clean(text: str) -> str:
    bare = _ESCAPES.sub("", text[: LINE_CHARACTERS_MAX * 4]).rstrip("\r\n")
    shown = bare.rpartition("\r")[2]
    prefix = _PREFIX.match(shown)
    return one_line(shown[prefix.end() if prefix else 0 :])
