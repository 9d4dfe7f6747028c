"""Putting outbox rows onto their topics, in order in each partition.

FastStream's publishing sends message by message, or a batch of messages with one set of headers; our
order under failure needs a batch of a partition to be appended as one, each message with its own
attributes. So this side speaks to aiokafka's producer itself (decision 10).
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.bus.kafka.connection import MESSAGE_BYTES_MAX, client_arguments, why_unreachable
from shared.bus.kafka.envelope import headers_of
from shared.bus.kafka.settings import KafkaSettings
from shared.faults import TryAgain

BATCH_BYTES = 512 * 1024  # appended at once; a single message may be larger
ANSWER_SECONDS = 8.0  # below the time after which the database gives up a transaction that does nothing
TOPIC_SECONDS = 2.0  # for a topic that the brokers do not tell of
CLOSE_SECONDS = 5.0

Place = tuple[str, int]  # topic, partition

log = structlog.get_logger()

_partition_of = DefaultPartitioner()


class Publisher:
    """An idempotent producer that waits for all replicas in sync."""

    def __init__(self, settings: KafkaSettings, client: str) -> None:
        self._settings = settings
        self._client = client
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()
        self._unanswered: dict[Place, asyncio.Future[Any]] = {}  # sent earlier; may yet be written

    async def prepare(self) -> None:
        """Connect, before anybody waits for us; raises `TryAgain` when the brokers are away."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._connected()
        except (KafkaError, OSError, TimeoutError) as error:
            raise TryAgain(f"Kafka could not be reached: {_told(error)}") from error

    async def publish(self, rows: Sequence[sa.Row[Any]]) -> set[int]:
        """Return the positions of the rows that are on their topics for good; within `ANSWER_SECONDS`.

        Raises `TryAgain` when none is and the brokers are away. The rows of a partition are written in
        order, those left out are its last ones; what is left out may have been written all the same, so
        giving it again repeats it, behind the first time. A partition that has not answered an earlier
        round is left out, and holds up no other.
        """
        try:
            async with asyncio.timeout(ANSWER_SECONDS) as limit:
                until = limit.when()
                assert until is not None
                await self._settle()
                producer = await self._connected()
                by_place = await self._by_place(producer, rows)
        except (KafkaError, OSError, TimeoutError) as error:
            raise TryAgain(f"Kafka could not be reached: {_told(error)}") from error
        parts = [
            self._write(producer, place, part, until)
            for place, part in by_place.items()
            if place not in self._unanswered
        ]
        outcomes = await asyncio.gather(*parts)
        written = {position for positions, _ in outcomes for position in positions}
        faults = [fault for _, fault in outcomes if fault is not None]
        if faults:
            await self._after(faults)
        if faults and not written:
            raise TryAgain(f"events could not be published: {_told(faults[0])}") from faults[0]
        return written

    async def why_away(self) -> str:
        """Return why the brokers do not answer now, or the empty string when they do."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                producer = await self._connected()
                if await producer.client.force_metadata_update():
                    return ""
            why = "its brokers do not say which topics there are"
        except (KafkaError, OSError, TimeoutError) as error:
            why = _told(error)
        return f"Kafka does not answer: {await why_unreachable(self._settings) or why}"

    async def close(self) -> None:
        """Let go of the brokers; what is still unanswered is not waited for long."""
        producer, self._producer = self._producer, None
        self._unanswered.clear()
        if producer is None:
            return
        stopping = asyncio.ensure_future(producer.stop())
        _, late = await asyncio.wait({stopping}, timeout=CLOSE_SECONDS)
        for each in late:  # it waits for a batch that nobody takes
            each.cancel()
            await producer.client.close()
        await asyncio.gather(stopping, return_exceptions=True)

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                self._producer = await self._begun()
            return self._producer

    async def _begun(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **client_arguments(self._settings, self._client),
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES,
            max_request_size=MESSAGE_BYTES_MAX,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def _settle(self) -> None:
        """Hear what became of what was sent in earlier rounds: it goes before what is sent in this one."""
        answered = {place: each for place, each in self._unanswered.items() if each.done()}
        for place in answered:
            del self._unanswered[place]
        faults = [fault for each in answered.values() if (fault := each.exception()) is not None]
        if faults:
            await self._after(faults)

    async def _by_place(
        self, producer: AIOKafkaProducer, rows: Sequence[sa.Row[Any]]
    ) -> Mapping[Place, list[sa.Row[Any]]]:
        topics = sorted({self._settings.topic(row.topic) for row in rows})
        known = dict(
            zip(topics, await asyncio.gather(*[_partitions(producer, t) for t in topics]), strict=True)
        )
        by_place: defaultdict[Place, list[sa.Row[Any]]] = defaultdict(list)
        for row in rows:
            topic = self._settings.topic(row.topic)
            if partitions := known[topic]:
                by_place[topic, _partition_of(row.key.encode(), partitions, partitions)].append(row)
        if not by_place:
            raise TryAgain(f"no broker knows the topics {', '.join(topics)}")
        return by_place

    async def _write(
        self, producer: AIOKafkaProducer, place: Place, rows: Sequence[sa.Row[Any]], until: float
    ) -> tuple[list[int], BaseException | None]:
        """Write a partition's rows, batch after batch; tell which are written, and what stopped the rest."""
        written: list[int] = []
        for batch, positions in _batches(producer, rows):
            try:
                async with asyncio.timeout_at(until):
                    answer = await producer.send_batch(batch, place[0], partition=place[1])
                    self._unanswered[place] = answer
                    await asyncio.shield(answer)
            except (KafkaError, OSError, TimeoutError) as error:
                return written, error
            del self._unanswered[place]
            written += positions
        return written, None

    async def _after(self, faults: Sequence[BaseException]) -> None:
        """Begin anew with another producer unless it only takes long: its numbers may be out of step."""
        if any(not isinstance(fault, TimeoutError) for fault in faults):
            log.warning("producer.replaced", reason=_told(faults[0]))
            await self.close()


async def _partitions(producer: AIOKafkaProducer, topic: str) -> list[int]:
    """Return a topic's partitions; none while no broker tells of it: others need not wait for that."""
    try:
        async with asyncio.timeout(TOPIC_SECONDS):
            return sorted(await producer.partitions_for(topic))
    except (KafkaError, TimeoutError):
        log.warning("topic.unknown", topic=topic)
        return []


def _batches(producer: AIOKafkaProducer, rows: Sequence[sa.Row[Any]]) -> list[tuple[BatchBuilder, list[int]]]:
    batches: list[tuple[BatchBuilder, list[int]]] = []
    for row in rows:
        if not batches or not _append(batches[-1][0], row):
            batches.append((producer.create_batch(), []))
            _append(batches[-1][0], row)  # the first of a batch always has room
        batches[-1][1].append(row.position)
    for batch, _ in batches:
        batch.close()
    return batches


def _append(batch: BatchBuilder, row: sa.Row[Any]) -> bool:
    metadata = batch.append(
        timestamp=int(row.time.timestamp() * 1000),
        key=row.key.encode(),
        value=row.body.encode(),
        headers=headers_of(row),
    )
    return metadata is not None


def _told(error: BaseException) -> str:
    return str(error) or type(error).__name__
