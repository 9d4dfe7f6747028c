"""Operations: asked for here, decided by the deployer, answered as events."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel, Field

from services.status.projection import Kind
from services.status.routes.answering import Reader, unknown
from services.status.routes.pipelines import Pipelines
from services.status.store.operations import OperationStore
from services.status.views import OperationView
from shared.events import OperationRequested
from shared.ids import Pipeline, Stage
from shared.problems import ProblemError

OPERATIONS = uuid5(NAMESPACE_URL, "urn:windlass:operation")
REASON_CHARACTERS_MAX = 500
KEY_CHARACTERS_MAX = 200

IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=KEY_CHARACTERS_MAX)]


class CancelAsked(BaseModel):
    """Why, and which run."""

    reason: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX)
    run: UUID | None = Field(None, description="Without it, the run that holds the stage, else who waits.")


class OperationTaken(BaseModel):
    """It is on disk and will be decided upon."""

    operation: UUID = Field(description="Look at /api/v1/operations/{operation} for the answer.")
    position: UUID = Field(description="Give it as min_position to read what follows from this.")


@dataclass(frozen=True, slots=True)
class Operations:
    """Takes operations, and tells what became of them."""

    reader: Reader
    pipelines: Pipelines
    store: OperationStore

    def router(self) -> APIRouter:
        """Return the routes; whoever asks is named in the event."""
        router = self.reader.router("operations")

        async def cancel(
            pipeline: str,
            stage: str,
            asked: CancelAsked,
            actor: Annotated[str, Depends(self.reader.access)],
            idempotency_key: IdempotencyKey = None,
        ) -> OperationTaken:
            """End the run that holds the stage, or the one that waits."""
            await self.pipelines.stage(pipeline, stage)
            requested = OperationRequested(
                pipeline=Pipeline(pipeline),
                stage=Stage(stage),
                operation=uuid5(OPERATIONS, idempotency_key) if idempotency_key else uuid4(),
                kind="cancel",
                run=asked.run,
                actor=actor,
                reason=asked.reason,
            )
            return await self._ask(requested)

        router.add_api_route(
            "/pipelines/{pipeline}/stages/{stage}/cancel",
            cancel,
            methods=["POST"],
            status_code=202,
            summary="Cancel a run",
        )
        router.add_api_route("/operations/{operation}", self.operation, summary="What became of an operation")
        return router

    async def operation(self, operation: UUID) -> OperationView:
        """Tell whether it was accepted or refused, and why."""
        view = await self.reader.model.view(Kind.OPERATION, OperationView, str(operation))
        if view is None:
            raise unknown("operation", operation, hint="An operation is known a moment after it was asked.")
        return view

    async def _ask(self, requested: OperationRequested) -> OperationTaken:
        document = requested.model_dump_json(exclude={"operation"})
        digest = sha256(document.encode()).hexdigest()
        asked = await self.store.ask(requested, digest)
        if asked.asked_sha256 != digest:
            raise ProblemError(
                409,
                "idempotency-conflict",
                "This idempotency key was used before for something else; nothing was done.",
                next_="Use a new key for a new request.",
            )
        return OperationTaken(operation=requested.operation, position=asked.event)
