"""What has to be approved of a changed pipeline file, what an approval is of, and how that is said."""

from typing import Any

import pytest

from services.deployer.definition import HeldFor, Planned, held_for, wait_for, wait_in_line
from shared.language.difference import CHANGES_TOLD_MAX
from shared.plan import Plan
from tests.builders import START
from tests.unit.language.live import LIVE, edited, planned


def revision(number: int, plan: Plan) -> Planned:
    return Planned(number, plan, f"hash of {number}")


OLD = revision(1, planned(LIVE))
EASIER = planned(edited("approvals: 2", "approvals: 1"))


def held(new: Planned, old: Planned = OLD) -> HeldFor:
    found = held_for(new, old)
    assert found is not None
    return found


def test_the_first_revision_and_one_that_changes_nothing_need_nothing() -> None:
    assert held_for(revision(2, EASIER), None) is None
    assert held_for(revision(2, OLD.plan), OLD) is None


def test_what_is_kept_says_what_it_was_compared_with() -> None:
    found = held(revision(2, EASIER))
    assert found.against == 1
    assert [change.rule for change in found.needed.changes] == ["approval-weakened"]


def test_what_is_kept_in_a_row_is_read_back_whatever_a_newer_release_adds_to_it() -> None:
    found = held(revision(2, EASIER))
    document: dict[str, Any] = {**found.model_dump(mode="json"), "invented_later": 1}
    assert HeldFor.model_validate(document) == found


@pytest.mark.parametrize(
    ("new", "old"),
    [
        pytest.param(revision(3, EASIER), OLD, id="another plan"),
        pytest.param(
            Planned(2, EASIER, "hash of 2"),
            revision(1, planned(edited("duration_minutes: 30", "duration_minutes: 45"))),
            id="other changes",
        ),
    ],
)
def test_an_approval_is_of_the_plan_and_of_the_changes(new: Planned, old: Planned) -> None:
    assert held(new, old).shown != held(revision(2, EASIER)).shown


def test_an_approval_outlives_another_old_plan_that_makes_the_same_changes() -> None:
    new = revision(3, EASIER)
    other = held(new, revision(2, planned(edited("./warm.sh", "./w.sh"))))
    assert other.against == 2
    assert other.shown == held(new).shown


def test_changes_too_many_to_be_listed_are_bound_to_the_old_plan() -> None:
    stage = OLD.plan.stages[0]
    many = tuple(stage.model_copy(update={"name": f"s{n}"}) for n in range(CHANGES_TOLD_MAX + 1))
    new = revision(3, OLD.plan)
    full = planned(LIVE, stages=(*OLD.plan.stages, *many))
    one, other = (held(new, revision(number, full)) for number in (1, 2))
    assert one.needed == other.needed
    assert one.needed.further == 1
    assert one.shown != other.shown


def test_a_wait_names_what_changed_and_the_person_it_waits_for() -> None:
    wait = wait_for(held(revision(2, EASIER)), START)
    assert wait.reason == "approval"
    assert wait.blocked_by == (
        '1 change of the pipeline file needs approval: stage "production" · step "Go live" · '
        "params.approvals changed"
    )
    assert wait.released_by == "somebody who approves or rejects it"
    assert (wait.since, wait.deadline) == (START, None)


def test_a_wait_names_a_few_changes_and_counts_the_others() -> None:
    less = edited("    - name: Soak\n      type: APPROVAL:BAKE\n      params: {duration_minutes: 30}\n", "")
    found = held(revision(2, planned(edited("approvals: 2", "approvals: 1", less))))
    wait = wait_for(found, START)
    assert len(found.needed.changes) == 3
    assert wait.blocked_by.startswith("3 changes of the pipeline file need approval: ")
    assert wait.blocked_by.endswith(", and 1 more")
    assert wait.released_by == "somebody who approves or rejects them"


def test_a_wait_in_line_names_the_revision_that_is_asked_about() -> None:
    wait = wait_in_line(7, START)
    assert wait.reason == "approval"
    assert wait.blocked_by == "revision 7 comes first, and changes of its pipeline file need approval"
    assert wait.released_by == "somebody who approves, rejects or cancels revision 7"
