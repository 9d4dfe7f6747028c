"""What stands before the locks of a pipeline's stages, read and written in one transaction."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from services.deployer import tables
from services.deployer.admission import Blocker, Gates, Stop
from shared.db import Transaction, hold
from shared.events.alarms import FIRING
from shared.ids import WHOLE, stage_key
from shared.window import Window

_arg = sa.bindparam
_stops, _blockers, _overrides = tables.stops.c, tables.blockers.c, tables.overrides.c

STOPS = sa.select(tables.stops).where(_stops.key.in_(_arg("keys", expanding=True))).order_by(_stops.key)
BLOCKERS = sa.select(tables.blockers).where(_blockers.stage_key == _arg("here")).order_by(_blockers.since)
OVERRIDE = sa.select(_overrides.until).where(_overrides.stage_key == _arg("here"))
FORGET_STOP = sa.delete(tables.stops).where(_stops.key == _arg("this"))
_standing = (_blockers.stage_key == _arg("here"), _blockers.name == _arg("called"))
LIFT = sa.update(tables.blockers).where(
    *_standing, sa.or_(_blockers.ends_at.is_(None), _blockers.ends_at > _arg("until"))
)
LIFTED = (
    sa.select(_blockers.ends_at)
    .join_from(tables.blockers, tables.alarms, _blockers.ends_at >= tables.alarms.c.since)
    .where(*_standing, tables.alarms.c.name == _arg("alarm"))
)
FORGET_OVER = sa.delete(tables.blockers).where(*_standing, _blockers.ends_at.is_not(None))
ALARM = sa.select(tables.alarms).where(tables.alarms.c.name == _arg("called"))
SAME_ALARM = sa.update(tables.alarms).where(
    tables.alarms.c.name == _arg("called"), tables.alarms.c.state == _arg("stands")
)
FORGET_ALARM = sa.delete(tables.alarms).where(tables.alarms.c.name == _arg("called"))
UNDER = (
    sa.select(tables.stages.c.pipeline)
    .where(
        sa.or_(
            tables.stages.c.alarm == _arg("called"),
            tables.stages.c.key.in_(sa.select(_blockers.stage_key).where(_blockers.name == _arg("blocker"))),
        )
    )
    .distinct()
    .order_by(tables.stages.c.pipeline)
)
FORGET_OVERRIDE = sa.delete(tables.overrides).where(_overrides.stage_key == _arg("here"))
FORGET_HOLD = sa.delete(tables.holds).where(
    tables.holds.c.stage_key == _arg("here"), tables.holds.c.revision == _arg("number")
)


@dataclass(frozen=True, slots=True)
class GateStore:
    """Reads and writes of a transaction that has locked the pipeline."""

    tx: Transaction

    async def gates(self, pipeline: str, stage: str, window: Window | None) -> Gates:
        """Return what stands before a stage's lock, for a run whose plan has this window."""
        here, whole = stage_key(pipeline, stage), stage_key(pipeline, WHOLE)
        stops = (await self.tx.execute(STOPS, {"keys": [here, whole]})).all()
        blockers = (await self.tx.execute(BLOCKERS, {"here": here})).all()
        until = (await self.tx.execute(OVERRIDE, {"here": here})).scalar() if window else None
        stop = next((Stop(row.actor, row.reason, row.since, row.key == whole) for row in stops), None)
        found = [Blocker(row.name, row.reason, row.released_by, row.since, row.ends_at) for row in blockers]
        return Gates(stop, found, window, until)

    async def stop(self, pipeline: str, stage: str, actor: str, reason: str) -> bool:
        """Keep the stage from beginning anything; False when it is stopped already."""
        row = {"key": stage_key(pipeline, stage), "actor": actor, "reason": reason, "since": self.tx.now}
        return await self.tx.insert_or_ignore(tables.stops, row)

    async def resume(self, pipeline: str, stage: str) -> bool:
        """Let it begin runs again; False when it is not stopped itself."""
        return (await self.tx.execute(FORGET_STOP, {"this": stage_key(pipeline, stage)})).rowcount > 0

    async def block(self, key: str, blocker: Blocker) -> bool:
        """Put a blocker before the stage; False when one of its name stands there already."""
        over = {"here": key, "called": blocker.name}
        await self.tx.execute(FORGET_OVER, over)
        row = {
            "stage_key": key,
            "name": blocker.name,
            "reason": blocker.reason,
            "released_by": blocker.released_by,
            "since": blocker.since,
        }
        return await self.tx.insert_or_ignore(tables.blockers, row)

    async def lift(self, key: str, name: str, ends_at: datetime) -> bool:
        """Let a blocker be over from then on; False when none of that name stands there for longer."""
        values = {"here": key, "called": name, "until": ends_at, "ends_at": ends_at}
        return (await self.tx.execute(LIFT, values)).rowcount > 0

    async def standing(self, key: str) -> list[str]:
        """Return the names of the blockers that keep the stage closed now."""
        rows = (await self.tx.execute(BLOCKERS, {"here": key})).all()
        return [row.name for row in rows if row.ends_at is None or self.tx.now < row.ends_at]

    async def is_lifted(self, key: str, name: str, alarm: str) -> bool:
        """Tell whether a person lifted an alarm's blocker since the alarm fires."""
        values = {"here": key, "called": name, "alarm": alarm}
        return (await self.tx.execute(LIFTED, values)).first() is not None

    async def lock_alarms(self, *names: str) -> None:
        """Let nobody else note how these alarms stand, or go by that, until this transaction ends."""
        await hold(self.tx, *(f"deployer alarm {name}" for name in names))

    async def note_alarm(self, name: str, state: str, reason: str) -> bool:
        """Keep what is known of an alarm; False when it stood so already, for another reason maybe."""
        told = {"called": name, "stands": state, "reason": reason}
        if (await self.tx.execute(SAME_ALARM, told)).rowcount > 0:
            return False
        await self.tx.execute(FORGET_ALARM, {"called": name})
        row = {"name": name, "state": state, "reason": reason, "since": self.tx.now}
        await self.tx.execute(sa.insert(tables.alarms), row)
        return True

    async def firing(self, name: str) -> str | None:
        """Return why an alarm fires; None when it does not."""
        row = (await self.tx.execute(ALARM, {"called": name})).first()
        return row.reason if row and row.state in FIRING else None

    async def pipelines_under(self, alarm: str, blocker: str) -> list[str]:
        """Return the pipelines with a stage that the alarm is about, or that it keeps closed."""
        return list((await self.tx.execute(UNDER, {"called": alarm, "blocker": blocker})).scalars())

    async def override_window(self, key: str, until: datetime, actor: str, reason: str) -> None:
        """Let the stage begin runs until then, whatever its window says."""
        await self.tx.execute(FORGET_OVERRIDE, {"here": key})
        row = {"stage_key": key, "until": until, "actor": actor, "reason": reason}
        await self.tx.execute(sa.insert(tables.overrides), row)

    async def release_hold(self, key: str, revision: int) -> bool:
        """Let the revision be admitted again; False when it is not on hold."""
        return (await self.tx.execute(FORGET_HOLD, {"here": key, "number": revision})).rowcount > 0
