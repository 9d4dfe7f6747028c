"""What the verifier does when it hears something."""

from dataclasses import dataclass

from services.verifier import watch_moves
from services.verifier.store import verifications
from services.verifier.watched_stage import heard_in
from shared.db import ServiceDatabase
from shared.events import Message, RunEvent, RunFinished, RunStarted, VerificationRequested
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
            await verifications.note(tx, asked.verification, asked.run, order.id)
            await place(tx, order)

    async def run_started(self, message: Message[RunStarted]) -> None:
        """Note that a run changes what is in its stage from now on."""
        async with self.db.hearing(message) as tx:
            if not tx.seen_before:
                await watch_moves.run_began(tx, message.body, heard_in(message))

    async def run_ended(self, message: Message[RunEvent]) -> None:
        """Call off what probes for a run that is over or being cancelled, and watch what it brought."""
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            for work in await verifications.orders_of(tx, message.body.run):
                await cancel(tx, work, "the run is over")
            await verifications.forget_run(tx, message.body.run)
            if isinstance(message.body, RunFinished):
                await watch_moves.run_over(tx, message.body, heard_in(message))
