"""The projection: every event is known, and nothing but the order within a partition matters (L3)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.status.projection import TARGETS, TOLD_LATE, VIEW_TYPES, Kind, Placed, Row, fold, touched
from shared.delivery import TYPES
from shared.events import Event, FailureClassified, Message
from shared.events.topics import Topic
from tests.builders import named
from tests.unit.status.stories import BODIES, histories, message, partition_of, retold, shuffled
from tests.unit.status.told import Told

Views = dict[Row, Placed]


def test_every_event_there_is_is_projected() -> None:
    assert set(TARGETS) == set(TYPES.values())


@pytest.mark.parametrize("type_", sorted(BODIES))
def test_every_released_event_folds_into_nothing_and_into_what_it_made(type_: str) -> None:
    heard = message(retold(type_), 1)
    once = fold({}, [heard])
    again = fold(once, [message(heard.body, 2)])
    for (kind, _), placed in {**once, **again}.items():
        assert isinstance(placed.view, VIEW_TYPES[kind].model)


@given(histories())
def test_a_row_is_fed_by_one_partition_only(history: list[Message[Event]]) -> None:
    fed: dict[Row, set[tuple[Topic, str]]] = {}
    for heard in history:
        for row, _ in touched(heard.body):
            fed.setdefault(row, set()).add(partition_of(heard))
    assert all(len(partitions) == 1 for partitions in fed.values())


@given(histories(), st.lists(st.integers(0, 9), max_size=60))
def test_how_partitions_are_interleaved_makes_no_difference(
    history: list[Message[Event]], order: list[int]
) -> None:
    assert fold({}, shuffled(history, order)) == fold({}, history)


@given(histories(), st.lists(st.integers(1, 7), min_size=1, max_size=20), st.data())
def test_neither_batches_nor_what_is_told_late_make_a_difference(
    history: list[Message[Event]], sizes: list[int], data: st.DataObject
) -> None:
    views: Views = {}
    rest = history
    for size in [*sizes, len(history) + 1]:
        batch, rest = rest[:size], rest[size:]
        views |= fold(views, batch)
        if batch:
            late = replace(data.draw(st.sampled_from(batch)), position=TOLD_LATE)
            views |= fold(views, [late])  # from a dead letter
    assert views == fold({}, history)


@given(histories())
def test_where_a_view_is_listed_never_changes(history: list[Message[Event]]) -> None:
    views: Views = {}
    listed: dict[Row, object] = {}
    for heard in history:
        views |= fold(views, [heard])
        for (kind, key), placed in views.items():
            where = VIEW_TYPES[kind].listing(placed.view)
            assert listed.setdefault((kind, key), where) == where


@given(histories())
def test_every_view_survives_being_written_down(history: list[Message[Event]]) -> None:
    for (kind, _), placed in fold({}, history).items():
        model = VIEW_TYPES[kind].model
        assert model.model_validate_json(placed.view.model_dump_json()) == placed.view


def test_every_kind_of_view_comes_from_some_event() -> None:
    made = {row[0] for type_ in BODIES for row, _ in touched(retold(type_))}
    assert made == set(Kind)


def about_the_run_of(told: Told, type_: str) -> Event:
    """Return a released event as if it were told of the first revision's run and its one verification."""
    about = told.about(1)
    told_of = {**about, "run": str(about["run"]), "step": "migrate", "verification": str(named("v"))}
    return retold(type_, **{name: value for name, value in told_of.items() if name in BODIES[type_]})


OF_A_RUN = sorted(
    type_
    for type_ in BODIES
    if any(row[0] is Kind.RUN for row, _ in touched(retold(type_)))
    and not isinstance(retold(type_), FailureClassified)  # which is told of a run that is over
)


@pytest.mark.parametrize("type_", OF_A_RUN)
def test_nothing_that_is_still_heard_changes_a_run_that_is_over(type_: str) -> None:
    told = Told().queued(1).started(1).step_started(1, "migrate")
    told.tell(about_the_run_of(told, "windlass.verification.requested.v1")).failed(1)
    before = told.run(1)
    assert told.tell(about_the_run_of(told, type_)).run(1) == before


def test_what_its_failure_is_called_is_told_of_a_run_that_is_over() -> None:
    told = Told().queued(1).started(1).failed(1)
    assert told.tell(about_the_run_of(told, "windlass.failure.classified.v1")).run(1).failure is not None
