"""The broker that tests stand on takes and gives messages, and a cluster survives its nodes."""

import asyncio
from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.kafka import Cluster
from tests.servers import kafka

pytestmark = pytest.mark.timeout(240)  # a broker is started, some of them more than once


async def create(address: str, topic: str, replicas: int = 1) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=replicas)])
    await admin.close()


async def give(address: str, topic: str, message: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address, acks="all", enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, message)


async def first(address: str, topic: str) -> bytes | None:
    """Read without a group, as that needs nothing but the partition's leader."""
    async with AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        async with asyncio.timeout(90):
            message: bytes | None = (await consumer.getone()).value
            return message


async def test_a_message_is_given_to_a_group_that_subscribes(kafka_address: str, kafka_prefix: str) -> None:
    topic = f"{kafka_prefix}letters"
    await create(kafka_address, topic)
    await give(kafka_address, topic, b"hello")
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka_address,
        group_id=f"{kafka_prefix}readers",
        auto_offset_reset="earliest",
        session_timeout_ms=2000,
        heartbeat_interval_ms=500,
    )
    async with consumer, asyncio.timeout(90):
        assert (await consumer.getone()).value == b"hello"


async def test_a_node_that_was_killed_comes_back_with_what_it_acknowledged(
    own_kafka: Callable[[int], Cluster],
) -> None:
    cluster = own_kafka(1)
    await asyncio.to_thread(cluster.start)
    await create(cluster.bootstrap, "letters")
    await give(cluster.bootstrap, "letters", b"hello")
    await asyncio.to_thread(cluster.kill, 1)
    assert cluster.running == {}
    await asyncio.to_thread(cluster.start, 1)
    assert await first(cluster.bootstrap, "letters") == b"hello"


async def test_the_topics_of_a_test_go_when_it_ends(kafka_address: str) -> None:
    prefix = kafka.fresh_prefix()
    await create(kafka_address, f"{prefix}letters")
    await kafka.forget(kafka_address, prefix)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_address)
    await admin.start()
    assert not [topic for topic in await admin.list_topics() if topic.startswith(prefix)]
    await admin.close()
