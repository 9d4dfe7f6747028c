"""Two builders on one folder and one database, one of them at times believed to be dead."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest
import sqlalchemy as sa

from services.builder import tables
from services.builder.adapters.fakes import FakeBuildLog
from services.builder.build_run import Built
from services.builder.handlers import Builder, answer_all
from services.builder.store import Artifact, Store
from shared.artifacts import FakeArtifactStore, Stored
from shared.clock import SystemClock
from shared.db import Cause, Database, ServiceDatabase, Transaction, metadata
from shared.db.sqlite import SqliteDatabase
from shared.db.tables import outbox
from shared.events import ArtifactBuilt, BuildRequested, Event, Message
from shared.faults import TryAgain
from shared.ids import BuildKey, Commit, Digest, Pipeline, Repository
from shared.plan import ArtifactPlan
from tests.builders import START
from tests.integration.builder.bench_program import bench, order
from tests.integration.scene import ROOT

TRIES_SECONDS = 40.0  # of what is not possible while others are at it
KEY = BuildKey("a" * 64)
BUILT = Built(Digest(f"sha256:{'1' * 64}"), 9, 1.0)


def request(revision: int) -> Message[BuildRequested]:
    recipe = ArtifactPlan(id="web", name="Web", build_key=KEY, commands=("true",), path="dist")
    asked = BuildRequested(
        build_key=KEY,
        request=uuid5(ROOT, f"request {revision}"),
        pipeline=Pipeline("shop"),
        revision=revision,
        artifact="web",
        repository=Repository("acme/shop"),
        remote="/repositories/shop",
        commit=Commit("c" * 40),
        recipe=recipe,
    )
    return Message(
        id=uuid5(ROOT, f"message {revision}"),
        time=START,
        source="deployer",
        subject=asked.subject,
        key=asked.key,
        correlation="",
        causation=None,
        traceparent="",
        body=asked,
    )


async def finish_build(tx: Transaction) -> None:
    """Write what a worker writes when the key's first build is done."""
    store = Store(tx)
    await store.end_build(KEY, 1, "built")
    await store.keep_artifact(KEY, BUILT, 1, "build/1")
    stored = Stored(BUILT.digest, BUILT.size_bytes)
    await answer_all(store, KEY, Artifact(stored, 1, 1.0, "build/1"))


@dataclass(frozen=True, slots=True)
class SlowDatabase(ServiceDatabase):
    """One in which something happens between a handler's look beforehand and its transaction."""

    meanwhile: Callable[[], Awaitable[None]] = None  # type: ignore[assignment]

    @asynccontextmanager
    async def hearing(self, message: Message[Event]) -> AsyncIterator[Transaction]:
        await self.meanwhile()
        async with ServiceDatabase(self.database, self.service).hearing(message) as tx:
            yield tx


async def all_rows(database: Database, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
    async with database.reading() as reading:
        return [tuple(row) for row in await reading.execute(query)]


async def test_a_request_heard_while_its_artifact_was_being_finished_begins_no_second_build(
    tmp_path: Path,
) -> None:
    database = SqliteDatabase(tmp_path / "windlass.db", SystemClock())
    metadata.create_all(database.writer)
    db = ServiceDatabase(database, "builder")
    await Builder(db, FakeArtifactStore()).build_requested(request(1))

    async def finish() -> None:
        async with db.transaction(Cause(UUID(int=5)), "finish") as tx:
            await finish_build(tx)

    late = Builder(SlowDatabase(database, "builder", meanwhile=finish), FakeArtifactStore())
    await late.build_requested(request(2))
    attempts = await all_rows(database, sa.select(tables.builds.c.attempt, tables.builds.c.state))
    assert attempts == [(1, "built")]
    said = await all_rows(database, sa.select(outbox.c.type))
    assert said == [(ArtifactBuilt.type,)] * 2
    await database.close()


async def test_a_workspace_that_two_build_in_at_once_gives_one_process_and_both_the_artifact(
    tmp_path: Path,
) -> None:
    asked = order('echo once >> "$HOME/../../../effects"', "mkdir dist && cp in dist/out")
    answers = await asyncio.gather(*(bench(tmp_path).build(asked, FakeBuildLog()) for _ in range(4)))
    assert all(isinstance(answer, Built) for answer in answers), answers
    assert len({answer.digest for answer in answers if isinstance(answer, Built)}) == 1
    assert (tmp_path / "effects").read_text() == "once\n"
    top = tmp_path / "workspaces" / asked.name
    assert not list(top.glob("arriving-*"))
    assert not list(top.glob(".*"))


class LostLog(FakeBuildLog):
    """The log of an attempt that another builder has taken over."""

    async def next_line(self) -> int:
        raise PermissionError("another has it")


async def test_who_lost_the_attempt_starts_nothing(tmp_path: Path) -> None:
    asked = order('echo once >> "$HOME/../../../effects"')
    with pytest.raises(PermissionError):
        await bench(tmp_path).build(asked, LostLog())
    assert not (tmp_path / "effects").exists()


async def test_the_checkout_of_one_that_was_frozen_is_not_taken_away_and_its_late_end_harms_nothing(
    tmp_path: Path,
) -> None:
    frozen, asked = bench(tmp_path), order("mkdir dist && cp in dist/out")
    thaw, reached = asyncio.Event(), asyncio.Event()
    checkout = frozen.source.checkout

    class Freezing:
        fetch_commit = staticmethod(frozen.source.fetch_commit)
        commit_info = staticmethod(frozen.source.commit_info)

        async def checkout(self, remote: str, commit: Commit, folder: Path) -> None:
            await checkout(remote, commit, folder)
            reached.set()
            await thaw.wait()
            assert (folder / "in").exists()  # still there when it wakes

    object.__setattr__(frozen, "source", Freezing())
    late = asyncio.create_task(frozen.build(asked, FakeBuildLog()))
    await reached.wait()
    answer = await bench(tmp_path).build(asked, FakeBuildLog())
    assert isinstance(answer, Built)
    thaw.set()
    assert isinstance(await late, Built)
    assert (tmp_path / "workspaces" / asked.name / "source/in").read_bytes() == b"boats"


async def test_two_who_clear_and_sweep_at_once_do_not_stand_in_each_others_way(tmp_path: Path) -> None:
    asked = order("mkdir -p dist; for i in 1 2 3 4 5 6 7 8 9; do mkdir -p d$i/e/f && touch d$i/e/f/g; done")
    await bench(tmp_path).build(asked, FakeBuildLog())
    benches = [bench(tmp_path) for _ in range(4)]
    found = benches[0].workspaces()
    clearing = [partial(one.clear, asked) for one in benches]
    sweeping = [partial(one.sweep, found) for one in benches]
    await asyncio.gather(*(tried_again(act) for act in (*clearing, *sweeping)))
    assert list((tmp_path / "workspaces").iterdir()) == []


async def tried_again(act: Callable[[], Awaitable[None]]) -> None:
    """Do it, again where another is at it: as whoever carries orders out does."""
    async with asyncio.timeout(TRIES_SECONDS):
        while True:
            with suppress(TryAgain):
                return await act()
            await asyncio.sleep(0.005)  # they are at it in threads, which take no turns of the loop


async def test_what_a_killed_builder_was_about_to_remove_is_swept(tmp_path: Path) -> None:
    left = tmp_path / "workspaces" / f".gone-{order().name}"
    (left / "source").mkdir(parents=True)
    own = bench(tmp_path)
    assert own.workspaces() == frozenset()
    await own.sweep(())
    assert list((tmp_path / "workspaces").iterdir()) == []
