"""What the builder does on each event: answer from the store, join a build, or begin one."""

from dataclasses import dataclass
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
        known = await self._known(asked.build_key)
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            store = Store(tx)
            await store.add_request(asked)
            if known:
                await answer_all(store, asked.build_key, known)
            else:
                await begin(tx, asked)

    async def run_ended(self, message: Message[RunCancelled | RunFailed | RunTimedOut]) -> None:
        """Call off what only the ended run's revision was waiting for."""
        ended = message.body
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            store = Store(tx)
            for build_key in await store.drop_requests(ended.pipeline, ended.revision):
                build = await store.under_way(build_key)
                if build and not await store.is_wanted(build_key):
                    await cancel(tx, order_id(*build), f"its run ended {ended.state}")

    async def _known(self, build_key: str) -> Artifact | None:
        """Return the artifact if the index has it and the store still holds it whole."""
        async with self.db.reading() as reading:
            artifact = await read_artifact(reading, build_key)
        if artifact and isinstance(await self.artifacts.find(artifact.stored), Stored):
            return artifact
        return None


def order_id(asked: BuildRequested, attempt: int) -> UUID:
    """Return the id of the work order for an attempt."""
    return derive(asked.request, f"build {attempt}")


async def begin(tx: Transaction, asked: BuildRequested) -> None:
    """Order the next attempt unless one is under way."""
    attempt = await Store(tx).begin_build(asked)
    if attempt is None:
        return
    order = Order(
        id=order_id(asked, attempt),
        kind="build",
        share=asked.pipeline,
        payload={"asked": asked.model_dump(mode="json"), "attempt": attempt},
        correlation=asked.correlation,
    )
    await place(tx, order)


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
