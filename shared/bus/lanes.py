"""What a group has in hand: one lane for each key, in order, and the lanes side by side.

Both buses deliver through it; what they do when a message is done is their own.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import islice, takewhile
from typing import Any

from shared import metrics
from shared.bus.port import Subscription, Together
from shared.delivery import Delivery, Handler, failure_of
from shared.events.envelope import Message
from shared.events.topics import Topic

TOGETHER_MAX = 200  # messages of one key taken at once
TURNS_LEFT_TO_OTHERS = 8  # of the loop: a decision, its commit and what follows from it take about four
TURNS_GATHERED_MAX = 32  # of the loop, in a flood, for what is taken together: one commit for more of it

Key = tuple[Topic, str]
Lane = deque[tuple[Handler, Message[Any]]]


class Lanes:
    """Messages of one group that were handed out and are not done."""

    def __init__(
        self, subscription: Subscription, delivery: Delivery, done: Callable[[Message[Any]], None]
    ) -> None:
        self._subscription = subscription
        self._delivery = delivery
        self._done = done  # called once for each message, in the order of its key
        self._lanes: dict[Key, Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def enqueue(self, tasks: asyncio.TaskGroup, key: Key, handler: Handler, message: Message[Any]) -> None:
        """Hand the message to `handler` when those of its key before it are done."""
        metrics.IN_HAND.add(self._subscription.group)
        lane = self._lanes.get(key)
        if lane is not None:
            lane.append((handler, message))
            return
        self._lanes[key] = deque([(handler, message)])
        task = tasks.create_task(self._work_off(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, grace_seconds: float) -> None:
        """Take up nothing more; what is in hand may end, what has not by then stays undone whole."""
        self._closing = True
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=grace_seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _work_off(self, key: Key) -> None:
        """Deliver one key's messages in order; ends with the last of them."""
        lane = self._lanes[key]
        try:
            await self._empty(lane)
        finally:
            metrics.IN_HAND.add(self._subscription.group, by=-len(lane))
            del self._lanes[key]

    async def _empty(self, lane: Lane) -> None:
        while lane and not self._closing:
            taken = await self._take_some(lane)
            for _ in range(taken):
                metrics.IN_HAND.add(self._subscription.group, by=-1)
                self._done(lane.popleft()[1])
            if taken > 1:
                await _more_than(taken, lane)

    def _fits(self, together: Together) -> Callable[[tuple[Handler, Message[Any]]], bool]:
        """Return what tells whether a message could be read, and is one of those taken together."""
        own, by_type = self._subscription.handlers, self._subscription.together

        def fits(handed: tuple[Handler, Message[Any]]) -> bool:
            type_ = type(handed[1].body)
            return handed[0] == own.get(type_) and by_type.get(type_) == together

        return fits

    async def _take_some(self, lane: Lane) -> int:
        """Have the group take the lane's first message, or several together; tell how many are done."""
        if self._subscription.patient:
            for _ in range(TURNS_LEFT_TO_OTHERS):  # on an idle loop they take no time to speak of
                await asyncio.sleep(0)
        together = self._subscription.together.get(type(lane[0][1].body))
        if together is not None:
            messages = [message for _, message in islice(takewhile(self._fits(together), lane), TOGETHER_MAX)]
            if len(messages) > 1 and await failure_of(together(messages)) is None:
                self._delivery.note_handled()
                for each in messages:
                    metrics.MESSAGES.add(self._subscription.group, each.body.type, "handled")
                return len(messages)
        handler, message = lane[0]
        await self._delivery.deliver(handler, message)
        return 1


async def _more_than(taken: int, lane: Lane) -> None:
    """Let a flood grow, of which so many were taken at once: turn by turn, the more the longer."""
    for _ in range(min(taken, TURNS_GATHERED_MAX)):
        if len(lane) >= TOGETHER_MAX:
            return
        await asyncio.sleep(0)
