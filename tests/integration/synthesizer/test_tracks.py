"""Which pushes become revisions: branches, tags and paths, on real git."""

import shutil

import pytest

from shared.events import PlanRejected, PushRefused, RevisionPlanned, RevisionSkipped
from shared.ids import Commit, Pipeline
from tests.integration.synthesizer.desk import PIPELINE, Desk


def tracking(tracks: str) -> bytes:
    return PIPELINE.replace(b"pipeline:\n", f"pipeline:\n  tracks: {tracks}\n".encode())


BRANCHES = tracking('[main, "release/*", "!release/old"]')
TAGS = tracking('{branches: [main], tags: ["v*"]}')
PATHS = tracking("{paths: [/app, /lib]}")
BY_HAND = {"trigger": "manual", "pipeline": Pipeline("shop")}


@pytest.mark.parametrize(
    ("branch", "tracked"),
    [("main", True), ("release/1", True), ("release/1/x", False), ("release/old", False), ("topic", False)],
)
async def test_a_branch_that_matches_is_deployed(desk: Desk, branch: str, tracked: bool) -> None:
    answer = await desk.answer(await desk.push(desk.commit(BRANCHES, branch), branch))
    if tracked:
        assert isinstance(answer, RevisionPlanned)
        assert (answer.branch, answer.plan.branch, answer.tag) == (branch, branch, "")
    else:
        assert answer.reason == "not_tracked"
        said = f"pipeline shop tracks main, release/* but not release/old, and the push was to {branch}"
        assert answer.message == said


async def test_a_commit_of_another_branch_beside_the_newest_is_the_next_revision(desk: Desk) -> None:
    base = desk.commit(BRANCHES)
    desk.repository.move("release/1", base)
    await desk.answer(await desk.push(base))
    ahead = await desk.answer(await desk.push(desk.commit(BRANCHES, src__a="1")))
    beside = await desk.answer(await desk.push(desk.commit(BRANCHES, "release/1", src__b="1"), "release/1"))
    again = await desk.answer(await desk.push(desk.commit(BRANCHES, src__a="2")))
    assert [answer.revision for answer in (ahead, beside, again)] == [2, 3, 4]


async def test_a_late_push_to_a_branch_is_late_whatever_another_branch_did_since(desk: Desk) -> None:
    first = desk.commit(BRANCHES)
    desk.repository.move("release/1", first)
    late, newer = desk.commit(BRANCHES, src__a="1"), desk.commit(BRANCHES, src__a="2")
    beside = desk.commit(BRANCHES, "release/1", src__b="1")
    assert (await desk.answer(await desk.push(newer))).revision == 1
    assert (await desk.answer(await desk.push(beside, "release/1"))).revision == 2
    for commit in (late, newer, first):
        skipped = await desk.answer(await desk.push(commit))
        assert (skipped.reason, skipped.contained_in) == ("contained", 2 if commit == first else 1)


async def test_a_branch_made_from_what_was_deployed_before_deploys_nothing_by_itself(desk: Desk) -> None:
    first = desk.commit(BRANCHES)
    desk.repository.move("release/1", first)
    newer = desk.commit(BRANCHES, src__a="1")
    await desk.answer(await desk.push(newer))
    beside = desk.commit(BRANCHES, "release/1", src__b="1")
    await desk.answer(await desk.push(beside, "release/1"))
    desk.repository.move("release/2", newer)
    skipped = await desk.answer(await desk.push(newer, "release/2"))
    assert (skipped.reason, skipped.contained_in) == ("contained", 1)
    onward = await desk.answer(await desk.push(desk.commit(BRANCHES, "release/2", src__c="1"), "release/2"))
    assert onward.revision == 3


async def test_a_person_may_put_one_branchs_newest_commit_back_in_front(desk: Desk) -> None:
    first = desk.commit(BRANCHES)
    desk.repository.move("release/1", first)
    older, newer = desk.commit(BRANCHES, src__a="1"), desk.commit(BRANCHES, src__a="2")
    await desk.answer(await desk.push(newer))
    beside = desk.commit(BRANCHES, "release/1", src__b="1")
    await desk.answer(await desk.push(beside, "release/1"))
    assert (await desk.answer(await desk.push(older, **BY_HAND))).reason == "contained"
    assert (await desk.answer(await desk.push(newer, **BY_HAND))).revision == 3


async def test_a_merge_is_newer_than_both_of_its_parents(desk: Desk) -> None:
    first = desk.commit(BRANCHES)
    desk.repository.move("release/1", first)
    one = desk.commit(BRANCHES, src__a="1")
    two = desk.commit(BRANCHES, "release/1", src__b="1")
    await desk.answer(await desk.push(one))
    await desk.answer(await desk.push(two, "release/1"))
    tree = desk.repository.git("rev-parse", f"{one}^{{tree}}")
    merged = Commit(desk.repository.git("commit-tree", "-m", "merge", "-p", one, "-p", two, tree))
    desk.repository.move("main", merged)
    assert (await desk.answer(await desk.push(merged))).revision == 3
    late = await desk.answer(await desk.push(two, "release/1"))
    assert (late.reason, late.contained_in) == ("contained", 3)
    assert await desk.marks() == [("refs/heads/main", merged)]


async def test_a_replica_that_never_saw_the_newest_commit_does_not_go_back_behind_it(desk: Desk) -> None:
    older, late = desk.commit(), desk.commit(src__a="1")
    await desk.answer(await desk.push(older))
    mirrors, elsewhere = desk.folder / "data" / "mirrors", desk.folder / "another"
    shutil.copytree(mirrors, elsewhere)
    await desk.answer(await desk.push(desk.commit(src__a="2")))
    mirrors.rename(desk.folder / "gone")
    elsewhere.rename(mirrors)
    skipped = await desk.answer(await desk.push(late))
    assert (skipped.reason, skipped.contained_in) == ("contained", 2)


async def test_a_branch_that_was_pushed_over_is_forgotten_by_whatever_comes_next(desk: Desk) -> None:
    first = desk.commit(BRANCHES)
    desk.repository.move("release/1", first)
    await desk.answer(await desk.push(first))
    beside = desk.commit(BRANCHES, "release/1", src__b="1")
    await desk.answer(await desk.push(beside, "release/1"))
    newest = desk.commit(BRANCHES, src__a="1")
    await desk.answer(await desk.push(newest))
    desk.repository.git("update-ref", "-d", "refs/heads/release/1")
    desk.repository.git("gc", "-q", "--prune=now")
    shutil.rmtree(desk.folder / "data" / "mirrors")
    assert len(await desk.marks()) == 2
    assert (await desk.answer(await desk.push(first))).reason == "contained"
    assert await desk.marks() == [("refs/heads/main", newest)]


@pytest.mark.parametrize("message", ["", "Release one"])
async def test_a_tag_of_a_newer_commit_is_a_revision(desk: Desk, message: str) -> None:
    await desk.answer(await desk.push(desk.commit(TAGS)))
    commit = desk.commit(TAGS, "topic", src__a="1")
    planned = await desk.answer(await desk.tag("v1", commit, message))
    assert isinstance(planned, RevisionPlanned)
    assert (planned.revision, planned.commit, planned.branch, planned.tag) == (2, commit, "", "v1")
    assert (planned.plan.branch, planned.plan.tag) == ("", "v1")


async def test_a_tag_of_what_is_deployed_or_older_is_skipped_and_says_so(desk: Desk) -> None:
    older, newer = desk.commit(TAGS), desk.commit(TAGS, src__a="1")
    await desk.answer(await desk.push(newer))
    same = await desk.answer(await desk.tag("v2", newer, "Two"))
    behind = await desk.answer(await desk.tag("v1", older))
    assert (same.reason, same.message, same.tag) == ("contained", "revision 1 is this commit", "v2")
    assert (behind.reason, behind.contained_in) == ("contained", 1)
    assert behind.message == "revision 1 contains this commit and is newer"


async def test_a_tag_that_is_not_tracked_deploys_nothing(desk: Desk) -> None:
    skipped = await desk.answer(await desk.tag("nightly", desk.commit(TAGS)))
    assert (skipped.reason, skipped.tag) == ("not_tracked", "nightly")
    assert skipped.message == "pipeline shop tracks main and tags v*, and the push was of tag nightly"


async def test_a_tag_is_no_branch_and_a_branch_no_tag(desk: Desk) -> None:
    commit = desk.commit(TAGS)
    assert (await desk.answer(await desk.tag("main", commit))).reason == "not_tracked"
    desk.repository.move("v1", commit)
    assert (await desk.answer(await desk.push(commit, "v1"))).reason == "not_tracked"


async def test_what_a_tag_stands_for_is_asked_of_git_and_not_of_the_push(desk: Desk) -> None:
    one, two = desk.commit(TAGS), desk.commit(TAGS, src__a="1")
    desk.repository.tag("v1", one, "One")
    claimed = await desk.answer(await desk.push(two, "", tag="v1"))
    gone = await desk.answer(await desk.push(one, "", tag="v9"))
    for refused in (claimed, gone):
        assert isinstance(refused, PushRefused)
        assert (refused.code, refused.branch, refused.tag[:1]) == ("commit_unreachable", "", "v")
    assert f"tag v1 of acme/shop stands for commit {one}, not for {two}" in claimed.message


async def test_a_tag_may_be_asked_for_by_hand(desk: Desk) -> None:
    commit = desk.commit(TAGS)
    desk.repository.tag("v1", commit, "One")
    planned = await desk.answer(await desk.push(None, "", tag="v1", **BY_HAND))
    assert (planned.revision, planned.commit, planned.tag) == (1, commit, "v1")


async def test_a_commit_that_is_pushed_to_its_branch_and_as_a_tag_at_once_is_one_revision(desk: Desk) -> None:
    await desk.answer(await desk.push(desk.commit(TAGS)))
    commit = desk.commit(TAGS, src__a="1")
    pushes = [await desk.tag("v1", commit, "One"), await desk.push(commit), await desk.tag("v1.0", commit)]
    said = [await desk.answer(push) for push in pushes]
    assert [answer.revision for answer in said if isinstance(answer, RevisionPlanned)] == [2]
    assert [answer.contained_in for answer in said if isinstance(answer, RevisionSkipped)] == [2, 2]


async def test_a_push_that_changes_none_of_the_paths_is_skipped(desk: Desk) -> None:
    await desk.answer(await desk.push(desk.commit(PATHS, app__a="1")))
    skipped = await desk.answer(await desk.push(desk.commit(PATHS, app__a="1", docs__a="1")))
    assert (skipped.reason, skipped.contained_in) == ("untouched", None)
    assert skipped.message == "nothing in /app, /lib or the pipeline file differs from revision 1"
    for files in ({"app__a": "2"}, {"app__a": "2", "lib__x__y": "1"}, {"app__a": "2"}):
        assert isinstance(await desk.answer(await desk.push(desk.commit(PATHS, **files))), RevisionPlanned)


async def test_a_change_that_was_skipped_over_is_found_by_its_content(desk: Desk) -> None:
    """The push that brought it was lost, or squashed; the one after it changes something else."""
    await desk.answer(await desk.push(desk.commit(PATHS, app__a="1")))
    desk.commit(PATHS, app__a="2")
    planned = await desk.answer(await desk.push(desk.commit(PATHS, app__a="2", docs__a="1")))
    assert planned.revision == 2


async def test_the_pipeline_file_is_always_one_of_the_paths(desk: Desk) -> None:
    await desk.answer(await desk.push(desk.commit(PATHS)))
    changed = PATHS.replace(b"echo hello", b"echo bye")
    assert (await desk.answer(await desk.push(desk.commit(changed)))).revision == 2
    broken = await desk.answer(await desk.push(desk.commit(changed + b"  x: 1\n")))
    assert isinstance(broken, PlanRejected)


async def test_a_person_deploys_what_changes_nothing_all_the_same(desk: Desk) -> None:
    await desk.answer(await desk.push(desk.commit(PATHS)))
    commit = desk.commit(PATHS, docs__a="1")
    assert (await desk.answer(await desk.push(commit))).reason == "untouched"
    again = await desk.answer(await desk.push(commit))
    assert (again.reason, again.message) == ("contained", "it changed nothing since revision 1")
    assert (await desk.answer(await desk.push(None, **BY_HAND))).revision == 2


async def test_a_late_push_does_not_undo_a_later_one_that_needed_no_revision(desk: Desk) -> None:
    await desk.answer(await desk.push(desk.commit(PATHS, app__a="1")))
    tried = desk.commit(PATHS, app__a="2")
    undone = desk.commit(PATHS, app__a="1")
    assert (await desk.answer(await desk.push(undone))).reason == "untouched"
    late = await desk.answer(await desk.push(tried))
    assert late.reason == "contained"
    assert late.message == f"commit {undone} came after it and changed nothing since revision 1"


async def test_a_newest_commit_that_nobody_has_any_more_counts_as_changed(desk: Desk) -> None:
    await desk.answer(await desk.push(desk.commit(PATHS)))
    desk.repository.git("update-ref", "-d", "refs/heads/main")
    desk.repository.git("gc", "-q", "--prune=now")
    shutil.rmtree(desk.folder / "data" / "mirrors")
    planned = await desk.answer(await desk.push(desk.commit(PATHS, docs__a="1")))
    assert planned.revision == 2


async def test_a_broken_file_is_rejected_where_the_last_good_one_was_tracked(desk: Desk) -> None:
    await desk.answer(await desk.push(desk.commit(BRANCHES)))
    desk.repository.move("release/1", desk.repository.git("rev-parse", "main"))
    desk.repository.move("topic", desk.repository.git("rev-parse", "main"))
    broken = BRANCHES + b"  x: 1\n"
    rejected = await desk.answer(await desk.push(desk.commit(broken, "release/1"), "release/1"))
    skipped = await desk.answer(await desk.push(desk.commit(broken, "topic"), "topic"))
    assert isinstance(rejected, PlanRejected)
    assert (skipped.reason, "tracks main, release/*" in skipped.message) == ("not_tracked", True)


async def test_wrong_tracks_are_rejected_with_their_line(desk: Desk) -> None:
    rejected = await desk.answer(await desk.push(desk.commit(tracking('[main, "release/[12]"]'))))
    assert isinstance(rejected, PlanRejected)
    (problem,) = [problem for problem in rejected.problems if problem.line == 3]
    assert "release/[12]" in problem.message
    assert problem.column == 18
