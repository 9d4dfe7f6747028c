"""A failure as the rules see it: typed facts, and the lines that a program printed.

Only printed lines are matched against patterns. Names and sentences (of a step, a commit, our own
messages) are shown to people and decide nothing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from shared.events import Evidence, ProbeResult
from shared.events.evidence import Stated
from shared.events.runs import RunKind

LINES_MAX = 2_000  # of a log, from its end
LINE_CHARACTERS_MAX = 500  # of a line; patterns see no more

Phase = Literal["clone", "detect", "build", "publish", "setup", "deploy", "rollout", "verify", "unknown"]
Kind = Literal[
    "process", "probe", "source", "artifact", "target", "timeout", "interrupted", "error", "unknown"
]

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]{0,20}[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\^_])")
# What log collectors put before a line: BuildKit's step and time, a time, a container's name.
_PREFIX = re.compile(
    r"(?:#\d{1,5} \d{1,6}\.\d{1,3} )?"
    r"(?:\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,]{0,10}(?:Z|[+-]\d\d:?\d\d)?\]? )?"
    r"(?:[a-z0-9][a-z0-9_.-]{0,40} {1,20}\| )?"
)


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

    @property
    def failed_probe(self) -> ProbeResult | None:
        """Return how the check that is told first went wrong in the end."""
        failed = [probe for probe in self.probes if not probe.passed]
        same = [probe for probe in failed if probe.url == failed[0].url]
        return same[-1] if same else None


@dataclass(frozen=True, slots=True)
class Setting:
    """Whose failure it is: what turns a command worth trying into one that can be copied."""

    pipeline: str = "PIPELINE"
    stage: str = "STAGE"
    revision: str = "REVISION"
    kind: RunKind = "deploy"
    no_candidate: bool = False  # it should have been rolled back, and there was nothing to go back to
    whole_stage: bool = False  # what passed is the stage's own time limit


def case_of(evidence: Evidence, setting: Setting) -> Case:
    """Return the case that a failed run's evidence makes."""
    return Case(
        phase=evidence.phase,
        kind=evidence.kind,
        lines=clean_lines(line.text for line in evidence.log_tail),
        message=one_line(evidence.message),
        exit_code=evidence.exit_code,
        signal=evidence.signal,
        provider_code=evidence.provider_code,
        probes=evidence.probes,
        whole_stage=setting.whole_stage,
        stated=evidence.stated,
    )


def case_of_log(text: str) -> Case:
    """Return the case that a bare log makes: nothing is known but what it says."""
    tail = text[-LINES_MAX * LINE_CHARACTERS_MAX :]
    return Case("unknown", "unknown", clean_lines(tail.splitlines()[-LINES_MAX:]))


def clean_lines(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the lines as they would be read: no colours, no overwritten progress, no collector's prefix."""
    return tuple(line for text in texts if (line := _clean(text)))


def one_line(text: str) -> str:
    """Return the text bounded and without control characters."""
    flat = text[:LINE_CHARACTERS_MAX].replace("\t", " ")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in flat).rstrip()


def _clean(text: str) -> str:
    bare = _ESCAPES.sub("", text[: LINE_CHARACTERS_MAX * 4]).rstrip("\r\n")
    shown = bare.rpartition("\r")[2]
    prefix = _PREFIX.match(shown)
    return one_line(shown[prefix.end() if prefix else 0 :])
