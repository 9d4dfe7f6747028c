"""Rounds as they are told: every one of them, each and all of them bounded."""

from collections.abc import Sequence
from datetime import datetime

from services.verifier.tally import is_told
from shared.events import ProbeResult, ProbeRound

TOLD_SECONDS = 5.0  # from one telling to the next, of a verification that goes on
ROUNDS_TOLD_MAX = 30  # in one telling: the first and the last of them
PROBES_TOLD_MAX = 10  # of one round: those that failed before the others
FULLY_TOLD_ROUNDS = 10  # of a verification; of what passes after that the number is told


def round_of(number: int, at: datetime, results: Sequence[ProbeResult]) -> ProbeRound:
    """Return a round as it is told."""
    told = [result for result in results if is_told(result)]
    worth = told if number <= FULLY_TOLD_ROUNDS else [result for result in told if not result.passed]
    kept = sorted(worth, key=lambda result: result.passed)[:PROBES_TOLD_MAX]
    passed = sum(result.passed for result in told) - sum(result.passed for result in kept)
    return ProbeRound(number=number, at=at, probes=tuple(kept), further=passed)


def with_round(untold: Sequence[ProbeRound], latest: ProbeRound) -> tuple[ProbeRound, ...]:
    """Return what is to be told with one more round; those left out in the middle show by their numbers."""
    rounds = (*untold, latest)
    half = ROUNDS_TOLD_MAX // 2
    return rounds if len(rounds) <= ROUNDS_TOLD_MAX else (*rounds[:half], *rounds[-half:])
