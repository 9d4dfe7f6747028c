"""The builder as a service: real git, processes, artifact store, bus, work and SQLite."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid5

import pytest
import sqlalchemy as sa

from services.builder.app import build
from services.builder.settings import BuilderSettings
from services.builder.tables import requests
from shared.events import (
    ArtifactBuilt,
    ArtifactFailed,
    BuildRequested,
    Event,
    LogAppended,
    RunCancelled,
)
from shared.ids import BuildKey, Commit, Pipeline, Repository, Stage
from shared.plan import ArtifactPlan
from tests.contract.git.repository import WorkingCopy, new_repository
from tests.integration.replicas import until_read
from tests.integration.scene import ROOT, Scene

MAKE = ("mkdir dist", "cp src dist/app", "echo built $WINDLASS_REVISION")


class Yard:
    """A builder at work, a repository, and a counter of what was asked."""

    def __init__(self, folder: Path) -> None:
        self.repository: WorkingCopy = new_repository(folder / "shop")
        self.commit: Commit = self.repository.commit({"src": b"hello"})
        self.data = folder / "data"
        self.scene = Scene(folder, lambda database: build(database, BuilderSettings(data=self.data)))
        self._asked = 0

    async def ask(self, revision: int, key: str = "a", commands: tuple[str, ...] = MAKE) -> BuildRequested:
        self._asked += 1
        build_key = BuildKey(key * 64)
        recipe = ArtifactPlan(id="web", name="Web", build_key=build_key, commands=commands, path="dist")
        asked = BuildRequested(
            build_key=build_key,
            request=uuid5(ROOT, f"request {self._asked}"),
            pipeline=Pipeline("shop"),
            revision=revision,
            artifact="web",
            repository=Repository("acme/shop"),
            remote=self.repository.remote,
            commit=self.commit,
            recipe=recipe,
        )
        await self.scene.say(asked)
        return asked

    async def answer(self, asked: BuildRequested) -> Any:
        answers = await self.scene.hear(
            Event,
            lambda event: (
                isinstance(event, ArtifactBuilt | ArtifactFailed) and event.request == asked.request
            ),
        )
        return answers[0]

    async def cancel(self, revision: int) -> None:
        """Say that the revision's run was cancelled."""
        cancelled = RunCancelled(
            pipeline=Pipeline("shop"),
            stage=Stage("staging"),
            run=uuid5(ROOT, f"run {revision}"),
            revision=revision,
            kind="deploy",
            state="Cancelled",
            actor="ada",
            reason="wrong branch",
        )
        await self.scene.say(cancelled)

    async def heard_of_the_cancel(self, revision: int) -> None:
        """Return when nothing is owed to the revision any more."""
        owed = sa.select(requests).where(requests.c.revision == revision, sa.not_(requests.c.answered))
        await until_read(self.scene.database, owed, lambda rows: not rows)

    def logs(self) -> list[str]:
        appended = [event for event in self.scene.said if isinstance(event, LogAppended)]
        return [line.text for event in appended for line in event.lines]


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    yard = Yard(tmp_path)
    yield yard
    await yard.scene.end()


async def test_an_artifact_is_built_and_its_output_published(yard: Yard) -> None:
    built = await yard.answer(await yard.ask(1))
    assert isinstance(built, ArtifactBuilt)
    assert (built.reused, built.built_by) == (False, 1)
    assert "built 1" in yard.logs()


async def test_the_same_key_is_answered_from_the_store(yard: Yard) -> None:
    first = await yard.answer(await yard.ask(1))
    second = await yard.answer(await yard.ask(2))
    assert second.reused
    assert (second.digest, second.built_by) == (first.digest, 1)
    assert yard.logs().count("built 1") == 1


async def test_two_who_ask_at_once_share_one_build(yard: Yard) -> None:
    asked = [await yard.ask(1), await yard.ask(2)]
    answers = [await yard.answer(each) for each in asked]
    assert [answer.built_by for answer in answers] == [1, 1]
    assert yard.logs().count("built 1") == 1


async def test_an_artifact_that_left_the_store_is_built_again(yard: Yard) -> None:
    first = await yard.answer(await yard.ask(1))
    hexadecimal = first.digest.removeprefix("sha256:")
    [kept] = (yard.data / "artifacts").rglob(f"{hexadecimal}*")
    kept.unlink()
    second = await yard.answer(await yard.ask(2))
    assert (second.digest, second.reused) == (first.digest, False)


async def test_a_failed_build_shows_its_exit_code_and_last_lines_and_may_be_asked_again(yard: Yard) -> None:
    failing = ("echo cannot find it >&2", "exit 3")
    failed = await yard.answer(await yard.ask(1, commands=failing))
    assert isinstance(failed, ArtifactFailed)
    assert failed.evidence.exit_code == 3
    assert "cannot find it" in [line.text for line in failed.evidence.log_tail]
    again = await yard.answer(await yard.ask(2))
    assert isinstance(again, ArtifactBuilt)


ENDLESS = ("echo begun $WINDLASS_REVISION", "sleep 600")


async def begun(yard: Yard, revision: int) -> None:
    def says_so(event: LogAppended) -> bool:
        return any(line.text == f"begun {revision}" for line in event.lines)

    await yard.scene.hear(LogAppended, says_so)


async def test_a_build_nobody_waits_for_any_more_is_ended(yard: Yard) -> None:
    await yard.ask(1, commands=ENDLESS)
    await begun(yard, 1)
    await yard.cancel(1)
    await yard.scene.hear(LogAppended, lambda event: event.last)
    other = await yard.answer(await yard.ask(2, key="b"))
    assert isinstance(other, ArtifactBuilt)
    assert not [event for event in yard.scene.said if isinstance(event, ArtifactFailed)]


async def test_a_build_that_another_revision_waits_for_goes_on(yard: Yard) -> None:
    slow = ("echo begun $WINDLASS_REVISION", "sleep 0.5", *MAKE)
    await yard.ask(1, commands=slow)
    second = await yard.ask(2, commands=slow)
    await begun(yard, 1)
    await yard.cancel(1)
    built = await yard.answer(second)
    assert (built.built_by, yard.logs().count("built 1")) == (1, 1)


async def test_whoever_asks_while_a_build_is_being_ended_gets_one(yard: Yard) -> None:
    flag = yard.data.parent / "go"
    once = (f"test ! -e {flag} || exec mkdir -p dist", f"touch {flag}", *ENDLESS)
    await yard.ask(1, commands=once)
    await begun(yard, 1)
    await yard.cancel(1)
    built = await yard.answer(await yard.ask(2, commands=once))
    assert isinstance(built, ArtifactBuilt)
