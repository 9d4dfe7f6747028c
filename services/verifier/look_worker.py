"""Looks at a service that is live: asks everything once, a few side by side, and what its target tells of it.

Each question has its time; the whole look has as much as they need one after another. Where none of the first
has an answer in time, nobody waits for the others too.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TypeVar

from services.verifier.adapters.observer import Observer
from services.verifier.adapters.port_owner import taken_by_itself
from services.verifier.adapters.prober import Prober
from services.verifier.checks import Check, PortCheck
from services.verifier.criteria import Seen, counts, judge_seen
from services.verifier.probe import Answer
from services.verifier.sample import Look
from services.verifier.signals import Signals
from services.verifier.watch import ANSWER_SLACK_SECONDS, PROBES_AT_ONCE_MAX, Watch
from shared.clock import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Looker:
    """Whatever answers, and whatever can be seen."""

    prober: Prober
    observer: Observer
    clock: Clock

    async def look(self, watch: Watch) -> Look:
        """Return what is seen now, within the time that a look may take; nothing is left under way."""
        at = self.clock.now()
        signals = asyncio.ensure_future(self._signals(watch))
        asking = asyncio.ensure_future(self._answers(watch))
        try:
            await asyncio.gather(signals, asking)
        finally:
            signals.cancel()
            asking.cancel()
            await asyncio.gather(signals, asking, return_exceptions=True)
        found = [(check, seen) for check, seen in zip(watch.asked, asking.result(), strict=True) if seen]
        counted = [(check, seen) for check, seen in found if counts(check, seen)]
        absent = tuple(check.url for check, seen in found if not counts(check, seen)) if counted else ()
        results = [judge_seen(check, seen) for check, seen in counted or found]
        return Look(at, results, signals.result(), absent)

    async def _signals(self, watch: Watch) -> Signals | None:
        place = watch.target.place
        if place is None or not place.lives:
            return None
        return await self._within(watch.answer_seconds_max, self.observer.signals(place))

    async def _answers(self, watch: Watch) -> list[Seen | None]:
        """Return what each question brought; None for those that were not asked any more."""
        slots = asyncio.Semaphore(PROBES_AT_ONCE_MAX)
        silent: list[bool] = []

        async def ask(check: Check | PortCheck) -> Seen | None:
            async with slots:
                if len(silent) >= PROBES_AT_ONCE_MAX and all(silent):
                    return None
                at = self.clock.now()
                answer = await self._within(watch.answer_seconds_max, self._ask(check, watch))
                silent.append(answer is None or answer.fault == "timeout")
                return Seen(at, answer or _unheard(watch))

        asking = [asyncio.ensure_future(ask(check)) for check in watch.asked]
        try:
            return list(await asyncio.gather(*asking))
        finally:
            for each in asking:
                each.cancel()
            await asyncio.gather(*asking, return_exceptions=True)

    async def _ask(self, check: Check | PortCheck, watch: Watch) -> Answer:
        seconds, private = watch.answer_seconds_max - ANSWER_SLACK_SECONDS, watch.private_addresses
        if isinstance(check, PortCheck):
            answer = await self.prober.connect(check.question(seconds, private_addresses=private))
            return await taken_by_itself(check, answer, self.observer)
        return await self.prober.ask(check.question(seconds, private_addresses=private))

    async def _within(self, seconds: float, doing: Coroutine[object, object, T]) -> T | None:
        """Return what it brings; None where it is not done in time."""
        task, limit = asyncio.ensure_future(doing), asyncio.ensure_future(self.clock.sleep(seconds))
        try:
            await asyncio.wait({task, limit}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            limit.cancel()
            await asyncio.gather(task, limit, return_exceptions=True)


def _unheard(watch: Watch) -> Answer:
    seconds = watch.answer_seconds_max
    return Answer("", seconds, fault="timeout", problem=f"nothing came back within {seconds:g} s")
