"""The synthesizer as a service: real git, bus, work and SQLite; pushes in, decisions out."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from services.synthesizer.app import build
from services.synthesizer.settings import SynthesizerSettings
from shared.events import (
    Event,
    PlanRejected,
    PushReceived,
    PushRefused,
    RevisionPlanned,
    RevisionSkipped,
)
from shared.ids import Commit, Pipeline, Repository
from tests.contract.git.repository import WorkingCopy, new_repository
from tests.integration.scene import Scene

ROOT = UUID(int=11)
PIPELINE = b"""\
version: "1"
pipeline:
  stages:
    - name: staging
  artifacts:
    Web:
      type: BUNDLE:BUILD
      rebuild_when_changed: [/src]
      params: {build_commands: make, file_path: /dist}
  steps:
    - name: Say
      type: SCRIPT:EXECUTE
      params: {commands: [echo hello]}
"""


class Desk:
    """A synthesizer at work and a repository to push to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository: WorkingCopy = new_repository(folder / "shop")
        settings = SynthesizerSettings(data=folder / "data")
        self.scene = Scene(folder, lambda database: build(database, settings))

    def commit(self, pipeline: bytes = PIPELINE, branch: str = "main", **files: str) -> Commit:
        tree = {name.replace("__", "/"): text.encode() for name, text in files.items()}
        path = ".windlass/shop/pipeline.yaml"
        return self.repository.commit({path: pipeline, "src/app": b"1", **tree}, branch=branch)

    async def push(self, commit: Commit | None, branch: str = "main", **changes: Any) -> UUID:
        push = uuid5(ROOT, f"{commit} {branch} {len(self.scene.said)} {changes}")
        body: dict[str, Any] = {
            "push": push,
            "repository": Repository("acme/shop"),
            "remote": self.repository.remote,
            "branch": branch,
            "commit": commit,
            "trigger": "push",
            "received_at": self.scene.database.clock.now(),
            **changes,
        }
        await self.scene.say(PushReceived(**body))
        return push

    async def answers(self, push: UUID, count: int) -> list[Any]:
        """Wait for what the push led to."""
        kinds = (RevisionPlanned, RevisionSkipped, PlanRejected, PushRefused)
        return await self.scene.hear(
            Event, lambda event: isinstance(event, kinds) and event.push == push, count
        )

    async def answer(self, push: UUID) -> Any:
        return (await self.answers(push, 1))[0]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    await desk.scene.end()


async def test_a_push_becomes_the_first_revision(desk: Desk) -> None:
    commit = desk.commit()
    planned = await desk.answer(await desk.push(commit))
    assert isinstance(planned, RevisionPlanned)
    assert (planned.revision, planned.commit, planned.title) == (1, commit, "a change")
    assert planned.plan_hash == planned.plan.content_hash()


async def test_each_of_a_burst_is_a_revision_in_the_order_of_the_commits(desk: Desk) -> None:
    commits = [desk.commit(src__n=str(number)) for number in range(5)]
    pushes = [await desk.push(commit) for commit in commits]
    answers = [await desk.answer(push) for push in pushes]
    assert [(a.revision, a.commit) for a in answers] == list(zip(range(1, 6), commits, strict=True))


async def test_a_push_that_comes_after_its_successor_is_skipped_and_names_it(desk: Desk) -> None:
    older, newer = desk.commit(src__n="1"), desk.commit(src__n="2")
    await desk.answer(await desk.push(newer))
    skipped = await desk.answer(await desk.push(older))
    assert isinstance(skipped, RevisionSkipped)
    assert (skipped.reason, skipped.contained_in) == ("contained", 1)


async def test_what_does_not_change_an_artifact_does_not_change_its_key(desk: Desk) -> None:
    first = await desk.answer(await desk.push(desk.commit(docs__a="1")))
    second = await desk.answer(await desk.push(desk.commit(docs__a="2")))
    third = await desk.answer(await desk.push(desk.commit(src__app2="x")))
    keys = [event.plan.artifacts[0].build_key for event in (first, second, third)]
    assert keys[0] == keys[1] != keys[2]


async def test_every_mistake_of_the_file_is_said_with_its_line(desk: Desk) -> None:
    broken = PIPELINE.replace(b"stages:", b"stagse:").replace(b"SCRIPT:EXECUTE", b"SCRIPT:EXECUT")
    rejected = await desk.answer(await desk.push(desk.commit(broken)))
    assert isinstance(rejected, PlanRejected)
    lines = {problem.line for problem in rejected.problems}
    assert {3, 12} <= lines
    assert any("stages" in problem.hint for problem in rejected.problems)


async def test_a_fix_after_a_rejected_plan_is_the_next_revision(desk: Desk) -> None:
    await desk.answer(await desk.push(desk.commit()))
    await desk.answer(await desk.push(desk.commit(b"version: 7\n")))
    fixed = await desk.answer(await desk.push(desk.commit(src__n="2")))
    assert fixed.revision == 2


async def test_another_branch_deploys_nothing(desk: Desk) -> None:
    skipped = await desk.answer(await desk.push(desk.commit(branch="topic"), branch="topic"))
    assert isinstance(skipped, RevisionSkipped)
    assert skipped.reason == "not_tracked"


async def test_a_commit_of_another_branch_is_not_believed(desk: Desk) -> None:
    desk.commit()
    foreign = desk.commit(branch="topic", src__n="evil")
    refused = await desk.answer(await desk.push(foreign, branch="main"))
    assert isinstance(refused, PushRefused)
    assert refused.code == "commit_unreachable"


async def test_a_commit_that_does_not_exist_is_refused(desk: Desk) -> None:
    desk.commit()
    refused = await desk.answer(await desk.push(Commit("ab" * 20)))
    assert isinstance(refused, PushRefused)
    assert refused.code == "commit_unreachable"


@pytest.mark.parametrize("branch", ["--upload-pack=touch x", "$(id)", "a..b", "-x", "main\nother"])
async def test_a_hostile_branch_name_is_refused_and_nothing_runs(desk: Desk, branch: str) -> None:
    desk.commit()
    refused = await desk.answer(await desk.push(None, branch=branch))
    assert isinstance(refused, PushRefused)
    good = await desk.answer(await desk.push(desk.commit(src__n="2")))
    assert good.revision == 1


async def test_a_repository_that_vanished_is_said_and_others_go_on(desk: Desk) -> None:
    commit = desk.commit()
    gone = new_repository(desk.folder / "gone")
    shutil.rmtree(gone.folder)
    vanished = await desk.push(commit, repository=Repository("acme/gone"), remote=gone.remote)
    planned = await desk.answer(await desk.push(commit))
    assert isinstance(planned, RevisionPlanned)
    refused = await desk.answer(vanished)
    assert isinstance(refused, PushRefused)
    assert refused.code == "source_unreachable"


async def test_a_repository_without_a_pipeline_says_what_to_add(desk: Desk) -> None:
    commit = desk.repository.commit({"README": b"hello"})
    refused = await desk.answer(await desk.push(commit))
    assert refused.code == "no_pipeline"
    assert ".windlass/" in refused.message


async def test_two_pipelines_get_one_decision_each(desk: Desk) -> None:
    commit = desk.repository.commit(
        {".windlass/api/pipeline.yaml": PIPELINE, ".windlass/web/pipeline.yaml": PIPELINE, "src/a": b""}
    )
    answers = await desk.answers(await desk.push(commit), 2)
    assert {event.pipeline for event in answers} == {"api", "web"}


async def test_a_slug_belongs_to_the_repository_that_had_it_first(desk: Desk) -> None:
    await desk.answer(await desk.push(desk.commit()))
    other = new_repository(desk.folder / "other")
    commit = other.commit({".windlass/shop/pipeline.yaml": PIPELINE, "src/a": b""})
    push = await desk.push(commit, repository=Repository("acme/other"), remote=other.remote)
    skipped = await desk.answer(push)
    assert skipped.reason == "foreign_slug"
    assert "acme/shop" in skipped.message


async def test_a_person_may_deploy_the_newest_commit_again_but_not_an_older_one(desk: Desk) -> None:
    older, newer = desk.commit(src__n="1"), desk.commit(src__n="2")
    await desk.answer(await desk.push(newer))
    asked = {"trigger": "manual", "pipeline": Pipeline("shop")}
    again = await desk.answer(await desk.push(None, **asked))
    back = await desk.answer(await desk.push(older, **asked))
    assert again.revision == 2
    assert back.reason == "contained"
    assert "revert" in back.message
