"""Operations: asked for here, decided by the deployer, answered as events."""

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel, Field

from services.status.projection import Kind
from services.status.routes.answering import Reader, WaitSeconds, unknown
from services.status.routes.asked import OF_A_PIPELINE, OF_A_STAGE, Asked, Offered
from services.status.routes.examples import OPERATION, answers
from services.status.routes.pipelines import Pipelines, pipeline_of
from services.status.store.operations import OperationStore
from services.status.views import Answer, OperationView
from shared.events import OperationRequested
from shared.ids import WHOLE, Pipeline, Stage
from shared.problems import ProblemError

OPERATIONS = uuid5(NAMESPACE_URL, "urn:windlass:operation")
KEY_CHARACTERS_MAX = 200

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=KEY_CHARACTERS_MAX,
        description="The same key with the same request asks only once.",
    ),
]


class OperationTaken(BaseModel):
    """It is on disk and will be decided upon."""

    operation: UUID = Field(description="Look at /api/v1/operations/{operation} for the answer.")
    position: UUID = Field(description="Give it as min_position to read what follows from this.")
    answer: Answer = Field("pending", description="With `wait_seconds`, as soon as there is one.")
    message: str = Field("", description="What happens, or why nothing does and what is possible instead.")
    started: UUID | None = Field(None, description="The run that it made.")


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for what, where."""

    offered: Offered
    pipeline: str
    stage: str
    actor: str

    def requested(self, operation: UUID, said: dict[str, Any]) -> OperationRequested:
        """Return the event."""
        return OperationRequested(
            pipeline=Pipeline(self.pipeline),
            stage=Stage(self.stage),
            operation=operation,
            kind=self.offered.kind,
            actor=self.actor,
            **said,
        )

    def sha256(self, asked: Asked) -> str:
        """Return what tells one request from another: what was said, so that an hour means the same later."""
        said = asked.model_dump(mode="json", exclude_defaults=True)
        document = [self.offered.kind, self.pipeline, self.stage, self.actor, said]
        return sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Operations:
    """Takes operations, and tells what became of them."""

    reader: Reader
    pipelines: Pipelines
    store: OperationStore

    def router(self) -> APIRouter:
        """Return the routes; whoever asks is named in the event."""
        router = self.reader.router("operations")
        for offered in OF_A_STAGE:
            path = f"/pipelines/{{pipeline}}/stages/{{stage}}/{offered.path}"
            _add(router, path, offered, self._of_a_stage(offered))
        for offered in OF_A_PIPELINE:
            _add(router, f"/pipelines/{{pipeline}}/{offered.path}", offered, self._of_a_pipeline(offered))
        router.add_api_route(
            "/operations/{operation}",
            self.operation,
            summary="What became of an operation",
            responses=answers(OPERATION),
        )
        return router

    async def operation(self, operation: UUID, wait_seconds: WaitSeconds = 0) -> OperationView:
        """Tell whether it was accepted or refused, why, and which run it made."""
        view = await self._answered(operation, wait_seconds)
        if view is None:
            raise unknown("operation", operation, hint="An operation is known a moment after it was asked.")
        return view

    def _of_a_stage(self, offered: Offered) -> "Taking":
        async def take(
            pipeline: str,
            stage: str,
            asked: Any,
            actor: Annotated[str, Depends(self.reader.access)],
            idempotency_key: IdempotencyKey = None,
            wait_seconds: WaitSeconds = 0,
        ) -> OperationTaken:
            await self.pipelines.stage(pipeline, stage)
            asking = Asking(offered, pipeline, stage, actor)
            return await self._ask(asking, asked, idempotency_key, wait_seconds)

        return take

    def _of_a_pipeline(self, offered: Offered) -> "Taking":
        async def take(
            pipeline: str,
            asked: Any,
            actor: Annotated[str, Depends(self.reader.access)],
            idempotency_key: IdempotencyKey = None,
            wait_seconds: WaitSeconds = 0,
        ) -> OperationTaken:
            await pipeline_of(self.reader, pipeline)
            asking = Asking(offered, pipeline, WHOLE, actor)
            return await self._ask(asking, asked, idempotency_key, wait_seconds)

        return take

    async def _ask(
        self, asking: Asking, asked: Asked, key: str | None, wait_seconds: float
    ) -> OperationTaken:
        digest = asking.sha256(asked)
        operation = uuid5(OPERATIONS, key) if key else uuid4()
        requested = asking.requested(operation, asked.said(self.reader.now))
        known = await self.store.ask(requested, digest)
        if known.asked_sha256 != digest:
            raise ProblemError(
                409,
                "idempotency-conflict",
                "This idempotency key was used before for something else; nothing was done.",
                next_="Use a new key for a new request.",
            )
        view = await self._answered(operation, wait_seconds) if wait_seconds else None
        told = view.model_dump(include={"answer", "message", "started"}) if view else {}
        return OperationTaken(operation=operation, position=known.event, **told)

    async def _answered(self, operation: UUID, seconds: float) -> OperationView | None:
        async def look() -> OperationView | None:
            return await self.reader.model.view(Kind.OPERATION, OperationView, str(operation))

        return await self.reader.until(look, lambda view: view is not None and view.is_answered, seconds)


Taking = Callable[..., Coroutine[Any, Any, OperationTaken]]


def _add(router: APIRouter, path: str, offered: Offered, take: Taking) -> None:
    """Add the route of one operation, which differs from the others by its body."""
    take.__annotations__["asked"] = offered.body  # where FastAPI looks
    router.add_api_route(
        path,
        take,
        methods=["POST"],
        status_code=202,
        name=offered.kind,
        summary=offered.summary,
        description=offered.description,
    )
