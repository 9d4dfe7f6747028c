"""The alarm that a stage's health raises: `health:<pipeline>/<stage>`. Pure.

A stage that names it as its `auto_rollback_alarm_name` is kept from beginning anything while one of its
services ails. It is the verifier's alone: nobody else can tell of one called so.

| The stage | and the alarm | is said |
|---|---|---|
| a service is degraded or unreachable, no run is under way | does not fire | it fires |
| a service is degraded or unreachable, a run is under way | does not fire | nothing, until it is over |
| every service is healthy, or there is none | fires | it is clear |
| anything else: unknown is neither good nor bad news | | nothing: what was said stands |

**Why it is held back while a run is under way.** The alarm tells of what is live. Until a run has succeeded
the verifier watches the release *before* it, and a run is what ends that one: its process goes, its address
is given to another. What is new is verified by its run, before it has the address and for as long as it
soaks; that is what rolls it back. The deployer undoes nothing for an alarm of health (`AlarmMoves`), it
only begins nothing.

**An alarm that fired before the run began** goes on to fire: nothing is said. If all are healthy meanwhile
that is said at once.

**What was held back is said by the first look after the run**, not by its end: where another run follows at
once, its beginning is heard before that look, and it is not undone for what the one before left behind. What
the run brought itself is watched anew from then on, and is unknown until it was looked at.

A run that failed and left its release at the address, with nothing to go back to, makes the stage ail too:
another release answers than is live. What mends it has to be let past the alarm by a person, as with any.
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
