"""What the synthesizer does on each event: order the look at the repository, which takes longer."""

from dataclasses import dataclass

from shared.db import ServiceDatabase
from shared.events import Message, PushReceived
from shared.ids import derive
from shared.work import Order, place


@dataclass(frozen=True, slots=True)
class Synthesizer:
    """The handlers."""

    db: ServiceDatabase

    async def push_received(self, message: Message[PushReceived]) -> None:
        """Have the pushed commit fetched and planned."""
        push = message.body
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            order = Order(
                id=derive(push.push, "synthesize"),
                kind="synthesize",
                share=push.repository,
                payload=push.model_dump(mode="json"),
            )
            await place(tx, order)
