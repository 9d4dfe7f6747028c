"""Carries builds out as durable work: output published, result stored, requests answered."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.builder.adapters.workspace import Bench
from services.builder.another_attempt import Again, another
from services.builder.build_run import BuildAnswer, BuildFailed, BuildOrder, BuildStopped, Built, impossible
from services.builder.handlers import answer_all, begin
from services.builder.store import Artifact, Store, read_open_builds
from shared.artifacts import Stored
from shared.attempt_log import AttemptLog
from shared.db import ServiceDatabase
from shared.events import ArtifactFailed, BuildBackingOff, BuildRequested, Evidence, LogLine
from shared.ids import Pipeline
from shared.work import Claim, Workers


@dataclass(frozen=True, slots=True)
class PublishedLog:
    """An attempt's output on its way to the log topic, under the claim's fence."""

    workers: Workers
    db: ServiceDatabase
    claim: Claim
    log: AttemptLog

    async def next_line(self) -> int:
        """Return the number of the first line not yet published; `FenceLost` when others write it by now."""
        async with self.workers.holding(self.claim, "build.log_looked_at") as tx:
            return await self.log.next_line(tx)

    async def append(self, first_line: int, lines: Sequence[LogLine]) -> None:
        """Publish what is new among the lines."""
        async with self.workers.holding(self.claim, "build.log") as tx:
            published = await self.log.next_line(tx)
            await self.log.append(tx, lines[max(published - first_line, 0) :])


@dataclass(frozen=True, slots=True)
class BuildFailure:
    """How an attempt failed."""

    attempt: int
    evidence: Evidence
    log: str


@dataclass(frozen=True, slots=True)
class BuildWorker:
    """The worker for builds."""

    db: ServiceDatabase
    workers: Workers
    bench: Bench

    async def work(self, claim: Claim) -> None:
        """Build, or take up a build where an earlier life left it; then answer all who asked."""
        asked, order = _read(claim)
        log = PublishedLog(self.workers, self.db, claim, _log(asked, order))
        stopping = asyncio.create_task(self._stop_when_called_off(claim, order))
        try:
            answer = await self.bench.build(order, log)
        finally:
            stopping.cancel()
        await self._write(claim, answer)
        await self.bench.clear(order)

    async def give_up(self, claim: Claim, why: str) -> None:
        """Answer that the build could not be carried out."""
        _, order = _read(claim)
        await self._write(claim, BuildFailed(impossible(order, why)))
        await self.bench.clear(order)

    async def sweep(self) -> None:
        """Remove the workspaces of builds that are over, beside whatever other builders do."""
        there = self.bench.workspaces()  # first: a build is under way before it has a workspace
        async with self.db.reading() as reading:
            builds = await read_open_builds(reading)
        wanted = {_order(asked, attempt).name for asked, attempt in builds}
        await self.bench.sweep(there - wanted)

    async def _stop_when_called_off(self, claim: Claim, order: BuildOrder) -> None:
        await claim.cancelled.wait()
        await self.bench.stop(order)

    async def _write(self, claim: Claim, answer: BuildAnswer) -> None:
        asked, order = _read(claim)
        async with self.workers.finishing(claim) as tx:
            store = Store(tx)
            log = _log(asked, order)
            await log.append(tx, (), last=True)
            await store.end_build(
                asked.build_key, order.attempt, "built" if isinstance(answer, Built) else "failed"
            )
            match answer:
                case Built():
                    await store.keep_artifact(asked.build_key, answer, asked.revision, log.log)
                    stored = Stored(answer.digest, answer.size_bytes)
                    artifact = Artifact(stored, asked.revision, answer.duration_seconds, log.log)
                    await answer_all(store, asked.build_key, artifact)
                case BuildFailed(evidence):
                    await _try_again_or_fail(store, claim, evidence)
                case BuildStopped():
                    if await store.is_wanted(asked.build_key):  # somebody asked while it was being stopped
                        await begin(tx, asked)


async def _try_again_or_fail(store: Store, claim: Claim, evidence: Evidence) -> None:
    """Begin another attempt where the failure may pass, and say so; else answer all who asked."""
    asked, order = _read(claim)
    tries, log = claim.order.payload.get("tries", order.attempt), _log(asked, order).log
    again = another(evidence, tries, asked.pipeline, store.tx.now)
    called_off = claim.cancelled.is_set() or not await store.is_wanted(asked.build_key)
    if again is None or called_off:
        await _fail_all(store, asked, log, evidence)
        return
    await begin(store.tx, asked, tries + 1, again.not_before if again.code else None)
    if again.code:
        await _say_again(store, asked, BuildFailure(order.attempt, evidence, log), again)


async def _say_again(store: Store, asked: BuildRequested, failure: BuildFailure, again: Again) -> None:
    for request in await store.open_requests(asked.build_key):
        backing_off = BuildBackingOff(
            build_key=asked.build_key,
            request=request.request,
            pipeline=Pipeline(request.pipeline),
            revision=request.revision,
            artifact=request.artifact,
            attempt=failure.attempt,
            until=again.not_before,
            code=again.code,
            rule=again.rule,
            evidence=failure.evidence,
            log=failure.log,
        )
        store.tx.emit(backing_off, f"{request.request} {failure.attempt}")


async def _fail_all(store: Store, asked: BuildRequested, log: str, evidence: Evidence) -> None:
    for request in await store.take_open_requests(asked.build_key):
        failed = ArtifactFailed(
            build_key=asked.build_key,
            request=request.request,
            pipeline=Pipeline(request.pipeline),
            revision=request.revision,
            artifact=request.artifact,
            evidence=evidence,
            log=log,
        )
        store.tx.emit(failed, str(request.request))


def _read(claim: Claim) -> tuple[BuildRequested, BuildOrder]:
    asked = BuildRequested.model_validate(claim.order.payload["asked"])
    return asked, _order(asked, claim.order.payload["attempt"])


def _order(asked: BuildRequested, attempt: int) -> BuildOrder:
    return BuildOrder(
        attempt=attempt,
        pipeline=asked.pipeline,
        revision=asked.revision,
        remote=asked.remote,
        commit=asked.commit,
        recipe=asked.recipe,
    )


def _log(asked: BuildRequested, order: BuildOrder) -> AttemptLog:
    name = f"build/{asked.build_key}/{order.attempt}"
    return AttemptLog(name, asked.pipeline, asked.revision, "", asked.artifact)
