"""The synthesizer as a service: real git, bus, work and SQLite; pushes in, decisions out."""

import shutil
from datetime import datetime

import pytest

from shared.events import PlanRejected, PushRefused, RevisionPlanned, RevisionSkipped
from shared.ids import Commit, Pipeline, Repository
from tests.contract.git.repository import new_repository
from tests.integration.synthesizer.desk import PIPELINE, Desk


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


@pytest.mark.parametrize(
    ("received_at", "since"),
    [
        pytest.param("2025-03-01T12:00:00+00:00", "2025-03-01", id="long ago"),
        pytest.param("2025-03-01T00:30:00+02:00", "2025-02-28", id="still the day before in UTC"),
    ],
)
async def test_a_window_that_never_opens_is_refused_as_of_the_pushs_own_day(
    desk: Desk, received_at: str, since: str
) -> None:
    frozen = (
        b'    - name: staging\n      deployment_time_window: {zone: UTC, freezes: [{from: "2025-01-02"}]}'
    )
    commit = desk.commit(PIPELINE.replace(b"    - name: staging", frozen))
    rejected = await desk.answer(await desk.push(commit, received_at=datetime.fromisoformat(received_at)))
    [problem] = [problem for problem in rejected.problems if problem.rule == "window"]
    assert f"does not open from {since} on" in problem.message


async def test_a_pipelines_name_is_the_one_its_file_says(desk: Desk) -> None:
    named = PIPELINE.replace(b"pipeline:\n", b"pipeline:\n  name: The Shop\n")
    commit = desk.commit(named.replace(b"hello]", b'hello], env: {NAME: "${{ pipeline.name }}"}'))
    planned = await desk.answer(await desk.push(commit))
    assert planned.plan.stages[0].steps[0].params["env"] == {"NAME": "The Shop"}


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


async def test_both_folders_are_read(desk: Desk) -> None:
    theirs = PIPELINE.replace(b'"1"', b'"1.0.0"')
    files = {".windlass/api/pipeline.yaml": PIPELINE, ".devramps/web/pipeline.yaml": theirs, "src/a": b""}
    answers = await desk.answers(await desk.push(desk.repository.commit(files)), 2)
    assert {event.pipeline for event in answers} == {"api", "web"}


async def test_one_name_in_both_folders_is_rejected_and_names_both(desk: Desk) -> None:
    files = {".windlass/shop/pipeline.yaml": PIPELINE, ".devramps/shop/pipeline.yaml": PIPELINE}
    others = {".windlass/api/pipeline.yaml": PIPELINE, "src/a": b""}
    push = await desk.push(desk.repository.commit(files | others))
    rejected, planned = sorted(await desk.answers(push, 2), key=lambda event: type(event).__name__)
    assert (planned.pipeline, rejected.pipeline) == ("api", "shop")
    assert [problem.file for problem in rejected.problems] == [".windlass/shop/pipeline.yaml"]
    assert ".devramps/shop/pipeline.yaml" in rejected.problems[0].message


async def test_a_misnamed_pipeline_beside_a_good_one_is_rejected(desk: Desk) -> None:
    files = {".windlass/api/pipeline.yaml": PIPELINE, ".windlass/shop/pipeline.yml": PIPELINE, "src/a": b""}
    answers = await desk.answers(await desk.push(desk.repository.commit(files)), 2)
    (rejected,) = [event for event in answers if isinstance(event, PlanRejected)]
    assert (rejected.pipeline, rejected.problems[0].file) == ("shop", ".windlass/shop/pipeline.yml")
    assert "pipeline.yaml" in rejected.problems[0].hint


async def test_a_misnamed_pipeline_is_rejected_only_where_it_is_tracked(desk: Desk) -> None:
    skipped = await desk.answer(
        await desk.push(desk.repository.commit({".windlass/shop/pipeline.yml": PIPELINE}, branch="x"), "x")
    )
    assert skipped.reason == "not_tracked"


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
