"""The topics as they come to be."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.bus.kafka import KafkaSettings
from shared.bus.kafka.topics import create_topics, missing_topics
from shared.clock import SystemClock
from shared.events.topics import TOPICS, Topic

pytestmark = pytest.mark.timeout(240)  # whoever comes first waits for a broker to start


def fresh(kafka_address: str, kafka_prefix: str, partitions: int) -> KafkaSettings:
    return KafkaSettings(kafka=kafka_address, kafka_prefix=kafka_prefix, kafka_partitions=partitions)


async def comes_true(ask: Callable[[], Awaitable[object]], wanted: object) -> None:
    """Ask until every broker knows what the controller has decided."""
    async with asyncio.timeout(45):
        while await ask() != wanted:
            await SystemClock().sleep(0.05)


async def config_of(settings: KafkaSettings, topic: Topic) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        wanted = ConfigResource(ConfigResourceType.TOPIC, settings.topic(topic))
        (answer,) = await admin.describe_configs([wanted])
    finally:
        await admin.close()
    ((*_, entries),) = answer.resources
    return {entry[0]: entry[1] for entry in entries}


async def test_topics_are_made_once_however_often_it_is_asked(kafka_address: str, kafka_prefix: str) -> None:
    settings = fresh(kafka_address, kafka_prefix, 2)
    assert len(await missing_topics(settings)) == len(TOPICS)
    first = await create_topics(settings)
    assert [(each.partitions, each.outcome) for each in first] == [(2, "created")] * len(TOPICS)
    assert {each.outcome for each in await create_topics(settings)} == {"there"}
    await comes_true(lambda: missing_topics(settings), [])


async def test_partitions_only_grow_and_only_when_that_is_said(kafka_address: str, kafka_prefix: str) -> None:
    await create_topics(fresh(kafka_address, kafka_prefix, 2))
    more = fresh(kafka_address, kafka_prefix, 4)
    assert {(each.partitions, each.outcome) for each in await create_topics(more)} == {(2, "differs")}
    assert {(each.partitions, each.outcome) for each in await create_topics(more, grow=True)} == {
        (4, "grown")
    }

    async def fewer() -> set[tuple[int, str]]:
        asked = await create_topics(fresh(kafka_address, kafka_prefix, 1), grow=True)
        return {(each.partitions, each.outcome) for each in asked}

    await comes_true(fewer, {(4, "differs")})


async def test_what_differs_is_said_as_a_wish_and_copies_too(kafka_address: str, kafka_prefix: str) -> None:
    await create_topics(fresh(kafka_address, kafka_prefix, 2))
    wanted = fresh(kafka_address, kafka_prefix, 3).model_copy(update={"kafka_replication": 3})
    copies = "replication is 1, 3 wanted: kafka-reassign-partitions"
    assert {each.note for each in await create_topics(wanted)} == {f"3 wanted: see --grow; {copies}"}
    fewer = {each.note for each in await create_topics(fresh(kafka_address, kafka_prefix, 1))}
    assert fewer == {"1 wanted: they are never taken away"}
    same = wanted.model_copy(update={"kafka_partitions": 2})
    assert {(each.outcome, each.note) for each in await create_topics(same)} == {("there", copies)}


async def test_what_is_kept_for_how_long_is_said_to_the_brokers(
    kafka_address: str, kafka_prefix: str
) -> None:
    settings = fresh(kafka_address, kafka_prefix, 1)
    await create_topics(settings)
    stages, logs = await config_of(settings, Topic.STAGES), await config_of(settings, Topic.LOGS)
    assert stages["retention.ms"] == str(14 * 24 * 3600 * 1000)
    assert logs["retention.ms"] == str(7 * 24 * 3600 * 1000)
    assert stages["cleanup.policy"] == "delete"
    assert stages["max.message.bytes"] == str(16 * 1024 * 1024)
