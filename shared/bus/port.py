"""What every bus does.

- A group hears every event of the types in its table, at least once, those of one key in order.
- Different keys go on side by side; a message that is tried again holds up its own key only.
- The message is done when its handler's transaction has committed, never before.
- A group that takes messages together may be given several of one key at once, in their order. When
  that fails, it is given them one by one.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.db import ServiceDatabase
from shared.delivery import Handler
from shared.events.envelope import Event, Message

Together = Callable[[Sequence[Message[Any]]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """One service's table of contents: event type → bound method."""

    db: ServiceDatabase  # its service is the consumer group
    handlers: Mapping[type[Event], Handler]
    patient: bool = False  # it only takes note: whoever decides what happens next goes first
    # By type, who takes several messages of a key at once: one commit for many. Types that have the same
    # one are taken together.
    together: Mapping[type[Event], Together] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """Return the consumer group."""
        return self.db.service


class Bus(Protocol):
    """Carries the outbox to the subscriptions."""

    async def run(self) -> None:
        """Deliver until cancelled; on cancellation what is in hand is finished or stays undone whole."""
        ...
