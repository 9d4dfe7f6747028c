"""The port: what a service may do with the database, and the one shape of a transaction.

One transaction per message: heard-before check, reads under lock, writes, events. Events given to
`emit` are written to the outbox in the same transaction; nothing leaves the process inside it.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

import sqlalchemy as sa

from shared.clock import Clock
from shared.crash import point
from shared.db import tables
from shared.db.dialect import insert_or_ignore
from shared.events.envelope import Event, Message
from shared.faults import Refused
from shared.ids import derive

_INSERT_EVENT = sa.insert(tables.outbox)

EVENT_CHARACTERS_MAX = 4 * 1024 * 1024  # in UTF-8 at most what a topic takes as one message

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]
E = TypeVar("E", bound=Event)
Noted = frozenset[str]  # what a commit touched: "outbox", "work:<service>"


class Rows(Protocol):
    """What a statement gave, all of it fetched; as SQLAlchemy's `CursorResult`, which is one."""

    @property
    def rowcount(self) -> int:
        """Return how many rows an UPDATE or DELETE was about, or an INSERT made."""
        ...

    def __iter__(self) -> Iterator[sa.Row[Any]]: ...

    def all(self) -> Sequence[sa.Row[Any]]:
        """Return every row."""
        ...

    def first(self) -> sa.Row[Any] | None:
        """Return the first row, None if there is none."""
        ...

    def one(self) -> sa.Row[Any]:
        """Return the only row; `NoResultFound` or `MultipleResultsFound` where it is not that."""
        ...

    def one_or_none(self) -> sa.Row[Any] | None:
        """Return the only row, None if there is none; `MultipleResultsFound` where there are more."""
        ...

    def scalar(self) -> Any:
        """Return the first row's first value, None if there is no row."""
        ...

    def scalar_one(self) -> Any:
        """Return the only row's first value; raises as `one` does."""
        ...

    def scalar_one_or_none(self) -> Any:
        """Return the only row's first value, None if there is no row; raises as `one_or_none` does."""
        ...

    def scalars(self) -> sa.ScalarResult[Any]:
        """Return every row's first value."""
        ...

    def mappings(self) -> sa.MappingResult:
        """Return every row by its columns' names."""
        ...


class Reading(Protocol):
    """A connection that sees one committed state."""

    async def execute(self, statement: sa.Executable, parameters: Parameters | None = None) -> Rows:
        """Run one statement, once for each row of parameters; the rows are already fetched.

        Values for a list are a list or a tuple; there is at least one row where there are several.

        A fixed statement with parameters costs a fifth of one that is built with its values.
        """
        ...


class Database(Protocol):
    """One database, shared by the services of a process."""

    clock: Clock

    def begin(self, *, reserved: bool = False) -> AbstractAsyncContextManager[tuple[Reading, set[str]]]:
        """Open a write transaction; the set collects what it touches, which
        listeners hear after the commit.

        Raises `TryAgain` when the database is away, locked or full; nothing is then written. One
        inside another, in one task, is a bug and raises `AssertionError`. A reserved one waits for no
        handler's connection: for what keeps the others going.
        """
        ...

    def reading(self) -> AbstractAsyncContextManager[Reading]:
        """Open a connection that only reads."""
        ...

    def on_commit(self, listener: Callable[[Noted], None]) -> None:
        """Call `listener` after every commit of this process that touched something.

        It may hear of other processes' commits too, and of one more than once.
        """
        ...

    async def close(self) -> None:
        """Give back all connections."""
        ...


@dataclass(frozen=True, slots=True)
class Cause:
    """What a transaction is about to act upon; ids of its events follow from it."""

    id: UUID
    correlation: str = ""
    traceparent: str = ""
    message: bool = False  # whether `id` is an event's, to be named as the causation


def cause_of(message: Message[Event]) -> Cause:
    """Return the message as what brings about whatever follows from it."""
    return Cause(message.id, message.correlation, message.traceparent, message=True)


@dataclass(slots=True)
class Transaction:
    """An open transaction of one service."""

    connection: Reading
    now: datetime
    cause: Cause
    source: str
    noted: set[str]
    seen_before: bool = False  # this message was handled: do nothing
    takers: Sequence["Taker"] = ()
    ends: list[Callable[[bool], None]] = field(default_factory=list)  # told whether it was committed
    _events: list[dict[str, Any]] = field(default_factory=list)

    async def execute(self, statement: sa.Executable, parameters: Parameters | None = None) -> Rows:
        """Run one statement inside the transaction."""
        return await self.connection.execute(statement, parameters)

    async def insert_or_ignore(self, table: sa.Table, values: dict[str, Any]) -> bool:
        """Insert a row unless its key is taken; tell whether it was inserted."""
        result = await self.connection.execute(insert_or_ignore(table), values)
        return result.rowcount == 1

    def id_of(self, event: Event, role: str = "") -> UUID:
        """Return the id that `emit` gives the event."""
        return derive(self.cause.id, f"{event.type} {event.subject} {role}")

    def emit(self, event: Event, role: str = "") -> UUID:
        """Have `event` published if and only if this transaction commits.

        Its id follows from the cause, its type, its subject and `role`: say a role when one cause
        brings about two events of a type for one subject. Events of one key keep this order. Refused
        for one that is too large to be carried.
        """
        id_ = self.id_of(event, role)
        self._events.append(
            {
                "id": id_,
                "type": event.type,
                "topic": event.topic.value,
                "key": event.key,
                "subject": event.subject,
                "source": self.source,
                "time": self.now,
                "correlation": event.correlation or self.cause.correlation,
                "causation": self.cause.id if self.cause.message else None,
                "traceparent": self.cause.traceparent,
                "body": _bounded(event),
            }
        )
        return id_

    async def flush(self) -> None:
        """Write the outbox rows; called once, right before the commit."""
        if self._events:
            await self.connection.execute(_INSERT_EVENT, self._events)
            self.noted.add("outbox")


def _name(event: Event) -> str:
    return event.type.removeprefix("windlass.").rpartition(".v")[0]


def _bounded(event: Event) -> str:
    body = event.model_dump_json()
    if len(body) > EVENT_CHARACTERS_MAX:
        raise Refused(f"an event of type {event.type} for {event.subject} would have {len(body)} characters")
    return body


class Taker(Protocol):
    """Whoever of this process may take a piece of work in the very transaction that orders it.

    The transaction's `ends` tell the taker whether it has it.
    """

    def take(self, order: UUID, kind: str, share: str) -> Mapping[str, Any] | None:
        """Return what the order's row is to say of its claim; None to leave it to whoever comes."""
        ...

    def taken(self, order: UUID, row: Mapping[str, Any] | None) -> None:
        """Hear that the order taken is `row`, committed; None: it is not, and nothing came of it."""
        ...


@dataclass(frozen=True, slots=True)
class ServiceDatabase:
    """The database as one service sees it: its name is its consumer group and its events' source."""

    database: Database
    service: str
    takers: list[Taker] = field(default_factory=list, compare=False)

    @property
    def clock(self) -> Clock:
        """Return the clock that stamps this database's rows."""
        return self.database.clock

    @asynccontextmanager
    async def hearing(self, message: Message[Event]) -> AsyncIterator[Transaction]:
        """Open the one transaction in which `message` is handled.

        `seen_before` is set when this service has committed it already: then change nothing.
        """
        name = _name(message.body)
        point(f"{self.service}.{name}.heard")
        async with self.transaction(cause_of(message), name) as tx:
            row = {"consumer_group": self.service, "event": message.id, "heard_at": tx.now}
            tx.seen_before = not await tx.insert_or_ignore(tables.inbox, row)
            yield tx

    @asynccontextmanager
    async def hearing_together(
        self, messages: Sequence[Message[E]]
    ) -> AsyncIterator[tuple[Transaction, list[Message[E]]]]:
        """Open one transaction in which messages are handled together; with those that are news.

        The rest was committed by this service already. What is said because of one of them needs that
        one as the transaction's cause.
        """
        first = messages[0]
        name = _name(first.body)
        point(f"{self.service}.{name}.heard")
        async with self.transaction(cause_of(first), name) as tx:
            rows = [
                {"consumer_group": self.service, "event": message.id, "heard_at": tx.now}
                for message in messages
            ]
            news = [
                message
                for message, row in zip(messages, rows, strict=True)
                if await tx.insert_or_ignore(tables.inbox, row)
            ]
            yield tx, news

    @asynccontextmanager
    async def transaction(self, cause: Cause, name: str) -> AsyncIterator[Transaction]:
        """Open a transaction for anything but a message; `name` names its crash points."""
        ends: list[Callable[[bool], None]] = []
        committed = False
        try:
            async with self.database.begin() as (connection, noted):
                now = self.clock.now()
                tx = Transaction(connection, now, cause, self.service, noted, takers=self.takers, ends=ends)
                yield tx
                await tx.flush()
                point(f"{self.service}.{name}.deciding")
            committed = True
        finally:
            for tell in ends:
                tell(committed)
        point(f"{self.service}.{name}.committed")

    def reading(self) -> AbstractAsyncContextManager[Reading]:
        """Open a connection that only reads."""
        return self.database.reading()
