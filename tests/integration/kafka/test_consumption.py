"""Groups on real topics: who has which partitions, and what is done when they change hands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.bus.kafka import KafkaBus, KafkaSettings, consumption
from shared.clock import SystemClock
from shared.db.postgres import PostgresDatabase
from shared.delivery import MessageDied
from shared.events import Topic
from tests.builders import line
from tests.contract.bus.listener import Listener, say, say_at_once
from tests.contract.bus.test_failure import Undertaker
from tests.contract.installation import running
from tests.contract.notes import noted

pytestmark = pytest.mark.timeout(240)  # whoever comes first waits for a broker to start
CLOCK = SystemClock()


@asynccontextmanager
async def consuming(bus: KafkaBus) -> AsyncIterator[None]:
    async with running(bus.run()):
        await until_ready(bus)
        yield


async def until_ready(bus: KafkaBus) -> None:
    async with asyncio.timeout(90):
        while bus.ready:
            await CLOCK.sleep(0.02)


async def until_noted(database: PostgresDatabase, count: int, writer: str = "status") -> list[str]:
    async with asyncio.timeout(90):
        while len(notes := await noted(database, writer)) < count:
            await CLOCK.sleep(0.02)
    return notes


async def committed(settings: KafkaSettings, group: str) -> int:
    """Return how many messages of the logs' topic the group has committed."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka, group_id=settings.group(group))
    await consumer.start()
    try:
        places = [TopicPartition(settings.topic(Topic.LOGS), number) for number in (0, 1)]
        return sum([await consumer.committed(place) or 0 for place in places])
    finally:
        await consumer.stop()


async def test_what_is_done_is_committed_when_the_bus_ends(
    database: PostgresDatabase, settings: KafkaSettings
) -> None:
    listener = Listener(database)
    async with consuming(KafkaBus(database, [listener.subscription], settings, "one")):
        await say_at_once(database, [line(f"run/{n}", n) for n in range(50)])
        await until_noted(database, 50)
    assert await committed(settings, "status") == 50
    again = Listener(database)
    async with consuming(KafkaBus(database, [again.subscription], settings, "one")):
        await say(database, line("run/last", 0))
        await until_noted(database, 51)
    assert again.tried == ["run/last 0"]


async def test_replicas_that_come_and_go_lose_nothing_and_double_nothing(
    database: PostgresDatabase, settings: KafkaSettings
) -> None:
    """Each key in order, whoever has it."""
    quick = settings.model_copy(update={"kafka_session_seconds": 1.5})
    expected = [(key, number) for number in range(40) for key in range(8)]

    async def speak() -> None:
        for key, number in expected:
            await say(database, line(f"run/{key}", number))

    async def come_and_go() -> None:
        for _ in range(3):
            async with consuming(KafkaBus(database, [Listener(database).subscription], quick, "two")):
                await CLOCK.sleep(0.3)

    async with consuming(KafkaBus(database, [Listener(database).subscription], quick, "one")):
        await asyncio.gather(speak(), come_and_go())
        notes = await until_noted(database, len(expected))
        await CLOCK.sleep(0.3)
        assert await noted(database, "status") == notes
    for key in range(8):
        mine = [note for note in notes if note.startswith(f"run/{key} ")]
        assert mine == [f"run/{key} {number}" for number in range(40)]


async def test_a_message_that_waits_is_left_undone_when_its_partition_goes(
    database: PostgresDatabase, settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumption, "STOP_SECONDS", 0.2)
    stuck, free = Listener(database), Listener(database)
    stuck.gates["run/a"] = asyncio.Event()  # never opened
    async with running(KafkaBus(database, [stuck.subscription], settings, "one").run()) as (task,):
        await say(database, line("run/a", 0), line("run/a", 1))
        async with asyncio.timeout(90):
            while not stuck.tried:
                await CLOCK.sleep(0.02)
        task.cancel()
        await asyncio.wait({task})
    assert await committed(settings, "status") == 0
    async with consuming(KafkaBus(database, [free.subscription], settings, "one")):
        assert await until_noted(database, 2) == ["run/a 0", "run/a 1"]


async def test_what_is_no_event_of_ours_is_put_aside_and_the_rest_goes_on(
    database: PostgresDatabase, settings: KafkaSettings
) -> None:
    listener, undertaker = Listener(database), Undertaker(database)
    bus = KafkaBus(database, [listener.subscription, undertaker.subscription], settings, "one")
    async with consuming(bus):
        producer = AIOKafkaProducer(bootstrap_servers=settings.kafka)
        await producer.start()
        await producer.send_and_wait(settings.topic(Topic.LOGS), b"\xff\x00?", key=b"run/a", partition=0)
        await producer.stop()
        await say(database, line("run/a", 0), line("run/b", 0))
        await until_noted(database, 2)
        async with asyncio.timeout(90):
            while not undertaker.died:
                await CLOCK.sleep(0.02)
    (letter,) = undertaker.died
    assert isinstance(letter, MessageDied)
    assert "no header ce_id" in letter.reason
    assert letter.message_key == "run/a"


async def test_a_bus_waits_for_topics_that_nobody_has_made(
    database: PostgresDatabase, kafka_address: str, kafka_prefix: str
) -> None:
    bare = KafkaSettings(kafka=kafka_address, kafka_prefix=f"{kafka_prefix}bare.")
    bus = KafkaBus(database, [Listener(database).subscription], bare, "one")
    async with running(bus.run()), asyncio.timeout(90):
        while "windlass topics create" not in bus.ready:
            await CLOCK.sleep(0.02)
