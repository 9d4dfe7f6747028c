"""Dead letters of a service that cannot take them yet, in an installation with status."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared.bus import Subscription
from shared.db import ServiceDatabase
from shared.dead_letters.redelivery import Redelivery
from shared.delivery import Delivery, Handler, foreign_body, refusing
from shared.events import Event, Message, PushReceived, Topic
from shared.faults import Poison
from tests.builders import named, push
from tests.contract.installation import running
from tests.integration.status.conftest import Town


@dataclass
class Clumsy:
    """A service, `builder` by name, that takes a push only once it is mended."""

    town: Town
    mended: bool = False
    deaf: bool = False  # to pushes, in a later release
    took: list[str] = field(default_factory=list)

    @property
    def db(self) -> ServiceDatabase:
        return ServiceDatabase(self.town.web.database, "builder")

    async def push_received(self, message: Message[PushReceived]) -> None:
        """Take a push, if that is possible."""
        if not self.mended:
            raise Poison("no such step\x1b[2J: 'deploy'")
        async with self.db.hearing(message) as tx:
            if not tx.seen_before:
                self.took.append(message.body.repository)

    async def bury(self, *repositories: str) -> None:
        """Have pushes die, a second apart."""
        for name in repositories:
            self.town.web.clock.advance(1.0)
            body = push(name)
            message: Message[Any] = Message(
                id=named(f"heard {name}"),
                time=self.town.web.clock.now(),
                source="ingest",
                subject=name,
                key=name,
                correlation="",
                causation=None,
                traceparent="",
                body=body,
                position=7,
                origin="windlass.pushes/3@1042",
                raw=body.model_dump_json(),
                headers={"x-sent-by": "a mirror"},
            )
            assert not await Delivery(self.db).deliver(self.push_received, message)

    async def bury_foreign(self, raw: bytes) -> None:
        """Have something die that was never an event."""
        message: Message[Event] = Message(
            id=UUID(int=7),
            time=self.town.web.clock.now(),
            source="",
            subject="",
            key="k",
            correlation="",
            causation=None,
            traceparent="",
            body=foreign_body(Topic.PUSHES),
            origin="windlass.pushes/0@0",
            raw=raw,
        )
        assert not await Delivery(self.db).deliver(refusing("it has no header ce_id"), message)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Have a replica of the service hand letters over."""
        handlers: dict[type[Event], Handler] = {} if self.deaf else {PushReceived: self.push_received}
        async with running(Redelivery([Subscription(self.db, handlers)], self.town.web.database).run()):
            yield
