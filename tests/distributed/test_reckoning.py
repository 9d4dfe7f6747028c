"""The rest of the judge: a rebuild that differs is told view by view, a report says how to have it again."""

from tests.distributed.rebuild import differences
from tests.distributed.report import Report

KEPT = {"run 1": ("run", 7, {"state": "Succeeded"}), "run 2": ("run", 8, {"state": "Failed"})}


def test_a_read_model_like_its_rebuild_has_nothing_wrong_in_it() -> None:
    assert differences(KEPT, dict(KEPT)) == []


def test_views_that_a_rebuild_lacks_or_adds_or_has_otherwise_are_told() -> None:
    rebuilt = {"run 2": ("run", 8, {"state": "Succeeded"}), "run 3": ("run", 9, {})}
    found = differences(KEPT, rebuilt)
    assert [each.split(" is ")[0] for each in found] == ["view run 1", "view run 3", "view run 2"]


def test_a_report_says_what_is_wrong_and_how_to_have_it_again() -> None:
    report = Report("killing", 7, 20.0, wrongs=["a push was lost"])
    assert "WRONG a push was lost" in str(report)
    assert "python -m tests.distributed killing --seed 7 --seconds 20" in str(report)
