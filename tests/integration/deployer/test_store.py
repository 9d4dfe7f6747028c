"""What the database itself refuses, and what the store finds in it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.deployer import tables
from services.deployer.rollback import PastRun
from services.deployer.run_state import HOLDS_LOCK, TERMINAL, State
from services.deployer.step_state import ENDED, StepState
from services.deployer.store import PAST_RUNS_MAX, Store
from services.deployer.store import statements as store_module
from shared.db import Cause, ServiceDatabase
from shared.faults import TryAgain
from tests.integration.deployer.stand import EPOCH, ROOT, Stand
from tests.integration.replicas import STORES, OnSqlite

HERE = "shop/staging"
ON_EACH = pytest.mark.parametrize("stand", STORES, indirect=True)


def row(number: int, state: State, **changes: Any) -> dict[str, Any]:
    values = {
        "run": UUID(int=number),
        "pipeline": "shop",
        "stage": "staging",
        "stage_key": HERE,
        "revision": number,
        "kind": "deploy",
        "state": state,
        "ready": False,
        "version": 0,
        "created_at": EPOCH,
        "finished_at": EPOCH + timedelta(seconds=number) if state in TERMINAL else None,
        "verification_state": "",
    }
    return {**values, **changes}


def insert(stand: Stand, *rows: dict[str, Any]) -> None:
    stand.store.write(sa.insert(tables.runs), _alike(rows))


def _alike(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    names = {name for row in rows for name in row}
    return [{name: row.get(name) for name in names} for row in rows]


@asynccontextmanager
async def store(stand: Stand) -> AsyncIterator[Store]:
    async with ServiceDatabase(stand.database, "deployer").transaction(Cause(ROOT), "test") as tx:
        yield Store(tx)


@ON_EACH
@pytest.mark.parametrize("second", [pytest.param(each, id=each) for each in sorted(HOLDS_LOCK)])
@pytest.mark.parametrize("first", [pytest.param(each, id=each) for each in sorted(HOLDS_LOCK)])
async def test_a_second_holder_is_refused_by_the_database(stand: Stand, first: State, second: State) -> None:
    insert(stand, row(1, first))
    with pytest.raises(sa.exc.IntegrityError):
        insert(stand, row(2, second))


@ON_EACH
async def test_a_second_waiting_run_is_refused_by_the_database(stand: Stand) -> None:
    insert(stand, row(1, State.NOT_STARTED, ready=True))
    with pytest.raises(sa.exc.IntegrityError):
        insert(stand, row(2, State.NOT_STARTED, ready=True))


@ON_EACH
async def test_a_run_cannot_be_made_to_hold_or_wait_beside_another_by_an_update(stand: Stand) -> None:
    insert(stand, row(1, State.IN_PROGRESS), row(2, State.NOT_STARTED, ready=True), row(3, State.NOT_STARTED))
    third = sa.update(tables.runs).where(tables.runs.c.revision == 3)
    for values in ({"state": State.ROLLING_BACK}, {"ready": True}):
        with pytest.raises(sa.exc.IntegrityError):
            stand.store.write(third.values(values))


@ON_EACH
async def test_one_holder_and_one_waiting_run_a_stage_and_any_number_of_others_are_let_in(
    stand: Stand,
) -> None:
    elsewhere = {"stage": "production", "stage_key": "shop/production"}
    insert(
        stand,
        row(1, State.IN_PROGRESS),
        row(2, State.NOT_STARTED, ready=True),
        row(3, State.NOT_STARTED),
        row(4, State.NOT_STARTED),
        row(5, State.CANCELLING, **elsewhere),
        row(6, State.NOT_STARTED, ready=True, **elsewhere),
        *(row(10 + number, state) for number, state in enumerate(sorted(TERMINAL))),
        *(row(30 + number, state, ready=True) for number, state in enumerate(sorted(TERMINAL))),
    )
    assert len(stand.rows(tables.runs)) == 6 + 2 * len(TERMINAL)


@ON_EACH
async def test_what_to_roll_back_to_is_found_past_any_number_of_superseded_runs(stand: Stand) -> None:
    burst = [row(number, State.SUPERSEDED) for number in range(2, PAST_RUNS_MAX + 10)]
    insert(stand, row(1, State.SUCCEEDED), *burst)
    async with store(stand) as reading:
        assert await reading.past_runs(HERE) == [PastRun(UUID(int=1), 1, State.SUCCEEDED)]


@ON_EACH
async def test_good_ends_come_the_last_first_also_when_the_clock_stood_still(stand: Stand) -> None:
    insert(stand, *(row(number, State.SUCCEEDED, finished_at=EPOCH) for number in (2, 3, 1)))
    async with store(stand) as reading:
        assert [past.revision for past in await reading.past_runs(HERE)] == [3, 2, 1]


@ON_EACH
async def test_a_run_that_moved_meanwhile_is_looked_at_again(stand: Stand) -> None:
    insert(stand, row(1, State.NOT_STARTED))
    async with store(stand) as first:
        stale = await first.run(UUID(int=1))
        assert stale
        await first.change_run(stale, state=State.IN_PROGRESS)
        with pytest.raises(TryAgain, match="no longer Not Started"):
            await first.change_run(stale, state=State.CANCELLED)


@pytest.mark.parametrize("state", [pytest.param(each, id=each) for each in sorted(TERMINAL)])
async def test_a_finished_run_is_not_written_to(stand: Stand, state: State) -> None:
    insert(stand, row(1, state))
    async with store(stand) as writing:
        run = await writing.run(UUID(int=1))
        assert run
        with pytest.raises(AssertionError, match="never changes"):
            await writing.change_run(run, wait=None)
    assert stand.rows(tables.runs)[0]["version"] == 0


@pytest.mark.parametrize("state", [pytest.param(each, id=each) for each in sorted(ENDED)])
async def test_an_ended_step_is_not_written_to(stand: Stand, state: StepState) -> None:
    async with store(stand) as writing:
        await writing.add_steps(UUID(int=1), ["web"])
        change = sa.update(tables.steps).values(state=state)
        await writing.tx.execute(change)
        web = (await writing.steps(UUID(int=1)))["web"]
        with pytest.raises(AssertionError, match="never changes"):
            await writing.change_step(web, outcome=None)


@ON_EACH
async def test_what_is_known_goes_with_a_run_or_step_that_somebody_else_moved(stand: Stand) -> None:
    insert(stand, row(1, State.NOT_STARTED))
    async with store(stand) as writing:
        (run,) = await writing.open_runs("shop")
        await writing.add_steps(run.run, ["web"])
        web = (await writing.steps(run.run))["web"]
        await writing.tx.execute(sa.update(tables.runs).values(state=State.IN_PROGRESS))
        await writing.tx.execute(sa.update(tables.steps).values(state=StepState.RUNNING))
        with pytest.raises(TryAgain):
            await writing.change_run(run, state=State.CANCELLED)
        with pytest.raises(TryAgain):
            await writing.change_step(web, outcome=None)
        assert [each.state for each in await writing.open_runs("shop")] == [State.IN_PROGRESS]
        assert (await writing.steps(run.run))["web"].state is StepState.RUNNING


@ON_EACH
async def test_runs_are_known_in_the_order_of_their_revisions_and_until_they_are_over(stand: Stand) -> None:
    insert(stand, row(4, State.NOT_STARTED), row(2, State.NOT_STARTED), row(3, State.IN_PROGRESS))
    async with store(stand) as writing:
        runs = await writing.open_runs("shop")
        assert [run.revision for run in runs] == [2, 3, 4]
        await writing.add_run(replace(runs[0], run=UUID(int=9), revision=3, stage="qa", stage_key="shop/qa"))
        await writing.change_run(runs[2], state=State.SUPERSEDED)
        assert [run.run.int for run in await writing.open_runs("shop")] == [2, 3, 9]
        assert [run.revision for run in runs] == [2, 3, 4]  # whoever is going through them goes on


async def test_what_was_written_is_known_without_a_look(stand: Stand) -> None:
    insert(stand, row(1, State.NOT_STARTED))
    async with store(stand) as writing:
        (run,) = await writing.open_runs("shop")
        await writing.change_run(run, state=State.IN_PROGRESS, deadline_at=EPOCH)
        assert [run.state for run in await writing.open_runs("shop")] == [State.IN_PROGRESS]
        await writing.add_steps(run.run, ["web"])
        web = (await writing.steps(run.run))["web"]
        await writing.change_step(web, state=StepState.RUNNING, deadline_at=EPOCH - timedelta(seconds=1))
        assert (await writing.steps(run.run))["web"].state is StepState.RUNNING
        assert writing.nearest_limit == EPOCH - timedelta(seconds=1)


def _questions() -> list[sa.Select[Any]]:
    named = [each for name, each in vars(store_module).items() if not name.startswith("_")]
    return [*(each for each in named if isinstance(each, sa.Select)), *store_module.NEXT_LIMITS]


@pytest.mark.parametrize("number", range(len(_questions())))
async def test_no_question_reads_through_all_that_ever_was(stand: Stand, number: int) -> None:
    assert isinstance(stand.store, OnSqlite)
    engine, question = stand.store.database.writer, _questions()[number]
    arguments = [name for name, value in question.compile().params.items() if value is None]
    asked = question.params(dict.fromkeys(arguments)).compile(
        dialect=engine.dialect, compile_kwargs={"render_postcompile": True}
    )
    with engine.connect() as connection:
        nothing = (None,) * str(asked).count("?")
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", nothing).all()
    scans = [row.detail for row in plan if row.detail.startswith("SCAN")]
    bounded = ("ix_stages_pipeline", "ix_steps_active", "one_run_holds_the_lock", "one_run_waits")
    assert plan
    assert not [scan for scan in scans if not scan.endswith(bounded)], str(asked)
