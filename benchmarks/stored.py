"""A database with as many stored deployments as wanted, all of them copies of ten that were recorded.

A deployment is a revision in a stage: a run. Few are made by telling the recorded events anew to the real
projector; many by writing the very rows that it would write. That both give the same rows is a test.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from benchmarks.recorded import DAY, ID, PIPELINE, POSITION_0, REVISION_0, REVISIONS, Recorded, Row
from services.status import projection
from services.status.projection import Kind
from services.status.store.writing import Projection
from shared.clock import SystemClock
from shared.db import ServiceDatabase, metadata
from shared.db.sqlite import SqliteDatabase
from shared.delivery import TYPES
from shared.events import Event, Message

PIPELINES = 33  # of three stages: about a hundred of those
FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)
POSITIONS = 1_000  # apart, from one ten to the next
FIELD, END = "\x1f", "\x1e"  # between columns, between rows; JSON writes both as escapes
SCATTERED = 2_654_435_761  # odd, so that numbers times this modulo 2^32 are all different, and far apart
BATCH = 200  # messages the projector is given at once

_DAY_AT = datetime.fromisoformat(DAY).replace(tzinfo=UTC)
_MARKS = re.compile(rf"%|{PIPELINE}|{ID}|{DAY}|{REVISION_0 // 100}\d\d|{POSITION_0 // 1000}\d\d\d")
_INSTANT_NUMBER = re.compile(rf"{str(int(_DAY_AT.timestamp()))[:3]}\d{{12}}")  # in microseconds
ROLLING = (Kind.PIPELINE, Kind.STAGE)  # views that go on from ten to ten; all others are of one


@dataclass(frozen=True, slots=True)
class Ten:
    """Ten revisions of one pipeline."""

    number: int  # among all

    @property
    def pipeline(self) -> str:
        """Return whose they are."""
        return f"service-{self.number % PIPELINES:02d}"

    @property
    def id(self) -> str:
        """Return what its ids begin with: as far apart as real ones."""
        return f"{self.number * SCATTERED % 2**32:08x}"

    @property
    def round(self) -> int:
        """Return how many tens of the pipeline came before."""
        return self.number // PIPELINES

    def slots(self) -> "Slots":
        """Return what to put in for the marks."""
        return Slots(self)


class Slots(dict[str, str]):
    """What to put in for each mark of one ten."""

    def __init__(self, ten: Ten) -> None:
        day = FIRST_DAY + timedelta(days=ten.round)
        super().__init__(p=ten.pipeline, i=ten.id, d=f"{day:%Y-%m-%d}")
        self._add = {
            "r": ten.round * REVISIONS - REVISION_0,
            "q": ten.number * POSITIONS - POSITION_0,
            "t": (day - _DAY_AT) // timedelta(microseconds=1),
        }

    def __missing__(self, slot: str) -> str:
        value = self[slot] = str(int(slot[1:]) + self._add[slot[0]])
        return value


def _slotted(text: str) -> str:
    names = {PIPELINE: "%(p)s", ID: "%(i)s", DAY: "%(d)s", "%": "%%"}

    def slot(found: re.Match[str]) -> str:
        mark = found[0]
        return names.get(mark) or f"%({'r' if mark.startswith(str(REVISION_0)[:7]) else 'q'}{mark})s"

    return _MARKS.sub(slot, text)


def _slotted_row(row: Iterable[Any]) -> str:
    columns = (str(value) if value is not None else "" for value in row)
    return FIELD.join(
        f"%(t{text})s" if _INSTANT_NUMBER.fullmatch(text) else _slotted(text) for text in columns
    )


@dataclass(frozen=True, slots=True)
class Template:
    """Rows of one table for any ten."""

    table: str
    columns: tuple[str, ...]
    text: str

    @classmethod
    def of(cls, table: str, rows: Iterable[Mapping[str, Any]]) -> "Template":
        """Make it of rows with marks."""
        found = list(rows)
        columns = tuple(found[0])
        return cls(table, columns, END.join(_slotted_row(row[name] for name in columns) for row in found))

    def rows(self, ten: Ten) -> list[list[str]]:
        """Return the rows of a ten; what is empty may be null."""
        return [row.split(FIELD) for row in (self.text % ten.slots()).split(END)]

    @property
    def insert(self) -> str:
        """Return the statement."""
        values = ", ".join("nullif(?, '')" if name == "causation" else "?" for name in self.columns)
        return f"INSERT INTO {self.table} ({', '.join(self.columns)}) VALUES ({values})"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Past:
    """What was recorded, ready to be told of any ten."""

    events: Template
    chunks: Template
    views: Template
    runs: int  # of ten revisions

    def tens(self, deployments: int) -> range:
        """Return the numbers of the tens that have so many deployments."""
        return range(-(-deployments // self.runs))

    def messages(self, ten: Ten) -> Iterator[Message[Event]]:
        """Yield what was heard of a ten: events before output, as a rebuild reads it."""
        for template in (self.events, self.chunks):
            for row in template.rows(ten):
                yield _message(dict(zip(template.columns, row, strict=True)))


def _message(row: Row) -> Message[Event]:
    body = TYPES[row.get("type", "windlass.log.appended.v1")].model_validate_json(row["body"])
    return Message(
        id=UUID(row["id"]),
        time=datetime.fromisoformat(row["time"]),
        source=row.get("source", ""),
        subject=row.get("subject", body.subject),
        key=body.key,
        correlation=row["correlation"],
        causation=UUID(row["causation"]) if row.get("causation") else None,
        traceparent=row.get("traceparent", ""),
        body=body,
        position=int(row["position"]),
    )


async def past(recorded: Recorded) -> Past:
    """Find out what the projector makes of what was recorded."""
    messages = [_message(row) for row in (*recorded.events, *recorded.chunks)]
    views = await _projected(messages)
    return Past(
        Template.of("status_history", recorded.events),
        Template.of("status_log_chunks", recorded.chunks),
        Template.of("status_views", [row for row in views if row["kind"] not in ROLLING]),
        sum(row["kind"] == Kind.RUN for row in views),
    )


def opened(file: Path) -> SqliteDatabase:
    """Return the database in a file."""
    return SqliteDatabase(file, SystemClock())


async def made(file: Path) -> None:
    """Make a database that has its tables, and nothing in them."""
    database = opened(file)
    metadata.create_all(database.writer)
    await database.close()


async def tell(file: Path, of: Past, deployments: int) -> None:
    """Have the real projector write them into a database that has its tables."""
    for number in of.tens(deployments):
        await _append(file, list(of.messages(Ten(number))))


def write(file: Path, of: Past, deployments: int, rolling: Iterable[Row]) -> None:
    """Write the same rows at once into a database that has its tables; one that stops halfway is lost."""
    with sqlite3.connect(file, isolation_level=None) as database:
        database.execute("PRAGMA journal_mode=OFF")
        database.execute("PRAGMA synchronous=OFF")
        database.execute("PRAGMA cache_size=-1000000")
        database.execute("BEGIN")
        for number in of.tens(deployments):
            for template in (of.events, of.chunks, of.views):
                database.executemany(template.insert, template.rows(Ten(number)))
        for row in rolling:
            marks = ", ".join("?" for _ in row)
            database.execute(f"INSERT INTO status_views VALUES ({marks})", tuple(row.values()))  # noqa: S608
        database.execute("COMMIT")
        database.execute("PRAGMA journal_mode=WAL")
    database.close()


async def rolling(of: Past, deployments: int) -> list[Row]:
    """Return the views that go on from ten to ten: each is as its first and its last ten leave it."""
    tens = of.tens(deployments)
    told = sorted({*tens[:PIPELINES], *tens[-PIPELINES:]})
    heard = (message for number in told for message in of.messages(Ten(number)))
    rows = await _projected(message for message in heard if _rolls(message.body))
    return [row for row in rows if row["kind"] in ROLLING]


def _rolls(body: Event) -> bool:
    return any(kind in ROLLING for (kind, _), _ in projection.touched(body))


async def _projected(messages: Iterable[Message[Event]]) -> list[Row]:
    """Return the views of messages, as rows of a database of their own."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "windlass.db"
        await made(file)
        await _append(file, list(messages))
        with sqlite3.connect(file) as read:
            read.row_factory = sqlite3.Row
            return [dict(row) for row in read.execute("SELECT * FROM status_views ORDER BY id")]


async def _append(file: Path, messages: list[Message[Event]]) -> None:
    database = opened(file)
    into = Projection(ServiceDatabase(database, "status"))
    for start in range(0, len(messages), BATCH):
        await into.append(messages[start : start + BATCH])
    await database.close()
