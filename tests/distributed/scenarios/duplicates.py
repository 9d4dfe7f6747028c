"""Every message delivered twice, then everything replayed from offset zero: nothing changes."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from services.status.projection import Kind
from tests.distributed.fleet import ROSTER, SESSION_SECONDS
from tests.distributed.lag import admin, ends_of, group_of, lag_of, reader
from tests.distributed.rebuild import views_of
from tests.distributed.reckoning import settled
from tests.distributed.trial import Trial

READ_SECONDS_MAX = 60.0
RESET_SECONDS_MAX = 60.0
CAUGHT_UP_SECONDS_MAX = 180.0
LOOK_SECONDS = 0.5


async def play(trial: Trial, seconds: float) -> None:
    """Deploy for a while, then repeat all that was said."""
    await trial.first_pushes()
    async with trial.under_load():
        await asyncio.sleep(seconds)
    await trial.fleet.ready()
    trial.complaints += await settled(trial)
    before = await _state(trial)
    trial.counts["messages repeated"] = await _repeat_everything(trial)
    await _caught_up(trial)
    trial.complaints += _changes(before, await _state(trial), "every message came twice")
    trial.complaints += await trial.fleet.end()
    trial.counts["messages replayed"] = await _rewind(trial)
    for replica in trial.fleet.replicas:
        replica.process.launch()
    await trial.fleet.ready()
    await _caught_up(trial)
    trial.complaints += _changes(before, await _state(trial), "all was replayed from offset zero")


async def _repeat_everything(trial: Trial) -> int:
    """Publish every record once more, as it is, where it is; return how many."""
    producer = AIOKafkaProducer(bootstrap_servers=trial.ground.kafka, acks="all")
    await producer.start()
    count = 0
    try:
        async for record in _records(trial):
            headers = list(record.headers)
            place = {"partition": record.partition, "key": record.key, "headers": headers}
            await producer.send(record.topic, record.value, **place)
            count += 1
        await producer.flush()
    finally:
        await producer.stop()
    return count


async def _records(trial: Trial) -> AsyncIterator[ConsumerRecord]:
    """Yield what is on the topics by now."""
    async with reader(trial.ground) as consumer, asyncio.timeout(READ_SECONDS_MAX):
        ends = {at: end for at, end in (await ends_of(trial.ground, consumer)).items() if end}
        consumer.assign(list(ends))
        await consumer.seek_to_beginning()
        for place, end in ends.items():
            record = None
            while record is None or record.offset < end - 1:
                record = await consumer.getone(place)
                yield record


async def _rewind(trial: Trial) -> int:
    """Set every group's offsets to zero, which the brokers allow once its members are gone."""
    count = 0
    async with asyncio.timeout(RESET_SECONDS_MAX):
        for service in ROSTER:
            group = group_of(trial.ground, service)
            async with admin(trial.ground) as asked:
                committed = await asked.list_consumer_group_offsets(group)
            zero = {at: OffsetAndMetadata(0, "") for at in committed}
            count += sum(max(offset.offset, 0) for offset in committed.values())
            if zero:
                await _commit(trial, group, zero)
    return count


async def _commit(trial: Trial, group: str, zero: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
    async with reader(trial.ground, group) as consumer:
        consumer.assign(list(zero))
        while True:
            try:
                await consumer.commit(zero)
            except KafkaError:  # static members are members until their session is over
                await asyncio.sleep(SESSION_SECONDS / 3)
            else:
                return


async def _caught_up(trial: Trial) -> None:
    try:
        async with asyncio.timeout(CAUGHT_UP_SECONDS_MAX):
            while await lag_of(trial.ground):
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        trial.complaints += await lag_of(trial.ground)
    trial.complaints += await settled(trial)


async def _state(trial: Trial) -> dict[str, object]:
    """Return all that must not change.

    What is live is looked at meanwhile, so how it does may; that nothing of it counts twice is for the judge,
    who compares it with a rebuild.
    """
    kept = {name: _without_health(view) for name, view in (await views_of(trial)).items()}
    views: dict[str, object] = {f"view {name}": view for name, view in kept.items() if view}
    return views | {f"ledger of {barge.name}": barge.effects() for barge in trial.barges}


def _without_health(view: tuple[Any, ...]) -> tuple[Any, ...]:
    kind, *listed, position, document = view
    if kind == Kind.HEALTH:
        return ()
    if kind == Kind.STAGE:
        return kind, *listed, {name: value for name, value in document.items() if name != "health"}
    return kind, *listed, position, document


def _changes(before: Mapping[str, object], after: Mapping[str, object], when: str) -> list[str]:
    names = sorted({*before, *after})
    return [f"{name} changed when {when}" for name in names if before.get(name) != after.get(name)]
