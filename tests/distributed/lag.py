"""How far the consumer groups are behind, as the brokers know it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from shared.events.topics import TOPICS
from tests.distributed.fleet import ROSTER, Ground

REQUEST_MILLISECONDS = 10_000


async def lag_of(ground: Ground) -> list[str]:
    """Return which groups have messages before them, as sentences."""
    try:
        return await _lag_of(ground)
    except (KafkaError, OSError) as fault:
        return [f"the brokers do not answer: {fault!r}"]


async def _lag_of(ground: Ground) -> list[str]:
    behind = []
    async with reader(ground) as consumer, admin(ground) as asked:
        ends = await ends_of(ground, consumer)
        for service in ROSTER:
            committed = await asked.list_consumer_group_offsets(group_of(ground, service))
            topics = {partition.topic for partition in committed}
            lag = sum(
                end - max(committed[partition].offset if partition in committed else 0, 0)
                for partition, end in ends.items()
                if partition.topic in topics
            )
            if lag:
                behind.append(f"{service} has {lag} messages before it")
    return behind


async def ends_of(ground: Ground, consumer: AIOKafkaConsumer) -> Mapping[TopicPartition, int]:
    """Return where each of our partitions ends."""
    async with admin(ground) as asked:
        topics = await asked.describe_topics([f"{ground.prefix}{topic}" for topic in TOPICS])
    partitions = [
        TopicPartition(each["topic"], partition["partition"])
        for each in topics
        for partition in each["partitions"]
    ]
    assert partitions, "there are topics"
    ends: Mapping[TopicPartition, int] = await consumer.end_offsets(partitions)
    return ends


def group_of(ground: Ground, service: str) -> str:
    """Return a service's consumer group on the brokers."""
    return f"{ground.prefix}windlass.{service}"


@asynccontextmanager
async def reader(ground: Ground, group: str | None = None) -> AsyncIterator[AIOKafkaConsumer]:
    """Open a consumer that is given its partitions by hand."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=ground.kafka,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=REQUEST_MILLISECONDS,
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


@asynccontextmanager
async def admin(ground: Ground) -> AsyncIterator[AIOKafkaAdminClient]:
    """Open a client for what is about the brokers themselves."""
    client = AIOKafkaAdminClient(bootstrap_servers=ground.kafka, request_timeout_ms=REQUEST_MILLISECONDS)
    await client.start()
    try:
        yield client
    finally:
        await client.close()
