"""Every wait says why, on what, since when, what releases it and by when; and that way leads out (L2)."""

from datetime import datetime
from itertools import product
from typing import Any, get_args

import pytest

from services.deployer import tables
from services.deployer.run_state import State
from services.deployer.ways_out import TIME, WayOut, way_out
from shared.events import RunWaiting, Wait
from shared.events.runs import RunKind
from shared.events.waits import WaitReason
from tests.integration.deployer.arrangements import Act, Arrangement
from tests.integration.deployer.cells import EVERY
from tests.integration.deployer.stand import Stand

REASONS: tuple[WaitReason | None, ...] = (None, *get_args(WaitReason))
CELLS = list(product(State, REASONS, get_args(RunKind)))
OUT_OF_IT = [
    pytest.param(each, out, id=f"{' '.join(map(str, each.cell))}: {each.bring.__name__}: {name}")
    for each in EVERY
    for name, out in each.outs.items()
]
BY_TIME = [
    pytest.param(each, id=f"{' '.join(map(str, each.cell))}: {each.bring.__name__}")
    for each in EVERY
    if each.by_time
]


def run_in(stand: Stand, arrangement: Arrangement) -> dict[str, Any] | None:
    """Return the row of the run that has come into the cell."""
    state, reason, kind = arrangement.cell
    for row in stand.rows(tables.runs):
        here = (row["stage"], row["state"], row["kind"]) == (arrangement.stage, state, kind)
        dated = deadline_of(row) is not None
        if here and (row["wait"]["reason"] if row["wait"] else None) == reason and dated == arrangement.dated:
            return row
    return None


async def brought(stand: Stand, arrangement: Arrangement) -> dict[str, Any]:
    """Bring the run there, and return its row."""
    await arrangement.bring(stand)
    await stand.until(lambda: run_in(stand, arrangement) is not None)
    row = run_in(stand, arrangement)
    assert row is not None
    return row


def told(row: dict[str, Any]) -> tuple[object, ...]:
    """Return where a run is, as far as moving on would change it."""
    wait = row["wait"] or {}
    return row["state"], *(wait.get(name) for name in ("reason", "blocked_by", "released_by", "deadline"))


def moved_on(stand: Stand, before: dict[str, Any]) -> bool:
    (now,) = (row for row in stand.rows(tables.runs) if row["run"] == before["run"])
    return told(now) != told(before)


def deadline_of(row: dict[str, Any]) -> datetime | None:
    """Return by when it says that it ends: its wait's time, or its own while it works."""
    if row["wait"] is None:
        own: datetime | None = row["deadline_at"]
        return own
    return Wait.model_validate(row["wait"]).deadline


def said_last(stand: Stand, row: dict[str, Any]) -> Wait | None:
    said: list[Wait | None] = [event.wait for event in stand.said(RunWaiting, run=row["run"])]
    return said[-1] if said else None


def names_a_way(wait: Wait) -> bool:
    """Tell whether it names a person, or a run that has a way out itself."""
    return any(word in wait.released_by for word in ("somebody", "the end of revision", "taking the lock"))


async def check_told(stand: Stand, row: dict[str, Any], way: WayOut, arrangement: Arrangement) -> None:
    if row["wait"] is None:
        return
    wait = Wait.model_validate(row["wait"])
    await stand.until(lambda: said_last(stand, row) == wait)  # what is said is what is kept
    assert wait.blocked_by.strip()
    assert wait.released_by.strip()
    assert wait.since <= stand.clock.now()
    if arrangement.by_time:
        assert wait.deadline is not None
        assert wait.deadline > stand.clock.now()
        assert TIME in way.bounds
    else:
        assert wait.deadline is None
        assert way.bounds != {TIME}
        assert names_a_way(wait), wait.released_by


def test_every_cell_that_the_table_knows_is_one_that_the_deployer_comes_into() -> None:
    assert {each.cell for each in EVERY} == {cell for cell in CELLS if way_out(*cell) is not None}


@pytest.mark.parametrize(("arrangement", "out"), OUT_OF_IT)
async def test_what_a_wait_names_as_its_way_out_is_one(
    stand: Stand, arrangement: Arrangement, out: Act
) -> None:
    way = way_out(*arrangement.cell)
    assert way is not None
    async with stand.running():
        row = await brought(stand, arrangement)
        await check_told(stand, row, way, arrangement)
        await out(stand)
        await stand.until(lambda: moved_on(stand, row))


@pytest.mark.parametrize("arrangement", BY_TIME)
async def test_a_wait_that_names_a_time_is_over_by_then(stand: Stand, arrangement: Arrangement) -> None:
    async with stand.running():
        row = await brought(stand, arrangement)
        deadline = deadline_of(row)
        assert deadline is not None
        stand.clock.advance((deadline - stand.clock.now()).total_seconds() + 1)
        await stand.until(lambda: moved_on(stand, row))
