"""What ingest hears: which repository a pipeline comes from."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.ingest.store import IngestStore
from shared.events import Message, PlanRejected, RevisionPlanned


@dataclass(frozen=True, slots=True)
class Ingest:
    """Learns what a person may name when asking for a deployment."""

    store: IngestStore

    async def revision_planned(self, message: Message[RevisionPlanned]) -> None:
        """Remember where the pipeline comes from."""
        await self.store.learn_homes([message])

    async def plan_rejected(self, message: Message[PlanRejected]) -> None:
        """Remember it too: a mended file may be deployed by hand."""
        await self.store.learn_homes([message])

    async def revisions_told(self, messages: Sequence[Message[RevisionPlanned | PlanRejected]]) -> None:
        """Do so for several of a pipeline, as they come after a burst: one commit for all of them."""
        await self.store.learn_homes(messages)
