"""Rounds as they are told: every one of them, each and all of them bounded."""

from collections.abc import Sequence
from datetime import datetime

from services.verifier.tally import is_told
from shared.events import ProbeResult, ProbeRound

TOLD_SECONDS_MIN = 5.0  # from one telling to the next, of a verification that goes on
TOLD_SECONDS_MAX = 60.0
ROUNDS_TOLD_MAX = 30  # in one telling: the first and the last of them
PROBES_TOLD_MAX = 10  # of one round: those that failed before the others
FULLY_TOLD_ROUNDS = 10  # of a verification; after that what passes is a number, and the same is not repeated


def pause_seconds(elapsed: float) -> float:
    """Return how long after a telling the next is due: the later in a verification, the longer."""
    return min(TOLD_SECONDS_MIN + max(elapsed, 0.0), TOLD_SECONDS_MAX)


def round_of(
    number: int, at: datetime, results: Sequence[ProbeResult], before: Sequence[ProbeResult] = ()
) -> ProbeRound:
    """Return a round as it is told; `before` is what the round before it brought."""
    told = [result for result in results if is_told(result)]
    worth = told if number <= FULLY_TOLD_ROUNDS else _news(told, before)
    kept = sorted(worth, key=lambda result: result.passed)[:PROBES_TOLD_MAX]
    passed = sum(result.passed for result in told) - sum(result.passed for result in kept)
    return ProbeRound(number=number, at=at, probes=tuple(kept), further=passed)


def with_round(untold: Sequence[ProbeRound], latest: ProbeRound) -> tuple[ProbeRound, ...]:
    """Return what is to be told with one more round; those left out in the middle show by their numbers."""
    rounds = (*untold, latest)
    if len(rounds) <= ROUNDS_TOLD_MAX:
        return rounds
    dull = [place for place, each in enumerate(rounds[:-1]) if place and not each.probes]
    out = dull[len(dull) // 2] if dull else ROUNDS_TOLD_MAX // 2
    return (*rounds[:out], *rounds[out + 1 :])


def _news(told: Sequence[ProbeResult], before: Sequence[ProbeResult]) -> Sequence[ProbeResult]:
    """Return what failed otherwise than in the round before; else one that failed, in short."""
    failed = [result for result in told if not result.passed]
    known = {_outcome(result) for result in before}
    new = [result for result in failed if _outcome(result) not in known]
    return new or [result.model_copy(update={"body_head": ""}) for result in failed[:1]]


def _outcome(result: ProbeResult) -> tuple[object, ...]:
    return result.service, result.kind, result.url, result.fault, result.status
