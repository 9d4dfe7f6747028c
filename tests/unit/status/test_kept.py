"""Views in memory: never anything else than what the row says."""

from typing import Any

import pytest

from services.status.projection import Kind, Row
from services.status.store.kept import KeptViews
from services.status.views import StageView

ROW: Row = (Kind.STAGE, "shop/staging")


def stage(**told: Any) -> StageView:
    return StageView(pipeline="shop", stage="staging", **told)


def test_what_was_written_is_not_read_from_text_again() -> None:
    kept, view = KeptViews(), stage(place=1)
    assert kept.read(ROW, kept.written(ROW, view)) is view


def test_what_another_replica_wrote_meanwhile_is_read() -> None:
    kept = KeptViews()
    kept.written(ROW, stage(place=1))
    assert kept.read(ROW, stage(place=2).model_dump_json()) == stage(place=2)


def test_what_was_written_and_not_committed_is_forgotten_with_the_next_read() -> None:
    kept = KeptViews()
    committed = kept.written(ROW, stage(place=1))
    kept.written(ROW, stage(place=2))
    assert kept.read(ROW, committed) == stage(place=1)


def test_only_what_was_used_last_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.status.store.kept.KEPT_MAX", 2)
    kept, view = KeptViews(), stage()
    rows: list[Row] = [(Kind.STAGE, f"shop/{number}") for number in range(3)]
    document = view.model_dump_json()
    for row in rows:
        kept.written(row, view)
    assert [kept.read(row, document) is view for row in reversed(rows)] == [True, True, False]
