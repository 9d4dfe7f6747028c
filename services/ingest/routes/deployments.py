"""`POST /api/v1/pipelines/{pipeline}/deploy`: a person asks for a deployment."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from shlex import quote
from typing import Annotated
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, Field

from services.ingest import registration
from services.ingest.acceptance import CONFLICT, DELIVERIES, Registered
from services.ingest.adapters import local_folder
from services.ingest.routes.repositories import unknown_repository
from services.ingest.store import Home, IngestStore
from shared.access import Access
from shared.events import PushReceived
from shared.faults import Refused
from shared.git.address import check_branch, check_commit, check_tag
from shared.ids import Commit, Pipeline
from shared.problems import ProblemError

REASON_CHARACTERS_MAX = 500
KEY_CHARACTERS_MAX = 200
NAMES_TOLD_MAX = 50
NAMES_COMPARED_MAX = 1_000
NAME_SHOWN_MAX = 100
USUAL_BRANCH = "main"  # of a remote that no pipeline has come from yet


class DeploymentAsked(BaseModel):
    """Which commit, and why."""

    commit: str | None = Field(None, description="A whole commit id; without it, the branch's tip.")
    branch: str | None = Field(None, description="Without it and without a tag, the pipeline's own.")
    tag: str | None = Field(None, description="A tag in the place of a branch.")
    reason: str = Field("", max_length=REASON_CHARACTERS_MAX)


class DeploymentTaken(BaseModel):
    """It is on disk and will be decided upon."""

    push: UUID = Field(description="Look at /api/v1/pushes/{push} for what becomes of it.")
    position: UUID = Field(description="Give it as min_position to read what follows from this.")


@dataclass(frozen=True, slots=True)
class Deployments:
    """Takes deployments asked for by hand."""

    store: IngestStore

    def router(self, access: Access) -> APIRouter:
        """Return the route; whoever asks is named in the event."""
        router = APIRouter(tags=["pipelines"])

        async def deploy(
            pipeline: str,
            asked: DeploymentAsked,
            actor: Annotated[str, Depends(access)],
            repository: Annotated[str | None, Query()] = None,
            idempotency_key: Annotated[str | None, Header(max_length=KEY_CHARACTERS_MAX)] = None,
        ) -> DeploymentTaken:
            """Deploy the tip of the pipeline's branch, one commit of it, or a tag."""
            commit = _commit(asked)
            registered, branch = await self._source(pipeline, repository, asked)
            push = PushReceived(
                push=_cause(registered, idempotency_key),
                repository=registered.name,
                remote=registered.remote,
                branch=branch,
                tag=asked.tag or "",
                commit=commit,
                trigger="manual",
                pipeline=Pipeline(pipeline),
                pusher=actor,
                reason=asked.reason,
                received_at=self.store.db.clock.now(),
            )
            return await self._take(push, asked)

        router.add_api_route(
            "/api/v1/pipelines/{pipeline}/deploy",
            deploy,
            methods=["POST"],
            status_code=202,
            summary="Deploy a pipeline by hand",
        )
        return router

    async def _take(self, push: PushReceived, asked: DeploymentAsked) -> DeploymentTaken:
        # What an older release was asked for under this key must hash to the same.
        asked_json = asked.model_dump_json(exclude=None if asked.tag else {"tag"})
        body = f"{push.pipeline}\n{push.branch}\n{asked_json}"
        answer = await self.store.ask(push, sha256(body.encode()).hexdigest())
        if answer.status == CONFLICT:
            raise ProblemError(
                409,
                "idempotency-conflict",
                "This idempotency key was used before for something else; nothing was done.",
                next_="Use a new key for a new request.",
            )
        return DeploymentTaken.model_validate(answer.document)

    async def _source(
        self, pipeline: str, repository: str | None, asked: DeploymentAsked
    ) -> tuple[Registered, str]:
        """Return where the pipeline comes from, and the branch: as asked for, or as it was last seen on."""
        rows = await self.store.repositories()
        registered: dict[str, Registered] = {row.registered.name: row.registered for row in rows}
        homes = await self.store.homes()
        home = next((home for home in homes if home.pipeline == pipeline), None)
        name = repository or (home.repository if home else _candidate(pipeline, [*registered], homes))
        if name is None:
            raise _unknown_pipeline(pipeline, [*registered], homes)
        if name not in registered:
            raise unknown_repository(name, list(registered))
        source = registered[name]
        if asked.tag is not None:
            return source, ""
        seen_on = home.branch if home and home.repository == name else ""
        return source, asked.branch or seen_on or _branch(source)


def _candidate(pipeline: str, registered: Sequence[str], homes: Sequence[Home]) -> str | None:
    """Return where a pipeline never seen before comes from, if only one of the repositories can be meant.

    That is the only one there is, or one called as the pipeline is, that no other pipeline came from.
    """
    known = {str(home.repository) for home in homes}
    new = [name for name in registered if name not in known]
    if len(registered) == 1:
        return new[0] if new and not homes else None
    called_so = [name for name in new if name.rpartition("/")[2] == pipeline]
    return called_so[0] if len(called_so) == 1 else None


def _branch(source: Registered) -> str:
    if source.branch:
        return source.branch
    here = local_folder.branch_in_use(source.remote) if registration.is_path(source.remote) else None
    return here or USUAL_BRANCH


def _cause(source: Registered, key: str | None) -> UUID:
    """Return the push's id: a new cause, or the one this key stands for."""
    return uuid5(DELIVERIES, f"{source.name}\nmanual:{key}") if key else uuid4()


def _commit(asked: DeploymentAsked) -> Commit | None:
    if asked.branch is not None and asked.tag is not None:
        next_ = "Leave one of them out."
        raise ProblemError(400, "branch-and-tag", "A branch and a tag are both named.", next_=next_)
    try:
        if asked.branch is not None:
            check_branch(asked.branch)
        if asked.tag is not None:
            check_tag(asked.tag)
        return check_commit(asked.commit) if asked.commit else None
    except Refused as refusal:
        next_ = "Name a whole commit id (`git rev-parse COMMIT`) and a branch or a tag that exists."
        raise ProblemError(400, "not-a-commit", f"{refusal}.", next_=next_) from None


def _unknown_pipeline(pipeline: str, registered: Sequence[str], homes: Sequence[Home]) -> ProblemError:
    known = [str(home.pipeline) for home in homes]
    close = get_close_matches(pipeline[:NAME_SHOWN_MAX], known[:NAMES_COMPARED_MAX], n=1)
    meant = f"Did you mean {close[0]}? " if close else ""
    first = f"`windlass deploy {quote(pipeline[:NAME_SHOWN_MAX])} --repository NAME`"
    where = f"The first deployment of a pipeline names its repository: {first}, of {_told(registered)}."
    there_is_none = "Register its repository: `windlass repo add URL|PATH`."
    return ProblemError(
        404,
        "unknown-pipeline",
        f"No pipeline is called {pipeline[:NAME_SHOWN_MAX]!a} yet.",
        next_=f"{meant}{where if registered else there_is_none} Known pipelines: {_told(known)}.",
    )


def _told(names: Sequence[str]) -> str:
    more = len(names) - NAMES_TOLD_MAX
    shown = ", ".join(sorted(names)[:NAMES_TOLD_MAX]) or "none yet"
    return f"{shown} and {more} more" if more > 0 else shown
