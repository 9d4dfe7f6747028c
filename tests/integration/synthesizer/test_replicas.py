"""Replicas of the synthesizer that decide for one pipeline at the same moment."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from services.synthesizer import tables
from services.synthesizer.ancestry import Mark
from services.synthesizer.store import Decided, Store, Verdict, read_known
from shared.db import Cause, Database, ServiceDatabase
from shared.db.tables import outbox
from shared.events import PlanRejected, RevisionPlanned, RevisionSkipped
from shared.faults import TryAgain
from shared.ids import Commit, Pipeline, Repository
from shared.plan import Problem
from tests.builders import START, named
from tests.integration.deployer.stand import plan
from tests.integration.replicas import Halting, Replicas, meet, read

SAID = sa.select(outbox.c.type, outbox.c.subject).order_by(outbox.c.position)


def about(push: str, pipeline: str, repository: str) -> dict[str, Any]:
    return {
        "push": named(push),
        "pipeline": Pipeline(pipeline),
        "repository": Repository(repository),
        "branch": "main",
        "commit": Commit("4f" * 20),
    }


def planned(push: str, revision: int, pipeline: str = "shop", repository: str = "acme/shop") -> Decided:
    more = {"plan_hash": f"{push}{revision}", "plan": plan(revision), "received_at": START, "pusher": "ann"}
    named_ = {"title": "", "author": "", "trigger": "push"}
    return RevisionPlanned(**about(push, pipeline, repository), revision=revision, **more, **named_)


def rejected(push: str, pipeline: str = "shop") -> Decided:
    problem = Problem(file="pipeline.yaml", line=1, column=1, message="no")
    return PlanRejected(**about(push, pipeline, "acme/shop"), problems=(problem,))


def untouched(push: str, pipeline: str = "shop") -> Decided:
    return RevisionSkipped(
        **about(push, pipeline, "acme/shop"), reason="untouched", message="as in revision 1"
    )


def mark_of(decided: Decided) -> Mark | None:
    """Return how far `main` has come by a decision."""
    if isinstance(decided, RevisionPlanned):
        return Mark("refs/heads/main", decided.commit, decided.revision)
    is_untouched = isinstance(decided, RevisionSkipped) and decided.reason == "untouched"
    return Mark("refs/heads/main", decided.commit, 1, untouched=True) if is_untouched else None


def skipped(push: str, pipeline: str = "shop") -> Decided:
    said = {"reason": "contained", "contained_in": 1, "message": "it is in revision 1"}
    return RevisionSkipped(**about(push, pipeline, "acme/shop"), **said)


async def decide(database: Database, *decisions: Decided) -> None:
    """Write what was decided from the state that is committed now."""
    db = ServiceDatabase(database, "synthesizer")
    async with db.reading() as reading:
        seen = {each.pipeline: await read_known(reading, each.pipeline) for each in decisions}
    await write(database, seen, *decisions)


async def write(database: Database, seen: dict[Any, Any], *decisions: Decided) -> None:
    db = ServiceDatabase(database, "synthesizer")
    async with db.transaction(Cause(decisions[0].push), "deciding") as tx:
        store = Store(tx)
        await store.lock(each.pipeline for each in decisions)
        for each in decisions:
            await store.keep(Verdict(each, seen.get(each.pipeline), "main", mark_of(each)))


@pytest.mark.parametrize("numbers", [pytest.param([], id="the first"), pytest.param([1], id="a later")])
@pytest.mark.parametrize(
    "second",
    [
        pytest.param(planned, id="planned"),
        pytest.param(lambda push, _: rejected(push), id="rejected"),
        pytest.param(lambda push, _: untouched(push), id="untouched"),
    ],
)
async def test_who_decides_second_looks_again(
    replicas: Replicas, numbers: list[int], second: Callable[[str, int], Decided]
) -> None:
    """The commit may be in the newest revision by now, or differ from it in what it did not before."""
    for number in numbers:
        await decide(replicas.database, planned(f"push {number}", number))
    halting = Halting(replicas.database, "INSERT INTO decisions")
    following = len(numbers) + 1
    ends = await meet(
        replicas,
        halting,
        decide(halting, planned("here", following)),
        decide(replicas.another(), second("there", following)),
    )
    assert ends[0] is None
    assert isinstance(ends[1], TryAgain)
    decided = sa.select(tables.decisions.c.revision).order_by(tables.decisions.c.revision)
    assert await read(replicas.database, decided) == [(number,) for number in [*numbers, following]]
    assert [subject for _, subject in await read(replicas.database, SAID)] == ["shop"] * following


async def test_a_push_that_is_rejected_first_is_said_first(replicas: Replicas) -> None:
    halting = Halting(replicas.database, "INSERT INTO decisions")
    ends = await meet(
        replicas, halting, decide(halting, rejected("1")), decide(replicas.another(), planned("2", 1))
    )
    assert ends == [None, None]
    said = [type_ for type_, _ in await read(replicas.database, SAID)]
    assert said == [PlanRejected.type, RevisionPlanned.type]


async def test_a_push_that_is_decided_elsewhere_meanwhile_gets_no_second_decision(replicas: Replicas) -> None:
    halting = Halting(replicas.database, "INSERT INTO decisions")
    ends = await meet(
        replicas, halting, decide(halting, planned("1", 1)), decide(replicas.another(), skipped("1"))
    )
    assert ends == [None, None]
    assert [type_ for type_, _ in await read(replicas.database, SAID)] == [RevisionPlanned.type]


async def test_two_repositories_that_want_one_name_at_once(replicas: Replicas) -> None:
    halting = Halting(replicas.database, "INSERT INTO pipelines")
    ends = await meet(
        replicas,
        halting,
        decide(halting, planned("1", 1)),
        decide(replicas.another(), planned("2", 1, repository="other/shop")),
    )
    assert ends[0] is None
    assert isinstance(ends[1], TryAgain)
    owners = await read(replicas.database, sa.select(tables.pipelines.c.repository))
    assert owners == [("acme/shop",)]


async def test_pushes_for_the_same_pipelines_in_another_order_do_not_wait_for_each_other(
    replicas: Replicas,
) -> None:
    halting = Halting(replicas.database, "INSERT INTO pipelines")
    ends = await meet(
        replicas,
        halting,
        decide(halting, planned("1", 1, "a"), planned("1", 1, "b")),
        decide(replicas.another(), planned("2", 1, "b"), planned("2", 1, "a")),
    )
    assert ends[0] is None
    assert isinstance(ends[1], TryAgain)
    assert "another push gave pipeline" in str(ends[1])


async def test_what_is_behind_a_commit_that_changed_nothing_is_looked_at_again(replicas: Replicas) -> None:
    """The later commit spoke for the earlier one, which would undo what it says."""
    await decide(replicas.database, planned("push", 1))
    halting = Halting(replicas.database, "INSERT INTO decisions")
    ends = await meet(
        replicas,
        halting,
        decide(halting, untouched("later")),
        decide(replicas.another(), planned("earlier", 2)),
    )
    assert ends[0] is None
    assert isinstance(ends[1], TryAgain)
    marks = sa.select(tables.marks.c.ref, tables.marks.c.revision, tables.marks.c.untouched)
    assert await read(replicas.database, marks) == [("refs/heads/main", 1, True)]
