"""Replicas of ingest that take deliveries and registrations at the same moment."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from services.ingest import tables
from services.ingest.acceptance import Answer, Delivery
from services.ingest.app import build
from services.ingest.settings import IngestSettings
from services.ingest.store import IngestStore
from shared.access import Access
from shared.db import Database, Parameters, Reading, ServiceDatabase
from shared.db.tables import outbox
from shared.events import PushReceived
from shared.web.application import make_app
from shared.web.vitals import Vitals
from tests.builders import push
from tests.integration.replicas import Halting, Replicas, meet, read
from tests.unit.ingest import test_acceptance

SAID = sa.select(outbox.c.id)
PUSHES = sa.select(sa.func.count()).select_from(tables.pushes)
TOKEN = "ann's"


def delivery(id_: str, commit: str = "a") -> Delivery:
    return test_acceptance.delivery(id_, test_acceptance.moved(commit), commit)


def store(database: Database) -> IngestStore:
    return IngestStore(ServiceDatabase(database, "ingest"))


def results(answers: list[Answer]) -> list[str]:
    return [answer.document["result"] for answer in answers]


AT_ONCE: dict[str, tuple[list[Delivery], list[Delivery], list[str], int]] = {
    "the same delivery": ([delivery("1")], [delivery("1")], ["accepted"], 1),
    "the same push under two ids": ([delivery("1")], [delivery("2")], ["known already"], 1),
    "the same two in another order": (
        [delivery("1", "a"), delivery("2", "b")],
        [delivery("2", "b"), delivery("1", "a")],
        ["accepted", "accepted"],
        2,
    ),
    "one of them among others": (
        [delivery("1", "a")],
        [delivery("2", "b"), delivery("1", "a"), delivery("3", "a")],
        ["accepted", "accepted", "known already"],
        2,
    ),
}


@pytest.mark.parametrize("case", AT_ONCE)
@pytest.mark.parametrize("after", ["INSERT INTO ingest_pushes", "INSERT INTO ingest_deliveries"])
async def test_deliveries_at_two_replicas_are_news_once(replicas: Replicas, case: str, after: str) -> None:
    ours, theirs, told, news = AT_ONCE[case]
    halting = Halting(replicas.database, after)
    first, second = await meet(
        replicas, halting, store(halting).accept(ours), store(replicas.another()).accept(theirs)
    )
    assert results(first) == ["accepted"] * len(ours)
    assert results(second) == told
    assert len(await read(replicas.database, SAID)) == news
    assert await read(replicas.database, PUSHES) == [(news,)]


class Outrun(Halting):
    """A replica that another is always quicker than: it accepts one more before each transaction."""

    def __init__(self, database: Database, quicker: list[Delivery]) -> None:
        super().__init__(database, "")
        self._others = store(database)
        self._left_to_them = quicker

    @asynccontextmanager
    async def begin(self, *, reserved: bool = False) -> AsyncIterator[tuple[Reading, set[str]]]:
        if self._left_to_them:
            await self._others.accept([self._left_to_them.pop(0)])
        async with super().begin(reserved=reserved) as opened:
            yield opened

    async def passed(self, statement: sa.Executable, parameters: Parameters | None = None) -> None:
        """Go on."""


async def test_a_group_is_accepted_however_often_others_are_quicker(replicas: Replicas) -> None:
    group = [delivery(str(number), "abcdef"[number]) for number in range(6)]
    answers = await store(Outrun(replicas.database, group[:5])).accept(group)
    assert results(answers) == ["accepted"] * 6
    assert await read(replicas.database, PUSHES) == [(6,)]


class Noting(Halting):
    """Keeps which rows were inserted, in their order."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "")
        self.inserted: list[str] = []

    async def passed(self, statement: sa.Executable, parameters: Parameters | None = None) -> None:
        if "INSERT INTO ingest_deliveries" in str(statement) and isinstance(parameters, list):
            self.inserted += [row["delivery"] for row in parameters]


async def test_deliveries_are_written_in_one_order_whatever_order_they_came_in(replicas: Replicas) -> None:
    """Two groups with the same in another order would wait for each other."""
    noting = Noting(replicas.database)
    answers = await store(noting).accept([delivery(id_, "a") for id_ in "312"])
    assert results(answers) == ["accepted", "known already", "known already"]
    assert noting.inserted == ["1", "2", "3"]


async def test_a_deployment_asked_for_twice_at_once_is_one_push(replicas: Replicas) -> None:
    asked: PushReceived = push("acme/shop")
    halting = Halting(replicas.database, "INSERT INTO ingest_deliveries")
    first, second = await meet(
        replicas, halting, store(halting).ask(asked, "x"), store(replicas.another()).ask(asked, "x")
    )
    assert first == second
    assert len(await read(replicas.database, SAID)) == 1


async def client(database: Database, folder: Path) -> httpx.AsyncClient:
    service = build(database, IngestSettings(data=folder))
    app: FastAPI = make_app([service], Vitals(database))
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://windlass.test",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )


@pytest.mark.parametrize(
    ("remotes", "answers", "names"),
    [
        pytest.param(("one/shop",) * 2, [201, 409], ["one/shop"], id="the same"),
        pytest.param(("a/b/shop", "c/b/shop"), [201, 201], ["b/shop", "b/shop-2"], id="of the same name"),
    ],
)
async def test_repositories_registered_at_once(
    replicas: Replicas, tmp_path: Path, remotes: tuple[str, str], answers: list[int], names: list[str]
) -> None:
    await Access(replicas.database).grant("ann", TOKEN)
    halting = Halting(replicas.database, "INSERT INTO ingest_repositories")
    first, second = await client(halting, tmp_path), await client(replicas.another(), tmp_path)
    bodies = [{"remote": f"https://git.example/{remote}"} for remote in remotes]
    async with first, second:
        ends = await meet(
            replicas,
            halting,
            first.post("/api/v1/repositories", json=bodies[0]),
            second.post("/api/v1/repositories", json=bodies[1]),
        )
    assert [end.status_code for end in ends] == answers, ends[1].text
    if 409 in answers:
        assert ends[1].json()["type"].endswith("registered-already")
    rows = await read(replicas.database, sa.select(tables.repositories.c.name))
    assert sorted(name for (name,) in rows) == names
