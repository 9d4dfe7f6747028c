"""What the builder does on each event: answer from the store, join a build, or begin one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.builder.store import Artifact, OpenRequest, Store, read_artifact
from shared.artifacts import ArtifactStore, Stored
from shared.db import ServiceDatabase, Transaction
from shared.events import ArtifactBuilt, BuildRequested, Message, RunCancelled, RunFailed, RunTimedOut
from shared.ids import BuildKey, Pipeline, derive
from shared.work import Order, cancel, place


@dataclass(frozen=True, slots=True)
class Builder:
    """The handlers."""

    db: ServiceDatabase
    artifacts: ArtifactStore

    async def build_requested(self, message: Message[BuildRequested]) -> None:
        """Answer at once if the artifact exists; else see to it that it is being built."""
        asked = message.body
        lost = await self._lost(asked.build_key)
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            store = Store(tx)
            await store.add_request(asked)
            while not await self._is_seen_to(store, asked, lost):
                pass  # another builder began it just then: now there is a row to lock

    async def run_ended(self, message: Message[RunCancelled | RunFailed | RunTimedOut]) -> None:
        """Call off what only the ended run's revision was waiting for."""
        ended = message.body
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            store = Store(tx)
            # The order is locked before the requests, as by the worker that ends it.
            for build_key in await store.asked_for_only_by(ended.pipeline, ended.revision):
                if build := await store.under_way(build_key):
                    await cancel(tx, order_id(*build), f"its run ended {ended.state}")
            await store.drop_requests(ended.pipeline, ended.revision)

    async def _is_seen_to(self, store: Store, asked: BuildRequested, lost: Artifact | None) -> bool:
        """Answer from the index, join a build or begin one; False: somebody else was about it, too.

        The key's last build is locked: one that goes on now ends after we have committed, and then
        answers this request as well; one that has ended has its artifact in the index.
        """
        if await store.locked_build_goes_on(asked.build_key):
            return True
        artifact = await read_artifact(store.tx, asked.build_key)
        if artifact and artifact != lost:
            await answer_all(store, asked.build_key, artifact)
            return True
        return await begin(store.tx, asked)

    async def _lost(self, build_key: str) -> Artifact | None:
        """Return the artifact if the index has it and the store does not hold it whole.

        One that comes into the index after this look was put into the store a moment before.
        """
        async with self.db.reading() as reading:
            artifact = await read_artifact(reading, build_key)
        if artifact and not isinstance(await self.artifacts.find(artifact.stored), Stored):
            return artifact
        return None


def order_id(asked: BuildRequested, attempt: int) -> UUID:
    """Return the id of the work order for an attempt."""
    return derive(asked.request, f"build {attempt}")


async def begin(
    tx: Transaction, asked: BuildRequested, tries: int = 1, not_before: datetime | None = None
) -> bool:
    """Order the next attempt unless one is under way; tell whether it is ours.

    `tries`: which attempt this is since somebody asked. `not_before`: None is at once.
    """
    attempt = await Store(tx).begin_build(asked)
    if attempt is None:
        return False
    order = Order(
        id=order_id(asked, attempt),
        kind="build",
        share=asked.pipeline,
        payload={"asked": asked.model_dump(mode="json"), "attempt": attempt, "tries": tries},
        correlation=asked.correlation,
    )
    await place(tx, order, not_before)
    return True


async def answer_all(store: Store, build_key: BuildKey, artifact: Artifact) -> None:
    """Answer every open request for the key with the artifact."""
    for request in await store.take_open_requests(build_key):
        store.tx.emit(_built(build_key, request, artifact), str(request.request))


def _built(build_key: BuildKey, request: OpenRequest, artifact: Artifact) -> ArtifactBuilt:
    return ArtifactBuilt(
        build_key=build_key,
        request=request.request,
        pipeline=Pipeline(request.pipeline),
        revision=request.revision,
        artifact=request.artifact,
        digest=artifact.stored.digest,
        size_bytes=artifact.stored.size_bytes,
        reused=request.revision != artifact.built_by,
        built_by=artifact.built_by,
        duration_seconds=artifact.duration_seconds,
        log=artifact.log,
    )
