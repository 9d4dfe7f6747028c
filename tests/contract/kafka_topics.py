"""Topics of a test's own on the Kafka broker, under a prefix that a folder remembers."""

import asyncio
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.bus.kafka import KafkaSettings
from shared.bus.kafka.topics import create_topics, missing_topics
from shared.events.topics import TOPICS
from tests.servers import kafka

PARTITIONS = 2
SESSION_SECONDS = 3.0
LOOK_SECONDS = 0.01


class Topics:
    """The topics of one installation; made when first asked for."""

    def __init__(self, remembered: Path) -> None:
        self._remembered = remembered
        self._observer: AIOKafkaConsumer | None = None
        self._making = asyncio.Lock()

    @property
    def settings(self) -> KafkaSettings:
        if not self._remembered.exists():
            self._remembered.write_text(kafka.fresh_prefix(), "utf-8")
        return KafkaSettings(
            kafka=kafka.address(),
            kafka_prefix=self._remembered.read_text("utf-8"),
            kafka_partitions=PARTITIONS,
            kafka_session_seconds=SESSION_SECONDS,
        )

    async def create(self) -> None:
        """Make them, once."""
        async with self._making:
            if self._observer is None:
                await create_topics(self.settings)
                while await missing_topics(self.settings):  # noqa: ASYNC110 - a broker knows them a little later
                    await asyncio.sleep(LOOK_SECONDS)
                observer = AIOKafkaConsumer(bootstrap_servers=self.settings.kafka)
                await observer.start()
                self._observer = observer

    async def ends(self) -> dict[TopicPartition, int]:
        """Return each partition's end."""
        assert self._observer is not None, "a bus runs"
        settings = self.settings
        places = [TopicPartition(settings.topic(t), number) for t in TOPICS for number in range(PARTITIONS)]
        ends: dict[TopicPartition, int] = await self._observer.end_offsets(places)
        return ends

    async def close(self) -> None:
        if self._observer is not None:
            await self._observer.stop()
            self._observer = None

    async def remove(self) -> None:
        """Delete them, if they were made."""
        if self._remembered.exists():
            await kafka.forget(kafka.address(), self.settings.kafka_prefix)
