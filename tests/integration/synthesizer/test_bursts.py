"""Pushes that come all at once: each has its own decision, in order, and few commits have them all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from services.synthesizer.handlers import Synthesizer
from services.synthesizer.push_worker import BESIDE_MAX
from shared.db import ServiceDatabase
from shared.db.tables import inbox, work
from shared.events import Message, PlanRejected, PushReceived, RevisionPlanned, RevisionSkipped
from shared.git import GitMirrors
from shared.ids import Commit, Repository
from tests.builders import START, named
from tests.integration.replicas import read, until_read
from tests.integration.synthesizer.desk import PIPELINE, Desk

MANY = BESIDE_MAX + 20


async def claimed(desk: Desk) -> int:
    """Return how many orders were claimed; all others were done along with one of them."""
    async with desk.scene.database.reading() as reading:
        query = sa.select(sa.func.count()).select_from(work).where(work.c.fence > 0, work.c.state == "done")
        return int((await reading.execute(query)).scalar_one())


@asynccontextmanager
async def unseen(desk: Desk, pushes: int) -> AsyncIterator[None]:
    """Have nobody look at any of so many pushes until all of them wait."""
    fetch, all_wait = GitMirrors.fetch, asyncio.Event()

    async def fetch_later(*words: Any, **more: Any) -> Any:
        await all_wait.wait()
        return await fetch(*words, **more)

    orders = sa.select(work.c.id)  # one for each push that was heard of
    before = len(await read(desk.scene.database, orders))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GitMirrors, "fetch", fetch_later)
        yield
        await until_read(desk.scene.database, orders, lambda rows: len(rows) >= before + pushes)
    all_wait.set()


async def answered(desk: Desk, *commits: Commit, **changes: Any) -> list[Any]:
    """Push all of them before any is looked at; return what became of each."""
    async with unseen(desk, len(commits)):
        pushes = [await desk.push(commit, **changes) for commit in commits]
    return [await desk.answer(push) for push in pushes]


def told(desk: Desk, commit: Commit) -> Message[PushReceived]:
    push = PushReceived(
        push=named(commit),
        repository=Repository("acme/shop"),
        remote=desk.repository.remote,
        branch="main",
        commit=commit,
        trigger="push",
        received_at=START,
    )
    return Message(named(f"of {commit}"), START, "", "", push.key, "", None, "", push)


@pytest.mark.timeout(240)  # each commit takes git several programs, each push the disk a while
async def test_each_push_of_a_burst_is_planned_in_order_and_most_along_with_another(desk: Desk) -> None:
    commits = [desk.commit(note=str(number)) for number in range(MANY)]
    answers = await answered(desk, *commits)
    assert [type(answer) for answer in answers] == [RevisionPlanned] * MANY
    assert [answer.commit for answer in answers] == commits
    assert [answer.revision for answer in answers] == list(range(1, MANY + 1))
    assert await claimed(desk) < MANY / 4


async def test_in_a_burst_a_decision_rests_on_the_one_before_it(desk: Desk) -> None:
    one, two, three = (desk.commit(note=str(number)) for number in range(3))
    broken = desk.commit(pipeline=PIPELINE + b"    - name: Say\n")
    async with unseen(desk, 5):
        pushes = [await desk.push(commit) for commit in (one, three, two, broken)]
        pushes.append(await desk.push(three, pusher="bob"))
    answers = [await desk.answer(push) for push in pushes]
    assert [type(answer) for answer in answers] == [
        RevisionPlanned,
        RevisionPlanned,
        RevisionSkipped,
        PlanRejected,
        RevisionSkipped,
    ]
    assert (answers[2].contained_in, answers[4].contained_in) == (2, 2)
    assert await claimed(desk) < 5
    assert await desk.marks() == [("refs/heads/main", three)]


async def test_a_burst_to_a_pipeline_that_is_there_already(desk: Desk) -> None:
    await answered(desk, desk.commit(note="first"))
    commits = [desk.commit(note=str(number)) for number in range(5)]
    assert [answer.revision for answer in await answered(desk, *commits)] == [2, 3, 4, 5, 6]


async def test_a_push_whose_commit_did_not_come_along_has_a_turn_of_its_own(desk: Desk) -> None:
    here, beside = desk.commit(note="1"), desk.commit(note="2", branch="feature")
    last = desk.commit(note="3")
    pushes = [
        await desk.push(here),
        await desk.push(Commit("ab" * 20)),
        await desk.push(beside, branch="feature"),
        await desk.push(last),
    ]
    kinds = [type(await desk.answer(push)).__name__ for push in pushes]
    assert kinds == ["RevisionPlanned", "PushRefused", "RevisionSkipped", "RevisionPlanned"]
    assert await claimed(desk) >= 3


async def test_pushes_that_are_heard_together_and_again_are_ordered_once(desk: Desk) -> None:
    synthesizer = Synthesizer(ServiceDatabase(desk.scene.database, "another synthesizer"))
    heard = [told(desk, desk.commit(note=note)) for note in "123"]
    await synthesizer.pushes_received(heard[:2])
    await synthesizer.pushes_received(heard)
    async with desk.scene.database.reading() as reading:
        mine = work.c.service == "another synthesizer"
        orders = (await reading.execute(sa.select(work).where(mine).order_by(work.c.created_at))).all()
        known = sa.select(inbox).where(inbox.c.consumer_group == "another synthesizer")
        assert len((await reading.execute(known)).all()) == 3
    assert [order.payload["commit"] for order in orders] == [each.body.commit for each in heard]
