"""One group's share of the topics: read by FastStream, delivered lane by lane, committed behind it.

FastStream reads and decodes; it does not acknowledge (`AckPolicy.MANUAL`), for a message is done when
its handler's transaction has committed, which is long after it was read. Offsets are committed up to
the first that is not done; what a crash leaves uncommitted comes again, and the inbox knows it.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage
from faststream.kafka.subscriber.usecase import DefaultSubscriber

from shared import metrics
from shared.bus.kafka import topics
from shared.bus.kafka.connection import METADATA_SECONDS, REQUEST_SECONDS, security
from shared.bus.kafka.reading import read_or_refuse
from shared.bus.kafka.settings import KafkaSettings
from shared.bus.lanes import Lanes
from shared.bus.port import Subscription
from shared.crash import point
from shared.delivery import Delivery, backoff_seconds
from shared.events.envelope import Message
from shared.events.topics import TOPICS
from shared.faults import TryAgain
from shared.outage import Outage

AHEAD_MAX = 1_000  # messages of a partition in memory before it is no longer read
AHEAD_BYTES_MAX = 16 * 1024 * 1024  # of the bodies in memory, of all partitions; as objects they are larger
COMMIT_SECONDS = 1.0  # between commits of offsets: they only spare the next owner from asking the inbox
HAND_OVER_SECONDS = 2.0  # for what is in hand when its partition goes elsewhere; below any session timeout
STOP_SECONDS = 10.0  # for what is in hand when the program ends
AGAIN_SECONDS_MAX = 5.0  # between looks for brokers or topics that are not there
HEARTBEATS_IN_SESSION = 3
FETCH_WAIT_SECONDS = 0.5  # that a broker keeps an empty fetch open; it answers when there is something

log = structlog.get_logger()
_library_log = logging.getLogger("windlass.kafka")
_library_log.setLevel(logging.ERROR)  # it warns at each start that it makes no topics, which is our wish


@dataclass(slots=True)
class Partition:
    """What the group has in hand of one partition."""

    lanes: Lanes
    undone: dict[int, int] = field(default_factory=dict)  # offsets in hand, in order, and their bytes
    read_to: int = 0  # the next offset to read
    committed: int = 0

    @property
    def done_to(self) -> int:
        """Return the first offset that is not done."""
        return next(iter(self.undone), self.read_to)


class Consumption(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka says no types
    """A group's member in this process."""

    def __init__(self, subscription: Subscription, settings: KafkaSettings, replica: str) -> None:
        self._subscription = subscription
        self._settings = settings
        self._replica = replica
        self._topics = {settings.topic(topic): topic for topic in TOPICS}
        self._delivery = Delivery(subscription.db)
        self._clock = subscription.db.clock
        self._partitions: dict[TopicPartition, Partition] = {}
        self._paused: set[TopicPartition] = set()
        self._bytes = 0  # of the bodies in hand
        self._outage = Outage(self._clock, "group.not_consuming", "group.consuming", group=self.group)
        self._consumer: AIOKafkaConsumer | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self.waiting_for = "it has not begun yet"  # why it does not consume; empty when it does

    @property
    def group(self) -> str:
        """Return the group's name."""
        return self._subscription.group

    @property
    def why_not_ready(self) -> str:
        """Return why it does not consume, or the empty string."""
        return self.waiting_for or self._delivery.stopped

    @property
    def in_hand(self) -> int:
        """Return how many messages were read and are not done."""
        return sum(len(each.undone) for each in self._partitions.values())

    async def run(self) -> None:
        """Consume until cancelled, whenever the brokers let us."""
        async with asyncio.TaskGroup() as self._tasks:
            while True:
                try:
                    await self._consume()
                except (TryAgain, KafkaError, OSError) as fault:
                    self._outage.failed(str(fault))
                    self.waiting_for = str(fault)
                await self._clock.sleep(min(backoff_seconds(self._outage.failures), AGAIN_SECONDS_MAX))

    async def _consume(self) -> None:
        if missing := await topics.missing_topics(self._settings):
            raise TryAgain(f"the topics {', '.join(missing)} do not exist: run windlass topics create")
        broker = self._broker()
        subscriber = self._subscribe(broker)
        try:
            await broker.start()
            self._consumer = subscriber.consumer
            while True:
                await self._clock.sleep(COMMIT_SECONDS)
                await self._commit(self._partitions)
                self._measure()
                if _is_dead(subscriber.consumer):
                    raise TryAgain("the group's coordination has died in this process")
        finally:
            await asyncio.shield(self._end(broker))

    def _broker(self) -> KafkaBroker:
        return KafkaBroker(
            self._settings.addresses,
            client_id=self._replica,
            security=security(self._settings),
            request_timeout_ms=int(REQUEST_SECONDS * 1000),
            metadata_max_age_ms=int(METADATA_SECONDS * 1000),
            consumer_only=True,
            allow_auto_create_topics=False,
            ack_policy=AckPolicy.MANUAL,
            apply_types=False,
            logger=_library_log,
            log_level=logging.DEBUG,
            graceful_timeout=None,  # what is in hand is ours to end
        )

    def _subscribe(self, broker: KafkaBroker) -> DefaultSubscriber:
        names = sorted({each.topic for each in self._subscription.handlers})
        session = self._settings.kafka_session_seconds
        member = broker.subscriber(
            *(self._settings.topic(name) for name in names),
            group_id=self._settings.group(self.group),
            group_instance_id=_member(self.group, self._replica, names),
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            session_timeout_ms=int(session * 1000),
            heartbeat_interval_ms=int(session * 1000 / HEARTBEATS_IN_SESSION),
            fetch_max_wait_ms=int(FETCH_WAIT_SECONDS * 1000),
            listener=self,
            decoder=_as_it_is,
            no_reply=True,
        )
        member(self._take)
        return member

    async def _take(self, record: ConsumerRecord) -> None:
        """Put a record into its lane; returns at once."""
        place = TopicPartition(record.topic, record.partition)
        partition = self._partitions.get(place)
        if partition is None:  # it went elsewhere meanwhile, and whoever has it reads this one too
            return
        self._note_gap(place, partition, record.offset)
        partition.read_to = record.offset + 1
        found = read_or_refuse(record, self._topics[record.topic], self._subscription.handlers)
        if found is None:
            return
        handler, message = found
        partition.undone[record.offset] = len(record.value or b"")
        assert self._tasks is not None
        partition.lanes.enqueue(self._tasks, (self._topics[record.topic], message.key), handler, message)
        self._bytes += len(record.value or b"")
        if len(partition.undone) >= AHEAD_MAX or self._bytes >= AHEAD_BYTES_MAX:
            self._read_no_further(place)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Begin with nothing in hand: what is not committed comes again."""
        for place in assigned:
            self._partitions[place] = self._taken_over()
        self.waiting_for = ""
        self._outage.over()
        log.info("group.assigned", group=self.group, partitions=len(assigned))

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """End or leave what is in hand, and say how far it is, before another reads on."""
        del revoked  # the protocol takes all from all
        await self._let_go(HAND_OVER_SECONDS)

    def _taken_over(self) -> Partition:
        def done(message: Message[Any]) -> None:
            point("bus.handled")
            self._bytes -= partition.undone.pop(message.position - 1, 0)
            self._read_on()

        partition = Partition(Lanes(self._subscription, self._delivery, done))
        return partition

    def _read_no_further(self, place: TopicPartition) -> None:
        if self._consumer is not None and place not in self._paused:
            self._consumer.pause(place)
            self._paused.add(place)

    def _read_on(self) -> None:
        """Read partitions again that have been worked off by half, when there is room."""
        if not self._paused or self._consumer is None or self._bytes > AHEAD_BYTES_MAX // 2:
            return
        for place in [each for each in self._paused if self._has_room(each)]:
            self._paused.discard(place)
            self._consumer.resume(place)

    def _has_room(self, place: TopicPartition) -> bool:
        partition = self._partitions.get(place)
        return partition is not None and len(partition.undone) <= AHEAD_MAX // 2

    def _note_gap(self, place: TopicPartition, partition: Partition, offset: int) -> None:
        """Say it loudly when the topic no longer has what the group has not heard, or begins anew."""
        if partition.read_to and offset != partition.read_to:
            where = f"{place.topic}/{place.partition}"
            log.error("events.missed", group=self.group, where=where, wanted=partition.read_to, got=offset)
            partition.committed = min(partition.committed, offset)

    async def _let_go(self, grace_seconds: float) -> None:
        """Read no more, end what is in hand or leave it undone, and commit how far that is."""
        partitions, self._partitions = self._partitions, {}
        self._paused.clear()
        self.waiting_for = "its partitions are being shared out anew"
        await asyncio.gather(*[each.lanes.close(grace_seconds) for each in partitions.values()])
        self._bytes -= sum(sum(each.undone.values()) for each in partitions.values())
        await self._commit(partitions)

    async def _commit(self, partitions: Mapping[TopicPartition, Partition]) -> None:
        """Commit offsets that have moved; what cannot be committed is only asked about again."""
        moved = {place: each.done_to for place, each in partitions.items() if each.done_to > each.committed}
        if not moved or self._consumer is None:
            return
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                await self._consumer.commit(moved)
        except (KafkaError, TimeoutError) as error:
            log.info("group.offsets_uncommitted", group=self.group, reason=repr(error))
            return
        point("bus.committed")
        for place, offset in moved.items():
            partitions[place].committed = offset

    def _measure(self) -> None:
        """Say how far behind the topics the group's work is, as far as it reads them here."""
        lags: Counter[str] = Counter()
        for place, partition in self._partitions.items():
            newest = self._consumer.highwater(place) if self._consumer else None
            if newest is not None and partition.read_to:
                topic = place.topic.removeprefix(self._settings.kafka_prefix)
                lags[topic] += max(newest - max(partition.done_to, partition.committed), 0)
        for topic, lag in lags.items():
            metrics.LAG.set(lag, self.group, topic)

    async def _end(self, broker: KafkaBroker) -> None:
        await self._let_go(STOP_SECONDS)
        self._consumer = None
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                await broker.stop()
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("group.not_ended", group=self.group, reason=repr(error))


def _is_dead(consumer: AIOKafkaConsumer | None) -> bool:
    """Tell whether nobody in the client looks after the group any more; it says so nowhere public."""
    coordination = getattr(getattr(consumer, "_coordinator", None), "_coordination_task", None)
    return coordination is not None and coordination.done()


def _member(group: str, replica: str, topics: Sequence[str]) -> str:
    """Return a member's static name; another one where it hears other topics.

    For a member that comes back under its name is given what it had before, and the client breaks on
    partitions of a topic it does not ask for any more.
    """
    return f"{group}.{replica}.{crc32(' '.join(topics).encode()):08x}"


async def _as_it_is(message: KafkaMessage) -> Any:
    return message.raw_message
