"""The rounds of a verification: which are new, what they come to, and which are kept. Pure.

A round is told once, by its number. A verifier that was away counts from 1 again, so a number that was had
already is new if it was made at another time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from services.status.views import VerificationProgress, VerificationView
from shared.events import ProbeResult, ProbeRound, VerificationFailed, VerificationPassed, VerificationProbed

P = TypeVar("P", bound=VerificationProgress)
V = TypeVar("V", bound=VerificationView)

COUNTS = (
    "rounds_made", "rounds_good", "problem", "soaks_until", "soak_rounds_made", "soak_rounds_good",
    "rounds_untold", "last_round", "last_round_at", "counted_since",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """How many rounds are kept, and how many probes of each."""

    first: int
    last: int
    probes: int


IN_RUN = Kept(first=2, last=4, probes=10)
IN_FULL = Kept(first=20, last=100, probes=10)


def with_rounds(view: V, body: VerificationProbed | VerificationPassed | VerificationFailed, kept: Kept) -> V:
    """Return the verification with the rounds that it does not have yet, as many as are kept."""
    until = body.soaks_until if isinstance(body, VerificationProbed) else None
    now, new = counted(view, body.rounds, until)
    rounds = (*view.rounds, *(_shortened(each, kept.probes) for each in new))
    over = len(rounds) - kept.first - kept.last
    if over > 0:
        rounds = (*rounds[: kept.first], *rounds[kept.first + over :])
    left_out = view.rounds_left_out + max(over, 0) + now.rounds_untold - view.rounds_untold
    changes: dict[str, Any] = {"rounds": rounds, "rounds_left_out": left_out}
    if now.soaks_until is not None:
        changes["soak"] = "watching"
    return now.model_copy(update=changes)


def is_good(round_: ProbeRound) -> bool:
    """Tell whether every probe of it passed."""
    return all(probe.passed for probe in round_.probes)


def counted(
    progress: P, rounds: Iterable[ProbeRound], soaks_until: datetime | None
) -> tuple[P, list[ProbeRound]]:
    """Return how far it has come with these rounds, and which of them are new."""
    now: dict[str, Any] = {name: getattr(progress, name) for name in COUNTS}
    if soaks_until is not None and soaks_until != now["soaks_until"]:
        now |= {"soaks_until": soaks_until, "soak_rounds_made": 0, "soak_rounds_good": 0}
    new = []
    for each in rounds:
        if _is_new(now, each):
            new.append(each)
            _count(now, each, progress.soak_seconds)
    return progress.model_copy(update=now), new


def _is_new(now: dict[str, Any], round_: ProbeRound) -> bool:
    if round_.number > now["last_round"]:
        return True
    again = round_.number == 1 and round_.at != now["counted_since"]
    return again or bool(round_.at > now["last_round_at"])


def _count(now: dict[str, Any], round_: ProbeRound, soak_seconds: float) -> None:
    good = is_good(round_)
    if now["last_round"] == 0 or round_.number <= now["last_round"]:
        now["counted_since"] = round_.at
    else:
        now["rounds_untold"] += round_.number - now["last_round"] - 1
    now["last_round"], now["last_round_at"] = round_.number, round_.at
    now["rounds_made"] += 1
    now["rounds_good"] += good
    now["problem"] = next((_problem(probe) for probe in round_.probes if not probe.passed), "")
    until = now["soaks_until"]
    if until is not None and round_.at >= until - timedelta(seconds=soak_seconds):
        now["soak_rounds_made"] += 1
        now["soak_rounds_good"] += good


def _problem(probe: ProbeResult) -> str:
    return f"{probe.url} {probe.problem}".strip()


def _shortened(round_: ProbeRound, probes: int) -> ProbeRound:
    """Return the round with as many probes as are kept, those that did not pass before the others."""
    over = len(round_.probes) - probes
    if over <= 0:
        return round_
    worst_first = sorted(round_.probes, key=lambda probe: probe.passed)
    further = round_.further + sum(probe.passed for probe in worst_first[probes:])
    return round_.model_copy(update={"probes": tuple(worst_first[:probes]), "further": further})
