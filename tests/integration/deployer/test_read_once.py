"""What an answer and the next order ask of the database: each row once, and what is settled not again."""

from uuid import UUID

import pytest
import sqlalchemy as sa

from services.deployer import step_orders, tables
from services.deployer.step_orders import StepOrders
from shared.db import Parameters, Rows, ServiceDatabase
from shared.db.sqlite import InlineConnection
from shared.events import BuildRequested, RunSucceeded
from shared.plan import Plan
from shared.work import Claim, Order, statement
from tests.builders import named
from tests.contract.unreliable import Unreliable
from tests.integration.deployer.stand import Stand, plan, planned, step

STEPS = (step("one"), step("two", "SCRIPT:EXECUTE", "one"), step("three", "SCRIPT:EXECUTE", "two"))
BUILDS_NOTHING = plan(1, steps=STEPS, stages=("staging",)).model_copy(update={"artifacts": ()})
ANSWER_STATEMENTS_MAX = 10  # lock; done; stages, runs, steps; two steps, the log, the order; what is said


async def test_an_answer_asks_for_each_row_once(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the looks that are taken after every write are not counted
    asked: dict[InlineConnection, list[sa.Executable]] = {}  # by transaction
    execute = InlineConnection.execute

    async def counted(
        self: InlineConnection, asked_for: sa.Executable, parameters: Parameters | None = None
    ) -> Rows:
        asked.setdefault(self, []).append(asked_for)
        return await execute(self, asked_for, parameters)

    monkeypatch.setattr(InlineConnection, "execute", counted)
    async with stand.running():
        await stand.say(planned(1, BUILDS_NOTHING))
        await stand.until_said(RunSucceeded)
    answers = [each for each in asked.values() if statement.FINISH in each]
    assert len(answers) == len(STEPS)
    assert max(map(len, answers)) <= ANSWER_STATEMENTS_MAX


async def test_what_is_settled_of_a_run_is_read_for_its_first_order_only(stand: Stand) -> None:
    await _deployed(stand, plan(1, steps=STEPS, stages=("staging",)))
    run = stand.rows(tables.runs)[0]["run"]
    database = Unreliable(stand.database)
    orders = StepOrders(ServiceDatabase(database, "deployer"))
    told = [(await orders.of(_claim(run, each)))[0] for each in ("one", "two", "three")]
    assert database.uses == 1
    assert [order.step for order in told] == list(STEPS)
    fresh = [(await StepOrders(stand_db(stand)).of(_claim(run, each)))[0] for each in ("one", "two", "three")]
    assert told == fresh


async def test_what_is_not_built_yet_is_read_again(stand: Stand) -> None:
    stand.silent_builder = True
    orders = StepOrders(stand_db(stand))
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(BuildRequested)
        run = stand.rows(tables.runs)[0]["run"]
        assert not (await orders.of(_claim(run, "migrate")))[0].artifacts["web"]
        stand.store.write(sa.update(tables.artifacts).values(state="built", digest="sha256:1"))
        assert (await orders.of(_claim(run, "migrate")))[0].artifacts["web"] == "sha256:1"


async def test_as_many_runs_are_kept_as_there_is_room_for(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_orders, "RUNS_KEPT_MAX", 1)
    stages = ("staging", "production")
    await _deployed(stand, plan(1, steps=STEPS, stages=stages))
    database = Unreliable(stand.database)
    orders = StepOrders(ServiceDatabase(database, "deployer"))
    one, other = (row["run"] for row in stand.rows(tables.runs))
    for run in (one, one, other, other, one):
        assert (await orders.of(_claim(run, "one")))[0].run == run
    assert database.uses == 3
    assert len(orders._settled) == 1


def stand_db(stand: Stand) -> ServiceDatabase:
    return ServiceDatabase(stand.database, "deployer")


def _claim(run: UUID, step_: str) -> Claim:
    payload = {"run": str(run), "step": step_, "attempt": 1}
    return Claim(Order(named(step_), "step.run", "shop", payload), fence=1, attempts=0)


async def _deployed(stand: Stand, of: Plan) -> None:
    async with stand.running():
        await stand.say(planned(1, of))
        await stand.until_said(RunSucceeded, stage=of.stages[-1].name)
