"""What the synthesizer does on each event: order the look at the repository, which takes longer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.db import ServiceDatabase, cause_of
from shared.events import Message, PushReceived
from shared.ids import derive
from shared.work import Order, place

APART = timedelta(microseconds=1)  # orders placed together: they are taken up in the order of the pushes


@dataclass(frozen=True, slots=True)
class Synthesizer:
    """The handlers."""

    db: ServiceDatabase

    async def push_received(self, message: Message[PushReceived]) -> None:
        """Have the pushed commit fetched and planned."""
        await self.pushes_received([message])

    async def pushes_received(self, messages: Sequence[Message[PushReceived]]) -> None:
        """Do so for several, as they come in a burst: one commit for all of them."""
        async with self.db.hearing_together(messages) as (tx, news):
            tx.now -= APART * len(news)
            for message in news:
                tx.cause = cause_of(message)
                push = message.body
                order = Order(
                    id=derive(push.push, "synthesize"),
                    kind="synthesize",
                    share=push.repository,
                    payload=push.model_dump(mode="json"),
                    correlation=message.correlation,
                    traceparent=message.traceparent,
                )
                tx.now += APART
                await place(tx, order)
