"""The forge's part: each push is told of, signed, until it is acknowledged."""

import asyncio
import time
from dataclasses import dataclass, field
from uuid import UUID, uuid5

import httpx

from deploy.demo.forge import Hook
from tests.distributed.barge import OWNER, Barge
from tests.e2e.quay import push_body, signature

ROOT = UUID(int=31)
ANSWER_SECONDS_MAX = 15.0
AGAIN_SECONDS = 0.2
ACKNOWLEDGED_SECONDS_MAX = 120.0  # longer than any fault, and what it takes to come back from it


@dataclass(frozen=True)
class Acknowledged:
    """A push that was answered with 202."""

    barge: Barge
    commit: str
    push: str  # the id that Windlass gave it
    told_at: int  # nanoseconds, the clock of the ledgers
    acknowledged_at: int
    tries: int


@dataclass
class Forge:
    """Tells of pushes."""

    http: httpx.AsyncClient
    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # answers that no push of ours deserves

    async def push(self, barge: Barge) -> None:
        """Commit, and tell of it until somebody has written it down."""
        assert barge.hook is not None, "it is registered"
        commit = barge.commit()
        body = push_body(commit, repository={"full_name": f"{OWNER}/{barge.name}"})
        told_at = time.monotonic_ns()
        async with asyncio.timeout(ACKNOWLEDGED_SECONDS_MAX):
            answer, tries = await self._insist(barge.hook, body, str(uuid5(ROOT, commit)))
        if answer.status_code != httpx.codes.ACCEPTED:
            self.refused.append(f"{barge.name} {commit[:8]}: {answer.status_code} {answer.text[:300]}")
            return
        push = str(answer.json()["push"])
        done = Acknowledged(barge, commit, push, told_at, time.monotonic_ns(), tries)
        self.acknowledged.append(done)

    async def _insist(self, hook: Hook, body: bytes, delivery: str) -> tuple[httpx.Response, int]:
        headers = {
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": signature(hook.secret, body),
            "Content-Type": "application/json",
        }
        tries = 0
        while True:
            tries += 1
            try:
                answer = await self.http.post(
                    hook.url, content=body, headers=headers, timeout=ANSWER_SECONDS_MAX
                )
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                return answer, tries
            await asyncio.sleep(AGAIN_SECONDS)
