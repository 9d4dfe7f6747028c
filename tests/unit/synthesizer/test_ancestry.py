"""What a pushed commit becomes, for every relation to what was decided before."""

from itertools import combinations, permutations

import pytest

from services.synthesizer.ancestry import (
    MARKS_MAX,
    Become,
    Decision,
    Mark,
    Newest,
    Skip,
    Trigger,
    decide,
    in_front,
    surplus,
)
from shared.ids import Commit

NEW, OLD = Commit("b" * 40), Commit("a" * 40)
MAIN, RELEASE, TAG = "refs/heads/main", "refs/heads/release/1", "refs/tags/v1"
HINT = (
    "; to bring an earlier state back, push a revert of what came after it, or restore an earlier revision "
    "of one stage with `windlass rollback PIPELINE STAGE`"
)


def at(commit: Commit, revision: int = 7, *, untouched: bool = False) -> Mark:
    return Mark(MAIN, commit, revision, untouched)


@pytest.mark.parametrize(
    ("newest", "trigger", "behind", "expected"),
    [
        pytest.param(None, "push", None, Become(1), id="the first push"),
        pytest.param(None, "manual", None, Become(1), id="the first by hand"),
        pytest.param(OLD, "push", None, Become(8), id="a newer commit"),
        pytest.param(OLD, "manual", None, Become(8), id="a commit beside it, by hand"),
        pytest.param(NEW, "push", at(NEW), Skip(7, "revision 7 is this commit"), id="pushed twice"),
        pytest.param(NEW, "manual", at(NEW), Become(8), id="the newest once more, by hand"),
        pytest.param(
            OLD, "push", at(OLD), Skip(7, "revision 7 contains this commit and is newer"), id="a late push"
        ),
        pytest.param(
            OLD,
            "manual",
            at(OLD),
            Skip(7, "revision 7 contains this commit and is newer" + HINT),
            id="an older one by hand",
        ),
        pytest.param(
            OLD,
            "push",
            at(OLD, 3),
            Skip(3, "revision 3 contains this commit and is newer"),
            id="a late push after one to another branch",
        ),
        pytest.param(OLD, "manual", at(NEW, 3), Become(8), id="another branch's tip once more, by hand"),
        pytest.param(
            OLD,
            "push",
            at(NEW, untouched=True),
            Skip(None, "it changed nothing since revision 7"),
            id="a commit that changed nothing, again",
        ),
        pytest.param(
            OLD, "manual", at(NEW, untouched=True), Become(8), id="a commit that changed nothing, by hand"
        ),
        pytest.param(
            OLD,
            "push",
            at(OLD, untouched=True),
            Skip(None, f"commit {OLD} came after it and changed nothing since revision 7"),
            id="late, before one that changed nothing",
        ),
    ],
)
def test_a_commit_becomes(
    newest: Commit | None, trigger: Trigger, behind: Mark | None, expected: Decision
) -> None:
    known = Newest(7, newest) if newest else None
    assert decide(known, NEW, trigger, behind) == expected


def marks(*refs: str) -> tuple[Mark, ...]:
    return tuple(Mark(ref, Commit(f"{number:040x}"), number) for number, ref in enumerate(refs, 1))


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(marks(), [""], id="from before there were marks"),
        pytest.param((at(NEW),), [""], id="one branch"),
        pytest.param((at(OLD),), ["", MAIN], id="one branch, and a tag or another's revision is the newest"),
        pytest.param(marks(MAIN, RELEASE), ["", MAIN, RELEASE], id="two branches"),
    ],
)
def test_a_commit_is_late_behind_the_newest_and_behind_every_mark(
    known: tuple[Mark, ...], expected: list[str]
) -> None:
    assert [mark.ref for mark in in_front(Newest(9, NEW), known)] == expected
    assert in_front(None, known) == ()


def test_the_marks_of_the_oldest_revisions_are_given_up() -> None:
    known = marks(*(f"refs/tags/v{number}" for number in range(MARKS_MAX)))
    assert surplus(known, "refs/tags/v3") == ()
    assert [mark.revision for mark in surplus(known, MAIN)] == [1]
    assert surplus(known[: MARKS_MAX - 1], MAIN) == ()


# A small history: c1-c2-c3 on main, r2-r3 beside it from c1 on release/1.
BEFORE = {"c1": {"c1"}, "c2": {"c1", "c2"}, "c3": {"c1", "c2", "c3"}}
BEFORE |= {"r2": {"c1", "r2"}, "r3": {"c1", "r2", "r3"}}
PUSHES = [(MAIN, "c1"), (MAIN, "c2"), (MAIN, "c3"), (RELEASE, "r2"), (RELEASE, "r3"), (TAG, "c2")]


def revisions_of(pushes: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what becomes a revision, in order, when pushes are decided upon one after the other."""
    newest: Newest | None = None
    known: dict[str, Mark] = {}
    became = []
    for ref, name in pushes:
        front = in_front(newest, tuple(known.values()))
        behind = next((mark for mark in front if name in BEFORE[mark.commit]), None)
        decision = decide(newest, Commit(name), "push", behind)
        if isinstance(decision, Become):
            newest = Newest(decision.revision, Commit(name))
            known = {ref: mark for ref, mark in known.items() if mark.commit not in BEFORE[name]}
            known[ref] = Mark(ref, Commit(name), decision.revision)
            became.append((ref, name))
    return became


def test_in_whatever_order_pushes_arrive_none_goes_back_and_the_newest_are_revisions() -> None:
    for order in permutations(PUSHES):
        became = revisions_of(list(order))
        assert {"c3", "r3"} <= {name for _, name in became}, order
        for earlier, later in combinations(became, 2):
            assert later[1] not in BEFORE[earlier[1]], order
