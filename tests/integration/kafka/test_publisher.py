"""Outbox rows onto real topics."""

from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from shared.bus.kafka import KafkaSettings, publisher
from shared.bus.kafka.publisher import BATCH_BYTES, Publisher
from shared.events import LogAppended, PushReceived, Topic
from shared.faults import TryAgain
from tests.builders import START, named

pytestmark = pytest.mark.timeout(240)  # whoever comes first waits for a broker to start
NOWHERE = "127.0.0.1:1"  # nobody listens on it


def row(position: int, key: str, body: str = "{}") -> Any:
    return SimpleNamespace(
        position=position,
        id=named(f"event {position}"),
        type=LogAppended.type,
        topic=Topic.LOGS,
        key=key,
        subject=key,
        source="builder",
        time=START,
        correlation="shop@1",
        causation=named("its cause"),
        traceparent="",
        body=body,
    )


async def written(settings: KafkaSettings, count: int) -> list[ConsumerRecord]:
    consumer = AIOKafkaConsumer(
        settings.topic(Topic.LOGS), bootstrap_servers=settings.kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        return [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()


async def test_an_event_is_a_cloudevent_in_binary_mode(settings: KafkaSettings) -> None:
    to_topics = Publisher(settings, "a-replica")
    assert await to_topics.publish([row(7, "run/a", '{"log": "ü"}')]) == {7}
    await to_topics.close()
    (record,) = await written(settings, 1)
    assert record.key == b"run/a"
    assert record.value == '{"log": "ü"}'.encode()
    assert dict(record.headers) == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_id": str(named("event 7")).encode(),
        "ce_type": b"windlass.log.appended.v1",
        "ce_source": b"builder",
        "ce_subject": b"run/a",
        "ce_time": b"2026-03-02T09:30:00+00:00",
        "ce_partitionkey": b"run/a",
        "ce_correlationid": b"shop@1",
        "ce_causationid": str(named("its cause")).encode(),
    }


async def test_rows_keep_their_keys_order_over_many_batches(settings: KafkaSettings) -> None:
    body = '{"filler": "%s"}' % ("x" * (BATCH_BYTES // 10))
    outbox = [row(n, f"run/{n % 3}", body) for n in range(45)]
    to_topics = Publisher(settings, "a-replica")
    assert await to_topics.publish(outbox) == set(range(45))
    await to_topics.close()
    by_key: dict[bytes, list[str]] = defaultdict(list)
    for record in await written(settings, 45):
        by_key[record.key].append(dict(record.headers)["ce_id"].decode())
    for key in range(3):
        assert by_key[f"run/{key}".encode()] == [str(named(f"event {n}")) for n in range(key, 45, 3)]


async def test_an_event_larger_than_a_batch_goes_through(settings: KafkaSettings) -> None:
    body = '{"filler": "%s"}' % ("x" * 4 * BATCH_BYTES)
    to_topics = Publisher(settings, "a-replica")
    assert await to_topics.publish([row(1, "a"), row(2, "a", body), row(3, "a")]) == {1, 2, 3}
    await to_topics.close()
    assert [len(record.value) for record in await written(settings, 3)] == [2, len(body), 2]


async def test_brokers_that_are_not_there_are_a_passing_fault(settings: KafkaSettings) -> None:
    to_topics = Publisher(settings.model_copy(update={"kafka": NOWHERE}), "a-replica")
    with pytest.raises(TryAgain, match="Kafka could not be reached"):
        await to_topics.publish([row(1, "a")])
    assert NOWHERE in await to_topics.why_away()
    await to_topics.close()


async def test_a_topic_that_is_missing_is_a_passing_fault(
    settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "ANSWER_SECONDS", 1.0)
    to_topics = Publisher(settings.model_copy(update={"kafka_prefix": "nobody-made-these."}), "a-replica")
    with pytest.raises(TryAgain):
        await to_topics.publish([row(1, "a")])
    await to_topics.close()


def test_the_rows_here_are_like_those_of_the_outbox() -> None:
    from shared.db import tables  # noqa: PLC0415

    assert set(vars(row(1, "a"))) == set(tables.outbox.c.keys())
    assert PushReceived.topic in Topic
