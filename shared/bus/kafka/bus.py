"""The bus: one relay for the database, and a member for each group of this process."""

import asyncio
from collections.abc import Sequence

from shared.bus.kafka.consumption import Consumption
from shared.bus.kafka.publisher import Publisher
from shared.bus.kafka.relay import Relay
from shared.bus.kafka.settings import KafkaSettings
from shared.bus.port import Subscription
from shared.db import Database
from shared.dead_letters.redelivery import Redelivery

LOOK_SECONDS = 3.0  # between looks whether the brokers still answer, for whoever asks us


class KafkaBus:
    """Delivers committed events between processes."""

    def __init__(
        self, database: Database, subscriptions: Sequence[Subscription], settings: KafkaSettings, replica: str
    ) -> None:
        self._clock = database.clock
        self._publisher = Publisher(settings, replica)
        self._relay = Relay(database, self._publisher)
        self._groups = [Consumption(each, settings, replica) for each in subscriptions]
        self._redelivery = Redelivery(subscriptions, database)
        self._away = "Kafka has not been reached yet"

    @property
    def ready(self) -> str:
        """Return why not everything is carried or consumed, or the empty string."""
        waiting = [f"{each.group}: {each.why_not_ready}" for each in self._groups if each.why_not_ready]
        return "; ".join([self._away, *waiting] if self._away else waiting)

    @property
    def in_hand(self) -> int:
        """Return how many messages were read and are not done."""
        return sum(each.in_hand for each in self._groups)

    async def run(self) -> None:
        """See `Bus`. Brokers and topics need not be there yet."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._relay.run())
                tasks.create_task(self._look())
                tasks.create_task(self._redelivery.run())
                for each in self._groups:
                    tasks.create_task(each.run())
        finally:
            await asyncio.shield(self._publisher.close())

    async def _look(self) -> None:
        while True:
            self._away = await self._publisher.why_away()
            await self._clock.sleep(LOOK_SECONDS)
