"""The alarm that a stage's health raises: `health:<pipeline>/<stage>`. Pure.

A stage that names it as its `auto_rollback_alarm_name` is kept from beginning anything while one of its
services ails. It is the verifier's alone: nobody else can tell of one called so.

| The stage | and the alarm | is said |
|---|---|---|
| a service is degraded or unreachable, no run is under way | does not fire | it fires |
| a service is degraded or unreachable, a run is under way | does not fire | nothing, until it is over |
| every service is healthy, or there is none | fires | it is clear |
| anything else: unknown is neither good nor bad news | | nothing: what was said stands |

**Why it is held back while a run is under way.** To the deployer an alarm that fires means: undo what is
being done here. It is meant for monitors who see what a new release does to the users. The verifier watches
the release *before* it until the run has succeeded, and a run is what ends that one: its process goes, its
address is given to another. Were that to raise the alarm, a run could undo itself, and a fix for an ailing
stage would be undone because the stage ails. What is new is verified by its run, before it has the address
and for as long as it soaks; that is what rolls it back.

**An alarm that fired before the run began** goes on to fire: nothing is said, so nothing is undone, and a
person may let a run out past it (`AlarmMoves`: a firing alarm that is told once more is no news). If all are
healthy meanwhile that is said, for it undoes nothing. If they ail again before the run is over, that is held
back too: what clears and fires again in the midst of a run is news, and would undo it.

**What was held back is said by the first look after the run**, not by its end: where another run follows at
once, its beginning is heard before that look, and it is not undone for what the one before left behind. What
the run brought itself is watched anew from then on, and is unknown until it was looked at.

A run that failed and left its release at the address, with nothing to go back to, makes the stage ail too:
another release answers than is live. What mends it has to be let past the alarm by a person, as with any.

One race is left: a run may begin in the very moment in which an alarm is said. It is then undone as it would
be for any monitor's alarm; nothing of it has begun, so it is only cancelled, and waits for the alarm.
"""

from collections.abc import Collection
from datetime import datetime

from services.verifier.health import AILING, WELL
from shared.events import AlarmChanged, Health
from shared.events.alarms import FIRING, OF_HEALTH, AlarmState
from shared.ids import Pipeline, Stage, stage_key

SOURCE = "windlass health"
REASON_CHARACTERS_MAX = 500


def raises(health: Health, said: AlarmState | None, *, busy: bool) -> bool:
    """Tell whether a service that does so makes the alarm fire now."""
    return health in AILING and said not in FIRING and not busy


def clears(healths: Collection[Health], said: AlarmState | None) -> bool:
    """Tell whether the services of a stage, doing so, clear its alarm."""
    return said in FIRING and WELL.issuperset(healths)


def firing(pipeline: Pipeline, stage: Stage, service: str, reason: str, now: datetime) -> AlarmChanged:
    """Return the event that it fires."""
    return _alarm(pipeline, stage, "firing", f"{service}: {reason}", now)


def clear(pipeline: Pipeline, stage: Stage, now: datetime) -> AlarmChanged:
    """Return the event that it is clear."""
    return _alarm(pipeline, stage, "clear", "every service of the stage is healthy", now)


def _alarm(pipeline: Pipeline, stage: Stage, state: AlarmState, reason: str, now: datetime) -> AlarmChanged:
    return AlarmChanged(
        alarm=f"{OF_HEALTH}{stage_key(pipeline, stage)}",
        state=state,
        reason=reason[:REASON_CHARACTERS_MAX],
        source=SOURCE,
        at=now,
    )
