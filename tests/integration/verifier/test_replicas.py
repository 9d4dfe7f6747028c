"""Replicas of the verifier: a verdict beside the end of its run."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from services.verifier import tables
from services.verifier.adapters.fakes import FakeCommands, FakeObserver
from services.verifier.handlers import KIND, Handlers
from services.verifier.round_worker import Rounds
from services.verifier.worker import VerifyWorker
from shared.db import Database, ServiceDatabase
from shared.db.tables import outbox, work
from shared.events import RunCancelling, VerificationRequested
from shared.ids import Pipeline, Stage, derive
from shared.work import Claim, Order, Workers
from tests.builders import START, named
from tests.integration.replicas import Halting, Replicas, heard, meet, read

RUN = named("run")


def asked(number: int = 1) -> Any:
    return heard(
        VerificationRequested(
            pipeline=Pipeline("shop"),
            stage=Stage("staging"),
            verification=named(f"verification {number}"),
            run=RUN,
            revision=1,
            step="web",
            targets=(),
            deadline=START + timedelta(minutes=1),
            private_addresses=True,
        )
    )


def ending() -> Any:
    about = {"pipeline": Pipeline("shop"), "stage": Stage("staging"), "run": RUN, "revision": 1}
    return heard(RunCancelling(**about, kind="deploy", actor="ann", reason="no"))


def handlers(database: Database) -> Handlers:
    return Handlers(ServiceDatabase(database, "verifier"))


def claim(number: int = 1) -> Claim:
    request = asked(number).body
    order = Order(derive(request.verification, KIND), KIND, "shop", request.model_dump(mode="json"))
    return Claim(order, fence=1, attempts=0)


async def in_hand(database: Database, *numbers: int) -> None:
    """Verifications that `here` has begun."""
    for number in numbers:
        await handlers(database).verification_requested(asked(number))
    async with database.begin() as (connection, _):
        await connection.execute(sa.update(work).values(state="claimed", worker="here", fence=1))


def worker(database: Database) -> VerifyWorker:
    db = ServiceDatabase(database, "verifier")
    rounds = Rounds(Nobody(), FakeObserver(), FakeCommands(), database.clock)
    return VerifyWorker(db, Workers(db, "here", slots=2), rounds)


class Nobody:
    """Is never asked."""

    async def ask(self, probe: object) -> Any:
        raise AssertionError(f"{probe} was asked")

    async def connect(self, connection: object) -> Any:
        raise AssertionError(f"{connection} was made")


async def test_a_verdict_beside_the_end_of_its_run(replicas: Replicas) -> None:
    await in_hand(replicas.database, 1, 2)
    halting = Halting(replicas.database, "UPDATE work SET state")
    ends = await meet(
        replicas,
        halting,
        worker(halting).give_up(claim(2), "the prober broke"),
        handlers(replicas.another()).run_ended(ending()),
    )
    assert ends == [None, None]
    assert len(await read(replicas.database, sa.select(outbox.c.id))) == 1
    assert await read(replicas.database, sa.select(tables.verifications.c.work)) == []
    reasons = await read(replicas.database, sa.select(work.c.cancel_reason).where(work.c.state != "done"))
    assert reasons == [("the run is over",)]


async def test_the_end_of_a_run_beside_a_verdict(replicas: Replicas) -> None:
    await in_hand(replicas.database, 1)
    halting = Halting(replicas.database, "FROM verifications")
    ends = await meet(
        replicas,
        halting,
        handlers(halting).run_ended(ending()),
        worker(replicas.another()).give_up(claim(), "the prober broke"),
    )
    assert ends == [None, None]
    assert await read(replicas.database, sa.select(tables.verifications.c.work)) == []


async def test_after_the_end_of_its_run_no_verdict_is_said(replicas: Replicas) -> None:
    await in_hand(replicas.database, 1)
    await handlers(replicas.another()).run_ended(ending())
    await worker(replicas.database).give_up(claim(), "the prober broke")
    assert await read(replicas.database, sa.select(outbox.c.id)) == []
    assert await read(replicas.database, sa.select(work.c.state)) == [("done",)]


async def test_one_asked_for_twice_at_once_is_probed_once(replicas: Replicas) -> None:
    halting = Halting(replicas.database, "INSERT INTO verifications")
    second = asked()
    ends = await meet(
        replicas,
        halting,
        handlers(halting).verification_requested(asked()),
        handlers(replicas.another()).verification_requested(second),
    )
    assert ends == [None, None]
    assert len(await read(replicas.database, sa.select(work.c.id))) == 1
    assert len(await read(replicas.database, sa.select(tables.verifications.c.work))) == 1
