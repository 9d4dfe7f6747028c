"""One partition without a leader must not hold up the others: a producer whose answers the test gives."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.bus.kafka import KafkaSettings, publisher
from shared.bus.kafka.publisher import Publisher
from shared.faults import TryAgain
from tests.integration.kafka.test_publisher import row

SILENT, LIVELY = "run/a", "run/b"  # of two partitions, the first and the second


class Producer:
    """Takes batches; answers for partition 0 when the test says so, for others at once."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, int]] = []  # partition, messages
        self.answers: list[asyncio.Future[Any]] = []
        self.unknown: set[str] = set()
        self.sends = asyncio.Semaphore(0)  # as many as were sent

    async def partitions_for(self, topic: str) -> set[int]:
        if topic in self.unknown:
            await asyncio.Event().wait()
        return {0, 1}

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(publisher.BATCH_BYTES, 0)

    async def send_batch(self, batch: BatchBuilder, _topic: str, *, partition: int) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.sent.append((partition, batch.record_count()))
        self.answers.append(answer)
        self.sends.release()
        if partition != 0:
            answer.set_result(None)
        return answer

    async def stop(self) -> None: ...


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> Producer:
    monkeypatch.setattr(publisher, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(publisher, "TOPIC_SECONDS", 0.05)
    monkeypatch.setattr(publisher, "_partition_of", lambda key, *_: 0 if key == SILENT.encode() else 1)
    return Producer()


def over(producer: Producer) -> Publisher:
    made = Publisher(KafkaSettings(), "one")
    made._producer = producer
    return made


async def test_a_partition_that_does_not_answer_holds_up_no_other(
    producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_topics = over(producer)
    assert await to_topics.publish([row(1, SILENT), row(2, LIVELY), row(3, SILENT)]) == {2}
    assert await to_topics.publish([row(1, SILENT), row(3, SILENT), row(4, LIVELY)]) == {4}
    assert producer.sent == [(0, 2), (1, 1), (1, 1)]  # what is under way is not sent again beside itself
    for _ in producer.sent:
        await producer.sends.acquire()
    producer.answers[0].set_result(None)
    monkeypatch.setattr(publisher, "ANSWER_SECONDS", 40.0)  # from here on it answers, if late
    publishing = asyncio.ensure_future(to_topics.publish([row(1, SILENT), row(3, SILENT), row(5, SILENT)]))
    await producer.sends.acquire()
    producer.answers[-1].set_result(None)
    assert await publishing == {1, 3, 5}


async def test_publishing_ends_within_its_time_however_much_there_is(producer: Producer) -> None:
    filler = '{"filler": "%s"}' % ("x" * publisher.BATCH_BYTES)
    rows = [row(n, SILENT, filler) for n in range(20)]
    began = asyncio.get_running_loop().time()
    with pytest.raises(TryAgain, match="could not be published"):
        await over(producer).publish(rows)
    assert asyncio.get_running_loop().time() - began < 30  # and not for each of them
    assert producer.sent == [(0, 1)]


async def test_a_topic_that_nobody_knows_holds_up_no_other(producer: Producer) -> None:
    settings = KafkaSettings()
    producer.unknown.add(settings.topic("windlass.gone"))
    lost: Any = SimpleNamespace(**{**vars(row(1, LIVELY)), "topic": "windlass.gone"})
    assert await over(producer).publish([lost, row(2, LIVELY)]) == {2}
