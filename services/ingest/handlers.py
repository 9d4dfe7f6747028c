"""What ingest hears: which repository a pipeline comes from."""

from dataclasses import dataclass

from services.ingest.store import IngestStore
from shared.events import Message, PlanRejected, RevisionPlanned


@dataclass(frozen=True, slots=True)
class Ingest:
    """Learns what a person may name when asking for a deployment."""

    store: IngestStore

    async def revision_planned(self, message: Message[RevisionPlanned]) -> None:
        """Remember where the pipeline comes from."""
        await self.store.learn_home(message)

    async def plan_rejected(self, message: Message[PlanRejected]) -> None:
        """Remember it too: a mended file may be deployed by hand."""
        await self.store.learn_home(message)
