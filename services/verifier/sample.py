"""One look at a service that is live, as it counts for its health. Pure.

A look is what its checks came to and what its target tells. Other targets plug in behind `Observer`, which
brings their figures into the form of `signals.py`: what is judged from here on knows `wanted`, `running` and
`restarts` only, and needs no change for ECS or a target group.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from services.verifier.signals import Signals
from shared.events import ProbeFault, ProbeResult

Kind = Literal[
    "good",
    "slow",  # as it should be, but for the time it took
    "bad",  # it answered, and not as it should
    "silent",  # nothing of it answered
]

SILENT: frozenset[ProbeFault] = frozenset(
    {"refused", "unresolved", "unreachable", "forbidden", "broken", "timeout", "ended"}
)
TOO_SLOW: frozenset[ProbeFault] = frozenset({"slow"})
OF_A_RUN: frozenset[ProbeFault] = frozenset({"release", "restarted"})  # what a run does on its way
PROBLEM_CHARACTERS_MAX = 300


@dataclass(frozen=True, slots=True)
class Look:
    """What one look saw."""

    at: datetime  # when it began
    results: Sequence[ProbeResult]  # of every check, once
    signals: Signals | None  # None: nothing is told of its processes
    absent: tuple[str, ...] = ()  # well-known addresses that the service does not have


@dataclass(frozen=True, slots=True)
class Sample:
    """What is kept of it."""

    at: datetime
    kind: Kind
    latency_seconds: float | None  # of the slowest answer; None: there was none
    wanted: int = 0  # processes; 0: nothing is told of them
    running: int = 0
    restarts: int = 0  # of processes, since the release came up
    problem: str = ""  # what is the matter, in a sentence


def sample_of(look: Look, *, busy: bool) -> Sample | None:
    """Return what a look counts as; None: for nothing, while a run changes what is there or of no check."""
    faults = {result.fault for result in look.results} - {""}
    if busy and (faults & OF_A_RUN or _answers_for_another(look)):
        return None
    if not look.results and look.signals is None:
        return None
    signals = look.signals or Signals("absent", wanted=0, running=0)
    latencies = [each.latency_seconds for each in look.results if _answered(each)]
    return Sample(
        at=look.at,
        kind=_kind(look),
        latency_seconds=max((each for each in latencies if each is not None), default=None),
        wanted=signals.wanted,
        running=signals.running,
        restarts=signals.restarts,
        problem=_problem(look)[:PROBLEM_CHARACTERS_MAX],
    )


def document(sample: Sample) -> list[Any]:
    """Return it as JSON, without the problem: of that the last one is kept."""
    figures = (sample.wanted, sample.running, sample.restarts)
    return [sample.at.isoformat(), sample.kind, sample.latency_seconds, *figures]


def sample_from(told: Sequence[Any]) -> Sample:
    """Read it back."""
    at, kind, latency, *figures = told
    return Sample(datetime.fromisoformat(at), cast("Kind", kind), latency, *figures)


def _kind(look: Look) -> Kind:
    bad = [result for result in look.results if result.fault]
    silent = [result for result in bad if result.fault in SILENT]
    if len(silent) == len(look.results):  # nothing was asked, or nothing answered
        return "silent" if silent or _none_runs(look) else "good"
    if _answers_for_another(look) or any(result.fault not in TOO_SLOW for result in bad):
        return "bad"
    return "slow" if bad else "good"


def _problem(look: Look) -> str:
    """Return the worst thing: no answer before a wrong one, and that before a slow one."""
    worst = sorted((result for result in look.results if result.fault), key=_badness)
    if worst:
        return f"{worst[0].url} {worst[0].problem}".strip()
    if look.signals is None or not _few_run(look.signals):
        return ""
    why = f": {look.signals.message}" if look.signals.message else ""
    if _answers_for_another(look):
        return f"something answers in its place, and none of its processes runs{why}"
    return f"{look.signals.running} of {look.signals.wanted} processes run{why}"


def _badness(result: ProbeResult) -> tuple[bool, bool]:
    return result.fault not in SILENT, result.fault in TOO_SLOW


def _answered(result: ProbeResult) -> bool:
    return result.fault not in SILENT


def _none_runs(look: Look) -> bool:
    return look.signals is not None and look.signals.wanted > 0 and look.signals.running == 0


def _few_run(signals: Signals) -> bool:
    return signals.running < signals.wanted


def _answers_for_another(look: Look) -> bool:
    """Tell whether something answers though no process of the service is there to."""
    return _none_runs(look) and any(_answered(result) for result in look.results)
