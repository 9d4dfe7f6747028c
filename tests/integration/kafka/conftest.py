"""A fresh database and topics of one's own, on the servers of the whole run."""

from collections.abc import AsyncIterator

import pytest

from shared.bus.kafka import KafkaSettings
from shared.bus.kafka.topics import create_topics
from shared.clock import SystemClock
from shared.db import metadata
from shared.db.postgres import PostgresDatabase, PostgresSettings
from tests.contract.notes import lay_out

FROZEN_SECONDS = 1.0  # after which the database gives up a transaction that does nothing


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[PostgresDatabase]:
    database = PostgresDatabase(postgres_url, SystemClock())
    async with database.writer.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await lay_out(database)
    yield database
    await database.close()


@pytest.fixture
async def impatient(postgres_url: str, database: PostgresDatabase) -> AsyncIterator[PostgresDatabase]:
    """The same database, which gives up a transaction that does nothing for a moment."""
    limits = PostgresSettings(idle_in_transaction_seconds=FROZEN_SECONDS)
    impatient = PostgresDatabase(postgres_url, database.clock, limits)
    yield impatient
    await impatient.close()


@pytest.fixture
async def settings(kafka_address: str, kafka_prefix: str) -> KafkaSettings:
    settings = KafkaSettings(kafka=kafka_address, kafka_prefix=kafka_prefix, kafka_partitions=2)
    await create_topics(settings)
    return settings
