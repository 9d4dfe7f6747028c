"""What the verifier does when it hears something."""

from dataclasses import dataclass

from services.verifier import store
from shared.db import ServiceDatabase
from shared.events import Message, RunEvent, VerificationRequested
from shared.ids import derive
from shared.work import Order, cancel, place

KIND = "verify"


@dataclass(frozen=True, slots=True)
class Handlers:
    """One method per event heard."""

    db: ServiceDatabase

    async def verification_requested(self, message: Message[VerificationRequested]) -> None:
        """Order the probing; one order per verification, whoever asks how often."""
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            asked = message.body
            order = Order(
                id=derive(asked.verification, KIND),
                kind=KIND,
                share=asked.pipeline,
                payload=asked.model_dump(mode="json"),
            )
            await store.note(tx, asked.verification, asked.run, order.id)
            await place(tx, order)

    async def run_ended(self, message: Message[RunEvent]) -> None:
        """Call off what probes for a run that is over or being cancelled: nobody waits for it."""
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            for work in await store.orders_of(tx, message.body.run):
                await cancel(tx, work, "the run is over")
            await store.forget_run(tx, message.body.run)
