"""`POST /webhooks/github`: the one door that needs no token, because each delivery is signed.

Size before reading, signature before parsing, disk before 202. A repository that is not registered and
a wrong signature get the same answer in the same time.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from services.ingest.accept_queue import AcceptQueue
from services.ingest.acceptance import CONFLICT, Delivery
from services.ingest.adapters.vault import Vault
from services.ingest.body import BodyRoom, read_body
from services.ingest.github import Malformed, Nothing, meaning_of
from services.ingest.signature import HEADER, is_signed
from services.ingest.store import IngestStore, RepositoryRow
from shared.faults import Refused
from shared.problems import ProblemError
from shared.web.short_way import ShortWay

REPOSITORY_CHARACTERS_MAX = 300  # of the query; a longer one names no repository

_DELIVERY = re.compile(r"[A-Za-z0-9._:-]{1,100}")


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Takes signed deliveries."""

    store: IngestStore
    vault: Vault
    queue: AcceptQueue
    room: BodyRoom

    def router(self) -> APIRouter:
        """Return the route."""
        router = APIRouter()
        router.add_api_route(
            "/webhooks/github",
            self.github,
            methods=["POST"],
            status_code=202,
            response_class=JSONResponse,
            summary="Take a GitHub webhook, signed with the repository's secret",
            tags=["webhooks"],
            route_class_override=ShortWay,
        )
        return router

    async def github(self, request: Request, repository: Annotated[str, Query()] = "") -> Response:
        """Answer 202 once the push is on disk; say what became of anything else."""
        with self.room.taken() as share:
            body = await read_body(request, share)
            row = await self._authenticate(repository, request.headers.get(HEADER, ""), body)
            return await self._take(row, request, body)

    async def _authenticate(self, name: str, presented: str, body: bytes) -> RepositoryRow:
        row = await self.store.repository(name[:REPOSITORY_CHARACTERS_MAX])
        if not is_signed(body, presented, self._secret(row)) or row is None:
            raise _not_signed()
        return row

    def _secret(self, row: RepositoryRow | None) -> bytes | None:
        try:
            return self.vault.open(row.secret) if row else None
        except Refused:
            return None

    async def _take(self, row: RepositoryRow, request: Request, body: bytes) -> Response:
        event = request.headers.get("x-github-event", "")
        meaning = meaning_of(event, body, row.registered.branch)
        if isinstance(meaning, Malformed):
            raise _malformed(meaning)
        if isinstance(meaning, Nothing) and meaning.pong:
            return JSONResponse({"result": "pong", "reason": meaning.reason})
        delivery = Delivery(
            row.registered,
            _delivery_id(request.headers.get("x-github-delivery", "")),
            sha256(event.encode() + b"\n" + body).hexdigest(),
            meaning,
        )
        answer = await self.queue.accept(delivery)
        if answer.status == CONFLICT:
            raise _conflict(str(answer.document["reason"]))
        return JSONResponse(answer.document, answer.status)


def _not_signed() -> ProblemError:
    return ProblemError(
        401,
        "not-signed",
        "The delivery is not signed with the secret of a registered repository.",
        next_="`windlass repo list` shows what is registered, `windlass repo add --rotate` gives one a new "
        "secret. The forge must send X-Hub-Signature-256.",
    )


def _delivery_id(presented: str) -> str:
    if not _DELIVERY.fullmatch(presented):
        raise ProblemError(
            400,
            "no-delivery-id",
            "X-GitHub-Delivery is missing or is not an id.",
            next_="Send the id that the forge gave this delivery, up to 100 letters, digits and '-'.",
        )
    return presented


def _malformed(meaning: Malformed) -> ProblemError:
    return ProblemError(
        400,
        "malformed-push",
        f"The body is not a GitHub push: {'; '.join(meaning.mistakes)}.",
        next_="Set the webhook's content type to application/json and redeliver.",
    )


def _conflict(reason: str) -> ProblemError:
    return ProblemError(
        409,
        "delivery-conflict",
        f"{reason}.",
        next_="Every delivery needs an id of its own; a redelivery must be byte for byte the same.",
    )
