"""What is shown of pushes and of what a pipeline made of them."""

from dataclasses import replace

import pytest

from services.status import pipeline_view
from services.status.projection import TOLD_LATE, Kind, fold
from shared.events import Event, Message, PlanRejected, PushReceived, RevisionPlanned, RevisionSkipped
from tests.unit.status.stories import message, retold


def planned(revision: int, branch: str, tag: str = "") -> Message[RevisionPlanned]:
    body = retold(RevisionPlanned.type, revision=revision, branch=branch, tag=tag)
    assert isinstance(body, RevisionPlanned)
    return message(body, revision)


def test_a_pipeline_of_which_a_tag_is_deployed_keeps_its_branch() -> None:
    first = pipeline_view.newest_planned(None, planned(1, "main"))
    tagged = pipeline_view.newest_planned(first, planned(2, "", "v1"))
    after = pipeline_view.newest_planned(tagged, planned(3, "release/1"))
    assert [(view.branch, view.tag) for view in (first, tagged, after)] == [
        ("main", ""),
        ("main", "v1"),
        ("release/1", ""),
    ]


def test_a_tags_revision_and_push_say_which() -> None:
    revision = pipeline_view.revision_planned(None, planned(2, "", "v1"))
    assert (revision.branch, revision.tag) == ("", "v1")
    pushed = retold(PushReceived.type, branch="", tag="v1")
    assert isinstance(pushed, PushReceived)
    push = pipeline_view.push_received(None, message(pushed, 1))
    assert (push.branch, push.tag) == ("", "v1")


def test_a_push_that_changed_nothing_says_so_and_names_no_revision_that_has_it() -> None:
    said = "nothing in /app or the pipeline file differs from revision 3"
    body = retold(RevisionSkipped.type, reason="untouched", contained_in=None, message=said)
    assert isinstance(body, RevisionSkipped)
    view = pipeline_view.decided(None, message(body, 1))
    assert (view.decision, view.revision, view.reason, view.message) == ("skipped", None, "untouched", said)


def rejected(branch: str = "main", commit: str = "b" * 40) -> Message[PlanRejected]:
    body = retold(PlanRejected.type, branch=branch, commit=commit)
    assert isinstance(body, PlanRejected)
    return message(body, 2)


def skipped(reason: str, branch: str = "main", commit: str = "c" * 40) -> Message[RevisionSkipped]:
    body = retold(RevisionSkipped.type, reason=reason, branch=branch, commit=commit, tag="")
    assert isinstance(body, RevisionSkipped)
    return message(body, 3)


@pytest.mark.parametrize(
    ("then", "is_over"),
    [
        pytest.param(skipped("untouched"), True, id="a revert of it changes nothing"),
        pytest.param(skipped("not_tracked"), True, id="its branch is tracked no more"),
        pytest.param(skipped("contained", commit="1" * 40), True, id="the branch is what is deployed again"),
        pytest.param(skipped("contained", commit="0" * 40), False, id="an earlier push comes late"),
        pytest.param(skipped("not_tracked", "feature"), False, id="another branch is pushed"),
        pytest.param(skipped("untouched", "release"), False, id="another tracked branch is pushed"),
        pytest.param(skipped("foreign_slug"), False, id="another repository has the same name in it"),
    ],
)
def test_a_rejection_is_over_once_its_branch_says_something_else(
    then: Message[RevisionSkipped], is_over: bool
) -> None:
    before = pipeline_view.newest_planned(None, planned(1, "main")).model_copy(
        update={"newest_commit": "1" * 40}
    )
    broken = pipeline_view.newest_rejected(before, rejected())
    view = pipeline_view.newest_skipped(broken, then) or broken
    assert (view.rejected is None) is is_over


def test_a_rejection_kept_before_branches_were_is_over_with_the_next_skipped_push() -> None:
    broken = pipeline_view.newest_rejected(None, rejected(branch=""))
    view = pipeline_view.newest_skipped(broken, skipped("untouched"))
    assert view is not None
    assert view.rejected is None


def test_a_skipped_push_is_told_of_until_the_next_decision() -> None:
    first = pipeline_view.newest_planned(None, planned(1, "main"))
    quiet = pipeline_view.newest_skipped(first, skipped("untouched"))
    assert quiet is not None
    assert quiet.skipped is not None
    assert pipeline_view.newest_planned(quiet, planned(2, "main")).skipped is None
    assert pipeline_view.newest_rejected(quiet, rejected()).skipped is None
    assert pipeline_view.newest_skipped(None, skipped("not_tracked")) is None


def test_a_skip_told_late_changes_neither_a_rejection_nor_what_is_told_of_the_newest_push() -> None:
    heard: list[Message[Event]] = [planned(1, "main"), rejected()]
    before = fold({}, heard)
    late = replace(skipped("untouched"), position=TOLD_LATE)
    (shop,) = (row for row in before if row[0] is Kind.PIPELINE)
    after = before | fold(before, [late])
    assert after[shop] == before[shop]
