"""Handing letters that a person asked for to their group again, through the one policy of delivery.

A part of every process that has the group. It holds up nothing that comes over the bus; letters of one
key are handed over one after the other, in the order of their events as far as one replica has them.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from sys import maxsize
from uuid import UUID

import structlog
from pydantic import ValidationError

from shared.bus.port import Subscription
from shared.crash import point
from shared.db import Database, Noted
from shared.dead_letters import claims
from shared.dead_letters.letter import Letter, message_of
from shared.dead_letters.letters import NOTED
from shared.delivery import TYPES, Delivery, failure_of, refusing
from shared.faults import TryAgain

SWEEP_SECONDS = 5.0  # finds what a crash left, and keeps others off what is in hand
IN_HAND_MAX = 100
PRUNED_EVERY = timedelta(hours=1)

log = structlog.get_logger()

Lane = tuple[str, str, str]  # group, topic and key


class Redelivery:
    """Hands over what is asked for."""

    def __init__(self, subscriptions: Sequence[Subscription], database: Database) -> None:
        self._clock = database.clock
        self._subscriptions = {each.group: each for each in subscriptions}
        # They are dead already: burying one again costs no queue, however many it befalls.
        self._deliveries = {each.group: Delivery(each.db, maxsize) for each in subscriptions}
        self._claims = claims.Claims(database, self._subscriptions.keys())
        self._asked = asyncio.Event()
        self._lanes: dict[Lane, deque[Letter]] = {}
        self._in_hand: set[UUID] = set()
        self._prune_at = self._clock.now()
        database.on_commit(self._hear)

    async def run(self) -> None:
        """Hand over until cancelled."""
        self._lanes.clear()
        self._in_hand.clear()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sweep())
            while True:
                await self._asked.wait()
                self._asked.clear()
                self._tell("dead_letters.not_taken", await failure_of(self._take(tasks)))

    def _hear(self, noted: Noted) -> None:
        if NOTED in noted:
            self._asked.set()

    async def _sweep(self) -> None:
        while True:
            self._asked.set()
            self._tell("dead_letters.not_swept", await failure_of(self._keep()))
            await self._clock.sleep(SWEEP_SECONDS)

    async def _keep(self) -> None:
        await self._claims.renew(self._in_hand)
        if self._clock.now() >= self._prune_at:
            await self._claims.prune()
            self._prune_at = self._clock.now() + PRUNED_EVERY

    async def _take(self, tasks: asyncio.TaskGroup) -> None:
        room = IN_HAND_MAX - len(self._in_hand)
        for letter in await self._claims.take(room) if room else ():
            point(f"{letter.consumer_group}.dead_letter.taken")
            if letter.id in self._in_hand:
                continue
            self._in_hand.add(letter.id)
            key = (letter.consumer_group, letter.topic, letter.key)
            lane = self._lanes.setdefault(key, deque())
            lane.append(letter)
            if len(lane) == 1:
                tasks.create_task(self._work_off(key))

    async def _work_off(self, key: Lane) -> None:
        lane = self._lanes[key]
        while lane:
            self._tell("dead_letter.left", await failure_of(self._hand_over(lane[0])))
            self._in_hand.discard(lane.popleft().id)
        del self._lanes[key]
        self._asked.set()  # there is room again

    async def _hand_over(self, letter: Letter) -> None:
        """Have the group hear the letter; dying again writes down by itself that it did."""
        subscription = self._subscriptions[letter.consumer_group]
        body_type = TYPES.get(letter.type)
        handler = subscription.handlers.get(body_type) if body_type else None
        if body_type is None or handler is None:
            await claims.refused(subscription.db, letter, _refusal(letter, known=body_type is not None))
            return
        try:
            body = body_type.model_validate_json(letter.raw)
        except ValidationError as error:
            body = body_type.model_construct()  # carries type and topic, which is all that is asked of it
            handler = refusing(f"the body does not parse: {error}")
        handled = await self._deliveries[subscription.group].deliver(handler, message_of(letter, body))
        point(f"{subscription.group}.dead_letter.handed_over")
        if handled:
            await claims.replayed(subscription.db, letter)

    def _tell(self, what: str, error: BaseException | None) -> None:
        if isinstance(error, TryAgain):
            log.warning(what, reason=str(error))
        elif error is not None:
            log.error(what, exc_info=error)


def _refusal(letter: Letter, *, known: bool) -> str:
    if known:
        return f"refused: {letter.consumer_group} does not hear {letter.type} any more"
    return f"refused: this release of {letter.consumer_group} knows no event {letter.type}"
