"""A service whose every move the test decides."""

import asyncio
from collections import defaultdict

from shared.bus import Subscription
from shared.db import Cause, Database, ServiceDatabase
from shared.events import Event, LogAppended, Message
from tests.builders import named
from tests.contract.notes import note


class Listener:
    """Hears log lines and notes them, in the transaction in which it hears them."""

    def __init__(self, database: Database, service: str = "status") -> None:
        self.db = ServiceDatabase(database, service)
        self.tried: list[str] = []  # every time it was called, as "key number"
        self.noted: list[str] = []  # what it has committed
        self.faults: dict[str, list[BaseException]] = {}  # raised in turn, in the transaction
        self.gates: dict[str, asyncio.Event] = {}  # keys at which it waits, before it
        self.under_way: defaultdict[str, int] = defaultdict(int)
        self.under_way_most: defaultdict[str, int] = defaultdict(int)

    @property
    def subscription(self) -> Subscription:
        return Subscription(self.db, {LogAppended: self.log_appended})

    async def log_appended(self, message: Message[LogAppended]) -> None:
        key, text = message.key, f"{message.key} {message.body.first_line}"
        self.tried.append(text)
        self.under_way[key] += 1
        self.under_way_most[key] = max(self.under_way_most[key], self.under_way[key])
        try:
            await self._hear(message, text)
        finally:
            self.under_way[key] -= 1

    async def _hear(self, message: Message[LogAppended], text: str) -> None:
        if message.key in self.gates:
            await self.gates[message.key].wait()
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            await note(tx, self.db.service, text)
            if self.faults.get(text):
                raise self.faults[text].pop(0)
        self.noted.append(text)


async def say(database: Database, *events: Event) -> None:
    """Publish each in a transaction of its own."""
    for event in events:
        await say_at_once(database, [event])


async def say_at_once(database: Database, events: list[Event]) -> None:
    """Publish them all in one transaction, told apart by their place in the list."""
    service = ServiceDatabase(database, "speaker")
    cause = Cause(named(repr(events)))
    async with service.transaction(cause, "speech") as tx:
        for place, event in enumerate(events):
            tx.emit(event, str(place))
