"""What is kept of a pipeline's open runs as they change."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from uuid import UUID

import pytest

from services.deployer.records import RunRecord
from services.deployer.run_state import TERMINAL, State
from services.deployer.stage_moves import unstarted_run
from services.deployer.store.known import in_order, with_run

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def run(number: int, revision: int) -> RunRecord:
    return unstarted_run(UUID(int=number), ("shop", "staging", "shop/staging"), revision, "deploy", NOW)


RUNS = [run(1, 1), run(9, 1), run(4, 2), run(2, 3)]


@pytest.mark.parametrize("made", [pytest.param(each, id=str(n)) for n, each in enumerate(permutations(RUNS))])
def test_runs_come_to_their_places_in_whatever_order_they_are_made(made: tuple[RunRecord, ...]) -> None:
    kept: list[RunRecord] = []
    for each in made:
        kept = [*with_run(kept, each)]
    assert kept == in_order(made) == RUNS


@pytest.mark.parametrize("place", range(len(RUNS)))
def test_a_run_that_changed_takes_its_own_place(place: int) -> None:
    changed = replace(RUNS[place], state=State.IN_PROGRESS, version=1)
    assert with_run(RUNS, changed) == [*RUNS[:place], changed, *RUNS[place + 1 :]]


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_a_run_that_is_over_is_among_the_open_ones_no_more(state: State) -> None:
    over = replace(RUNS[1], state=state)
    assert with_run(RUNS, over) == [RUNS[0], *RUNS[2:]]
    assert with_run([], over) == []


def test_whoever_goes_through_a_list_keeps_it_as_it_was() -> None:
    before = list(RUNS)
    with_run(before, replace(RUNS[0], state=State.CANCELLED))
    assert before == RUNS
