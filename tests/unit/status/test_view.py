"""A view's copy is what pydantic's own would be."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.status.views import RunView, View
from tests.builders import START
from tests.unit.status.told import Told

CHANGES: list[dict[str, Any] | None] = [
    None,
    {},
    {"state": "Cancelling"},
    {"actor": "ann", "finished_at": START + timedelta(hours=1), "timeline": ()},
]


def run() -> RunView:
    return Told().queued(1).started(1).step_started(1).run(1)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("changes", CHANGES)
def test_a_copy_is_what_pydantic_makes(changes: dict[str, Any] | None, deep: bool) -> None:
    view = run()
    copied, expected = (
        of(view, update=changes, deep=deep) for of in (RunView.model_copy, BaseModel.model_copy)
    )
    assert (copied, copied.model_fields_set) == (expected, expected.model_fields_set)
    assert copied.model_dump_json() == expected.model_dump_json()
    assert (copied.model_extra, copied.__pydantic_private__) == (None, None)
    assert (view, view.model_fields_set) == (run(), run().model_fields_set)


def test_a_copy_stays_as_it_is_when_another_is_made_of_it() -> None:
    first = run().model_copy(update={"state": "Cancelling"})
    second = first.model_copy(update={"state": "Cancelled", "actor": "ann"})
    assert (first.state, first.actor, "actor" in first.model_fields_set) == ("Cancelling", "", False)
    assert RunView.model_validate_json(second.model_dump_json()) == second
    with pytest.raises(ValidationError, match="frozen"):
        second.state = "Failed"  # type: ignore[misc]


def test_no_view_has_what_a_copy_leaves_out() -> None:
    views: list[type[View]] = [View]
    for view in views:
        views += view.__subclasses__()
    assert len(views) > 1
    assert not [
        view for view in views if view.__private_attributes__ or view.model_config["extra"] == "allow"
    ]
