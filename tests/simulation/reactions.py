"""What people ask for because of what they hear: so that most of it makes sense, and is done.

Chance alone asks for what is not possible nearly always, and an operation that is only ever refused
proves little.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from shared.events import (
    BlockerLifted,
    DefinitionHeld,
    Event,
    RunCancelled,
    RunFailed,
    RunQueued,
    RunStarted,
    RunSucceeded,
    RunTimedOut,
    RunWaiting,
    StageBlocked,
    StageHeld,
    StageStopped,
    StepWaiting,
)
from shared.events.operations import OperationKind
from shared.ids import Pipeline, Stage


@dataclass(frozen=True)
class Reaction:
    """What somebody may ask for upon an event."""

    kind: OperationKind
    chance: float
    seconds: float  # until they do, on average
    fits: Callable[[Any], bool] = lambda _event: True


def _waits_for(*reasons: str) -> Callable[[Any], bool]:
    return lambda event: event.wait is not None and event.wait.reason in reasons


REACTIONS: dict[type[Event], Sequence[Reaction]] = {
    RunQueued: (Reaction("cancel", 0.02, 10),),
    RunStarted: (
        Reaction("cancel", 0.08, 20),
        Reaction("rollback", 0.08, 20),
        Reaction("stop", 0.04, 5),
        Reaction("roll_forward", 0.03, 20),
    ),
    RunSucceeded: (
        Reaction("rollback", 0.15, 20),
        Reaction("stop", 0.03, 30),
        Reaction("roll_forward", 0.1, 5),
    ),
    RunFailed: (Reaction("retry", 0.5, 30), Reaction("rollback", 0.15, 20)),
    RunTimedOut: (Reaction("retry", 0.5, 30),),
    RunCancelled: (Reaction("retry", 0.5, 30), Reaction("rollback", 0.15, 20)),
    RunWaiting: (
        Reaction("override_window", 0.5, 30, _waits_for("window")),
        Reaction("roll_forward", 0.3, 30, _waits_for("window", "blocker", "lock")),
        Reaction("cancel", 0.1, 20, _waits_for("build", "retry_backoff", "window")),
    ),
    StageBlocked: (Reaction("lift_blocker", 0.4, 60),),
    BlockerLifted: (Reaction("lift_blocker", 0.2, 30),),
    StageHeld: (Reaction("release_hold", 0.5, 60),),
    StageStopped: (Reaction("resume", 0.7, 60),),
    StepWaiting: (
        Reaction("approve", 0.3, 60, lambda event: not event.needed),  # a bake, which ends early
        Reaction("reject", 0.1, 60, lambda event: not event.needed),
    ),
    DefinitionHeld: (Reaction("approve", 0.6, 120), Reaction("reject", 0.25, 60)),
}


@dataclass(frozen=True)
class Wish:
    """An operation to ask for, and when."""

    seconds: float
    kind: OperationKind
    pipeline: Pipeline
    stage: Stage
    shown: str = ""  # what they looked at, where they look at something


def wishes(dice: Random, eagerness: float, event: Event) -> list[Wish]:
    """Return what people ask for upon an event."""
    return [
        Wish(
            dice.expovariate(1 / each.seconds),
            each.kind,
            event.pipeline,  # type: ignore[attr-defined]
            event.stage,  # type: ignore[attr-defined]
            event.shown if isinstance(event, DefinitionHeld) else "",
        )
        for each in REACTIONS.get(type(event), ())
        if each.fits(event) and dice.random() < each.chance * eagerness
    ]
