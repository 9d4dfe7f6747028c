"""The forge, which tells of a push until that is answered, and once more; and what lies at each commit.

Real are the door it knocks at (`services/ingest/routes/webhooks.py`) and all behind it: the signature, the
queue, both deduplications, the outbox. Played is what a commit holds: the synthesizer's answer for it.
"""

import asyncio
import hmac
import json
from collections import Counter
from contextvars import Context
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from services.ingest.acceptance import Registered
from services.ingest.routes.webhooks import Webhooks
from services.ingest.store import IngestStore
from shared.db import ServiceDatabase
from shared.events import Message, PushReceived, RevisionPlanned
from shared.faults import TryAgain
from shared.ids import Commit, Repository
from shared.problems import ProblemError
from tests.simulation.process import Process
from tests.simulation.virtual_loop import LIFE, pause
from tests.simulation.watch import Watch

SECRET = b"what only the forge and ingest know"
HANGS_UP_SECONDS = 10.0
TELLS_AGAIN_SECONDS = 20.0  # on average
UNANSWERED = 0  # in place of a status


class Vault:
    """Keeps secrets as they are."""

    def seal(self, secret: bytes) -> bytes:
        return secret

    def open(self, sealed: bytes) -> bytes:
        return sealed


@dataclass(frozen=True)
class Door:
    """Where one process takes webhooks."""

    process: Process
    webhooks: Webhooks

    async def knock(self, request: Request, repository: str) -> Response | int:
        """Return the answer, or the status of a problem; who hangs up does not end what was begun."""
        own = Context()
        own.run(LIFE.set, self.process.life)
        answering = asyncio.get_running_loop().create_task(
            self.webhooks.github(request, repository), context=own
        )
        await asyncio.wait({answering}, timeout=HANGS_UP_SECONDS)
        if not answering.done():
            answering.add_done_callback(_seen)
            return UNANSWERED
        if answering.cancelled():
            return UNANSWERED
        error = answering.exception()
        if isinstance(error, ProblemError):
            return error.document.status
        return 503 if isinstance(error, TryAgain) else answering.result()


@dataclass
class Forge:
    """All repositories."""

    seed: int
    watch: Watch
    doors: dict[str, Door] = field(default_factory=dict)  # by process
    lying: dict[tuple[Repository, Commit], RevisionPlanned] = field(default_factory=dict)  # at each commit
    said: Counter[UUID] = field(default_factory=Counter)

    async def register(self, people: Process, pipeline: str) -> None:
        """Have a repository known to ingest."""
        registered = Registered(Repository(f"acme/{pipeline}"), f"https://git.example/acme/{pipeline}", None)
        made = await IngestStore(ServiceDatabase(people, "ingest")).register(registered, SECRET)
        assert made is not None, "nobody else registers"

    def pushed(self, planned: RevisionPlanned) -> None:
        """Tell of a push, in its own time."""
        self.lying[planned.repository, planned.commit] = planned
        # In a context of its own: it is no part of the process that happens to run.
        telling = asyncio.get_running_loop().create_task(self._tell(planned), context=Context())
        telling.add_done_callback(_seen)

    async def push_received(self, message: Message[PushReceived], db: ServiceDatabase) -> None:
        """Plan what lies there, in the synthesizer's place (S3)."""
        push = message.body
        assert push.commit is not None, "a forge names the commit"
        async with db.hearing(message) as tx:
            if not tx.seen_before:
                planned = self.lying[push.repository, push.commit].model_copy(
                    update={"push": push.push, "pusher": push.pusher, "received_at": push.received_at}
                )
                tx.emit(planned)

    async def _tell(self, planned: RevisionPlanned) -> None:
        dice = Random(f"{self.seed} forge {planned.pipeline} {planned.revision}")
        delivery = f"{planned.pipeline}-{planned.revision}"
        body = _body(planned)
        if dice.random() < 0.1:
            await self._hostile(dice, planned, body)
        await self._until_taken(dice, planned, delivery, body)
        if dice.random() < 0.1:
            await pause(dice.expovariate(1 / 60.0))
            self.watch.count("forge", "told again")
            await self._until_taken(dice, planned, delivery, body)
        if dice.random() < 0.1:
            await pause(dice.expovariate(1 / 60.0))
            self.watch.count("forge", "told under another id")
            await self._until_taken(dice, planned, f"{delivery}-again", body)
        if dice.random() < 0.05:
            answer = await self._deliver(dice, planned, delivery, body + b" ")
            self._expect(answer, 409, "told something else under one id")

    async def _hostile(self, dice: Random, planned: RevisionPlanned, body: bytes) -> None:
        answer = await self._deliver(dice, planned, "forged", body, secret=b"guessed")
        self._expect(answer, 401, "forged")
        answer = await self._deliver(dice, planned, f"cut-{planned.revision}", body[:-2])
        self._expect(answer, 400, "malformed")
        answer = await self._deliver(dice, planned, f"ping-{planned.revision}", b"{}", event="ping")
        self._expect(answer, 200, "ping")

    def _expect(self, answer: Response | int, status: int, what: str) -> None:
        got = answer if isinstance(answer, int) else answer.status_code
        if got in {UNANSWERED, 503}:
            return
        self.watch.count("forge", what)
        if got != status:
            self.watch.wrong("S6", f"a delivery that was {what} is answered with {got}")

    async def _until_taken(self, dice: Random, planned: RevisionPlanned, delivery: str, body: bytes) -> None:
        while True:
            answer = await self._deliver(dice, planned, delivery, body)
            if isinstance(answer, Response) and answer.status_code == 202:
                break
            if answer not in {UNANSWERED, 503}:
                self.watch.wrong("S6", f"delivery {delivery} is answered with {answer}")
                return
            self.watch.count("forge", "not answered")
            await pause(dice.expovariate(1 / TELLS_AGAIN_SECONDS))
        told = json.loads(bytes(answer.body))
        self.watch.count("forge", told["result"])
        if UUID(told["push"]) not in self.watch.pushes:
            self.watch.wrong("S6", f"delivery {delivery} was answered and is not on disk")

    async def _deliver(
        self, dice: Random, planned: RevisionPlanned, delivery: str, body: bytes, **changes: Any
    ) -> Response | int:
        doors = [door for name, door in sorted(self.doors.items()) if door.process.lives]
        if not doors:
            return UNANSWERED
        door = dice.choice(doors)
        self.watch.tell(f"forge: delivers {delivery} to {door.process.name}")
        return await door.knock(_request(delivery, body, **changes), planned.repository)


def _body(planned: RevisionPlanned) -> bytes:
    pusher = {"name": planned.pusher}
    push = {"ref": "refs/heads/main", "before": "0" * 40, "after": planned.commit, "pusher": pusher}
    return json.dumps(push).encode()


def _request(delivery: str, body: bytes, *, secret: bytes = SECRET, event: str = "push") -> Request:
    signature = hmac.new(secret, body, sha256).hexdigest()
    headers = {
        "content-length": str(len(body)),
        "x-github-event": event,
        "x-github-delivery": delivery,
        "x-hub-signature-256": f"sha256={signature}",
    }
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/webhooks/github",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    parts = [body[: len(body) // 2], body[len(body) // 2 :]]

    async def receive() -> dict[str, Any]:
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    return Request(scope, receive)


def _seen(task: "asyncio.Task[Any]") -> None:
    if (
        not task.cancelled()
        and (error := task.exception())
        and not isinstance(error, TryAgain | ProblemError)
    ):
        task.get_loop().call_exception_handler({"message": "a delivery broke", "exception": error})
