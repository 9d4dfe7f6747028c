"""What every bus does.

- A group hears every event of the types in its table, at least once, those of one key in order.
- Different keys go on side by side; a message that is tried again holds up its own key only.
- The message is done when its handler's transaction has committed, never before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.db import ServiceDatabase
from shared.delivery import Handler
from shared.events.envelope import Event


@dataclass(frozen=True, slots=True)
class Subscription:
    """One service's table of contents: event type → bound method."""

    db: ServiceDatabase  # its service is the consumer group
    handlers: Mapping[type[Event], Handler]

    @property
    def group(self) -> str:
        """Return the consumer group."""
        return self.db.service


class Bus(Protocol):
    """Carries the outbox to the subscriptions."""

    async def run(self) -> None:
        """Deliver until cancelled; on cancellation what is in hand is finished or stays undone whole."""
        ...
