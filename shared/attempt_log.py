"""Publishing an attempt's output: in order, each line once, also across a crash of the publisher."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from shared.db import Reading, Transaction
from shared.db.tables import attempt_logs
from shared.events import LogAppended, LogLine

BATCH_LINES_MAX = 500  # lines in one event

_ITS_LOG = attempt_logs.c.log == sa.bindparam("its_log")
_LINES = sa.select(attempt_logs.c.lines).where(_ITS_LOG)
_LOG = sa.select(attempt_logs).where(_ITS_LOG).with_for_update()
_GROW = (
    sa.update(attempt_logs)
    .where(_ITS_LOG)
    .values(lines=sa.bindparam("lines_by_now"), closed=sa.bindparam("is_closed"))
)


@dataclass(frozen=True, slots=True)
class AttemptLog:
    """Which output this is, for people and for the key that orders it."""

    log: str  # "run/step/attempt" or "build/<key>/<attempt>"
    pipeline: str
    revision: int
    stage: str
    what: str

    async def next_line(self, reading: Reading) -> int:
        """Return the number of the first line not yet published."""
        return (await reading.execute(_LINES, {"its_log": self.log})).scalar() or 0

    async def append(self, tx: Transaction, lines: Sequence[LogLine], *, last: bool = False) -> None:
        """Publish lines that follow those published; closing twice says nothing again."""
        whole = {"log": self.log, "lines": len(lines), "closed": last}
        if await tx.insert_or_ignore(attempt_logs, whole):
            self._say_all(tx, 0, lines, last=last)
            return
        row = (await tx.execute(_LOG, {"its_log": self.log})).one()
        if row.closed:
            return
        self._say_all(tx, row.lines, lines, last=last)
        values = {"its_log": self.log, "lines_by_now": row.lines + len(lines), "is_closed": last}
        await tx.execute(_GROW, values)

    def _say_all(self, tx: Transaction, first_line: int, lines: Sequence[LogLine], *, last: bool) -> None:
        for offset in range(0, max(len(lines), 1), BATCH_LINES_MAX):
            batch = tuple(lines[offset : offset + BATCH_LINES_MAX])
            self._say(tx, first_line + offset, batch, last=last and offset + BATCH_LINES_MAX >= len(lines))

    def _say(self, tx: Transaction, first_line: int, batch: tuple[LogLine, ...], *, last: bool) -> None:
        if not batch and not last:
            return
        event = LogAppended(
            log=self.log,
            pipeline=self.pipeline,
            revision=self.revision,
            stage=self.stage,
            what=self.what,
            first_line=first_line,
            lines=batch,
            last=last,
        )
        tx.emit(event, f"{first_line}{' last' if last else ''}")
