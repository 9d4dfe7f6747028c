"""Replicas of the deployer that act on one pipeline at the same moment."""

from typing import Any
from uuid import uuid5

import pytest
import sqlalchemy as sa

from services.deployer import tables
from services.deployer.adapters.fakes import FakeCarrier
from services.deployer.app import workers_by_kind
from services.deployer.handlers import Deployer
from services.deployer.run_state import State
from shared.db import Database, ServiceDatabase
from shared.db.tables import outbox, work
from shared.events import ArtifactBuilt, OperationRequested, RevisionPlanned, StageDeclared
from shared.ids import BuildKey, Digest, Pipeline, Stage
from shared.step_types import STEP_TYPES
from shared.work import Workers
from tests.contract.installation import running
from tests.integration.deployer.stand import ROOT, plan, planned, step
from tests.integration.replicas import Halting, Replicas, heard, meet, read, until

RUNS = sa.select(tables.runs.c.revision, tables.runs.c.stage, tables.runs.c.state, tables.runs.c.ready)
STATES = RUNS.where(tables.runs.c.stage == "staging").order_by(tables.runs.c.revision)
TYPES = sa.select(outbox.c.type).order_by(outbox.c.position)
ONE_STEP = (step("migrate"),)


def deployer(database: Database) -> Deployer:
    return Deployer(ServiceDatabase(database, "deployer"), lambda _at: None)


def one(revision: int, *stages: str) -> RevisionPlanned:
    """A revision with one step in each stage."""
    return planned(revision, plan(revision, steps=ONE_STEP, stages=stages or ("staging", "production")))


async def built(database: Database, revision: int = 1) -> Any:
    """The builder's answer to what the revision's run has asked for."""
    query = sa.select(tables.artifacts.c.request).where(tables.artifacts.c.revision == revision)
    ((request,),) = await read(database, query)
    return heard(
        ArtifactBuilt(
            build_key=BuildKey(f"key-{revision}"),
            request=request,
            pipeline=Pipeline("shop"),
            revision=revision,
            artifact="web",
            digest=Digest(f"sha256:{revision:064x}"),
            size_bytes=1,
            reused=False,
            built_by=revision,
            duration_seconds=0.1,
        )
    )


def cancel(stage: str = "staging") -> Any:
    operation = uuid5(ROOT, f"cancel {stage}")
    about = {"pipeline": Pipeline("shop"), "stage": Stage(stage), "operation": operation}
    return heard(OperationRequested(**about, kind="cancel", actor="ada", reason="wrong branch"))


@pytest.mark.parametrize("after", ["INSERT INTO stages", "INSERT INTO runs", "UPDATE runs"])
async def test_the_first_two_revisions_of_a_pipeline_come_at_once(replicas: Replicas, after: str) -> None:
    halting = Halting(replicas.database, after)
    ends = await meet(
        replicas,
        halting,
        deployer(halting).revision_planned(heard(one(1))),
        deployer(replicas.another()).revision_planned(heard(one(2, "production", "staging"))),
    )
    assert ends == [None, None]
    assert await read(replicas.database, STATES) == [
        (1, "staging", State.IN_PROGRESS, True),
        (2, "staging", State.NOT_STARTED, False),
    ]
    ((production,),) = await read(
        replicas.database,
        sa.select(tables.runs.c.state).where(
            tables.runs.c.revision == 2, tables.runs.c.stage == "production"
        ),
    )
    assert production == State.IN_PROGRESS


async def test_of_two_revisions_that_come_at_once_one_holds_the_stage_and_the_other_waits(
    replicas: Replicas,
) -> None:
    await deployer(replicas.database).revision_planned(heard(one(1)))
    halting = Halting(replicas.database, "INSERT INTO runs")
    ends = await meet(
        replicas,
        halting,
        deployer(halting).revision_planned(heard(one(3))),
        deployer(replicas.another()).revision_planned(heard(one(2))),
    )
    assert ends == [None, None]
    assert await read(replicas.database, STATES) == [
        (1, "staging", State.IN_PROGRESS, True),
        (2, "staging", State.SUPERSEDED, False),
        (3, "staging", State.NOT_STARTED, True),
    ]


async def test_a_stage_that_a_revision_brings_is_known_to_whoever_waited_for_it(replicas: Replicas) -> None:
    await deployer(replicas.database).revision_planned(heard(one(1, "staging")))
    answer = await built(replicas.database)
    halting = Halting(replicas.database, "INSERT INTO runs")
    ends = await meet(
        replicas,
        halting,
        deployer(halting).revision_planned(heard(one(2, "canary", "staging"))),
        deployer(replicas.another()).artifact_built(answer),
    )
    assert ends == [None, None]
    assert sorted(await read(replicas.database, RUNS)) == [
        (1, "staging", State.IN_PROGRESS, True),
        (2, "canary", State.IN_PROGRESS, True),
        (2, "staging", State.NOT_STARTED, False),
    ]


async def test_a_revision_that_moves_stages_does_not_wait_for_one_who_waits_for_it(
    replicas: Replicas,
) -> None:
    await deployer(replicas.database).revision_planned(heard(one(1, "staging", "production")))
    answer = await built(replicas.database)
    halting = Halting(replicas.database, "UPDATE stages")
    ends = await meet(
        replicas,
        halting,
        deployer(halting).revision_planned(heard(one(2, "staging", "canary", "production"))),
        deployer(replicas.another()).artifact_built(answer),
    )
    assert ends == [None, None]
    told = [each for (each,) in await read(replicas.database, TYPES) if each == StageDeclared.type]
    assert len(told) == 4


async def test_the_same_event_at_two_replicas_is_taken_by_one(replicas: Replicas) -> None:
    halting = Halting(replicas.database, "INSERT INTO inbox")
    ends = await meet(
        replicas,
        halting,
        deployer(halting).revision_planned(heard(one(1))),
        deployer(replicas.another()).revision_planned(heard(one(1))),
    )
    assert ends == [None, None]
    assert len(await read(replicas.database, STATES)) == 1


async def test_a_step_ends_while_its_run_is_cancelled(replicas: Replicas) -> None:
    await deployer(replicas.database).revision_planned(heard(one(1, "staging")))
    await deployer(replicas.database).artifact_built(await built(replicas.database))
    halting = Halting(replicas.database, "UPDATE work SET state")  # the claim, then the end
    carrier, acting = FakeCarrier(), deployer(halting)
    workers = Workers(acting.db, "one", slots=1)
    halting.left = 2
    by_kind = workers_by_kind(acting, workers, dict.fromkeys(STEP_TYPES, carrier))

    def all_done() -> bool:
        return not replicas.look(sa.select(work.c.id).where(work.c.state != "done"))

    def let_time_pass() -> None:
        if halting.go_on.is_set() or not halting.halted.is_set():  # however long the two take to meet
            replicas.clock.advance(0.2)

    async def work_until_done() -> None:
        async with running(workers.run(by_kind)):  # also past the pause of an order that was put back
            await until(all_done, let_time_pass)

    ends = await meet(
        replicas, halting, work_until_done(), deployer(replicas.another()).operation_requested(cancel())
    )
    assert ends == [None, None]
    attempts = await read(replicas.database, sa.select(work.c.attempts))
    assert attempts == [(0,)]
    assert await read(replicas.database, STATES) == [(1, "staging", State.SUCCEEDED, True)]


async def test_two_replicas_resume_a_pipeline_beside_a_handler(replicas: Replicas) -> None:
    await deployer(replicas.database).revision_planned(heard(one(1)))
    halting = Halting(replicas.database, "UPDATE revision_artifacts")
    ends = await meet(
        replicas,
        halting,
        deployer(halting).artifact_built(await built(replicas.database)),
        deployer(replicas.another()).resume(),
    )
    assert ends[0] is None
    assert not isinstance(ends[1], BaseException)
    assert await read(replicas.database, sa.select(sa.func.count()).select_from(work)) == [(1,)]
