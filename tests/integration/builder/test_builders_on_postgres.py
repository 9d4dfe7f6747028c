"""Several builders on one PostgreSQL hear requests for one artifact while it is being finished."""

import asyncio
from uuid import UUID

import sqlalchemy as sa

from deploy.migrations.postgres import bring_up_to_date
from services.builder import tables
from services.builder.handlers import Builder
from shared.artifacts import FakeArtifactStore
from shared.clock import SystemClock
from shared.db import Cause, ServiceDatabase
from shared.db.postgres import PostgresDatabase
from shared.db.tables import outbox
from tests.integration.builder.test_two_builders import all_rows, finish_build, request

REPLICAS = 4


async def test_of_requests_heard_at_once_each_is_answered_and_one_build_is_made(postgres_url: str) -> None:
    database = PostgresDatabase(postgres_url, SystemClock())
    try:
        await bring_up_to_date(database)
        builders = [
            Builder(ServiceDatabase(database, "builder"), FakeArtifactStore()) for _ in range(REPLICAS)
        ]
        messages = [request(revision) for revision in range(1, 13)]
        first = asyncio.gather(
            *(builders[n % REPLICAS].build_requested(each) for n, each in enumerate(messages[:6]))
        )
        await first

        async def finish() -> None:
            async with builders[0].db.transaction(Cause(UUID(int=5)), "finish") as tx:
                await finish_build(tx)

        await asyncio.gather(
            finish(), *(builders[n % REPLICAS].build_requested(each) for n, each in enumerate(messages[6:]))
        )
        attempts = await all_rows(database, sa.select(tables.builds.c.attempt, tables.builds.c.state))
        assert attempts == [(1, "built")]
        owed = sa.select(tables.requests.c.revision).where(sa.not_(tables.requests.c.answered))
        assert await all_rows(database, owed) == []
        assert len(await all_rows(database, sa.select(outbox.c.id))) == len(messages)
    finally:
        await database.close()
