"""`/api/v1/repositories`: what is registered. Secrets are shown once, when they are made."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.ingest import registration
from services.ingest.acceptance import Registered
from services.ingest.adapters import local_folder
from services.ingest.adapters.vault import Vault
from services.ingest.settings import IngestSettings
from services.ingest.store import IngestStore, RepositoryRow
from shared.access import Access
from shared.faults import Refused, TryAgain
from shared.git.address import REMOTE_CHARACTERS_MAX, check_branch
from shared.ids import Repository
from shared.problems import ProblemError

SECRET_BYTES = 32
ROUNDS_MAX = 10  # of looking again because somebody else registered meanwhile


class RepositoryAsked(BaseModel):
    """A repository to deploy from."""

    remote: str = Field(max_length=REMOTE_CHARACTERS_MAX, description="A URL, or an absolute path here.")
    branch: str | None = Field(None, description="The only branch to listen to; without it, all.")
    name: str | None = Field(None, description="What to call it; without it, as the remote says.")


class RepositoryShown(BaseModel):
    """A registered repository."""

    name: str
    remote: str
    branch: str | None
    webhook_url: str
    created_at: datetime


class RepositorySecret(RepositoryShown):
    """The same, with what the forge must sign with."""

    secret: str = Field(description="Shown this once; the forge signs deliveries with it.")


class RepositoryList(BaseModel):
    """All of them, by name."""

    repositories: list[RepositoryShown]


@dataclass(frozen=True, slots=True)
class Registry:
    """Registers repositories."""

    store: IngestStore
    vault: Vault
    settings: IngestSettings

    def router(self, access: Access) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/v1/repositories", tags=["repositories"])
        router.dependencies.append(Depends(access))
        router.add_api_route("", self.add, methods=["POST"], status_code=201, summary="Register a repository")
        router.add_api_route("", self.shown, methods=["GET"], summary="List what is registered")
        router.add_api_route(
            "/{name:path}", self.remove, methods=["DELETE"], status_code=204, summary="Forget a repository"
        )
        return router

    async def add(
        self, asked: RepositoryAsked, request: Request, *, rotate: Annotated[bool, Query()] = False
    ) -> RepositorySecret:
        """Register a repository; with `rotate`, give one that is registered a new secret."""
        remote = _checked(asked)
        secret = secrets.token_hex(SECRET_BYTES)
        row = await self._registered(asked, remote, self.vault.seal(secret.encode()), rotate=rotate)
        shown = self._shown(row, request)
        return RepositorySecret(**shown.model_dump(), secret=secret)

    async def shown(self, request: Request) -> RepositoryList:
        """List what is registered."""
        rows = await self.store.repositories()
        return RepositoryList(repositories=[self._shown(row, request) for row in rows])

    async def remove(self, name: str) -> Response:
        """Take nothing more from a repository; what is deployed stays."""
        if not await self.store.forget(name):
            names = [row.registered.name for row in await self.store.repositories()]
            raise unknown_repository(name, names)
        return Response(status_code=204)

    async def _registered(
        self, asked: RepositoryAsked, remote: str, sealed: bytes, *, rotate: bool
    ) -> RepositoryRow:
        """Register it or give it its new secret, whatever somebody else does about it at the same time."""
        for _ in range(ROUNDS_MAX):
            row = await self.store.repository_at(remote)
            if row is not None and not rotate:
                raise _known(row)
            if row is not None and await self.store.rotate(row.registered.name, sealed):
                return row
            if row is None and (row := await self._register(asked, remote, sealed)):
                return row
        raise TryAgain(f"others keep changing what is registered beside {remote}")

    async def _register(self, asked: RepositoryAsked, remote: str, sealed: bytes) -> RepositoryRow | None:
        """Return the new row; None when its remote or the name found for it was taken meanwhile."""
        taken = {row.registered.name for row in await self.store.repositories()}
        name = _chosen(asked.name) if asked.name else registration.name_for(remote, taken)
        if name in taken:
            raise _taken(name)
        return await self.store.register(Registered(name, remote, asked.branch), sealed)

    def _shown(self, row: RepositoryRow, request: Request) -> RepositoryShown:
        root = (self.settings.public_url or str(request.base_url)).rstrip("/")
        return RepositoryShown(
            name=row.registered.name,
            remote=row.registered.remote,
            branch=row.registered.branch,
            webhook_url=f"{root}/webhooks/github?repository={quote(row.registered.name, safe='')}",
            created_at=row.created_at,
        )


def unknown_repository(name: str, known: Sequence[str]) -> ProblemError:
    """Return the answer to whoever names a repository that is not registered."""
    return ProblemError(
        404,
        "unknown-repository",
        f"No repository is called {name[:100]!a}.",
        next_=f"Registered: {', '.join(known[:50]) or 'none yet; `windlass repo add` registers one'}.",
    )


def _checked(asked: RepositoryAsked) -> str:
    try:
        remote = registration.check_remote(asked.remote)
        if asked.branch is not None:
            check_branch(asked.branch)
        return local_folder.repository_folder(remote) if registration.is_path(remote) else remote
    except Refused as refusal:
        raise _refused(refusal) from None


def _chosen(name: str) -> Repository:
    try:
        return registration.check_name(name)
    except Refused as refusal:
        raise _refused(refusal) from None


def _refused(refusal: Refused) -> ProblemError:
    next_ = "Name a URL (https://, ssh://, user@host:path) or a folder of this machine with a git repository."
    return ProblemError(400, "not-a-repository", f"{refusal}.", next_=next_)


def _taken(name: str) -> ProblemError:
    return ProblemError(
        409,
        "name-taken",
        f"Another repository is called {name}.",
        next_="Choose another name for this one (`windlass repo add --name`).",
    )


def _known(row: RepositoryRow) -> ProblemError:
    return ProblemError(
        409,
        "registered-already",
        f"It is registered already, as {row.registered.name}.",
        next_="`windlass repo list` shows it. Its secret was shown once; `windlass repo add --rotate` "
        "makes a new one, and the old one is worth nothing from then on.",
    )
