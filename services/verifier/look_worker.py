"""Looks at a service that is live: asks everything once, side by side, and what its target tells of it."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from services.verifier.adapters.observer import Observer
from services.verifier.adapters.prober import Prober
from services.verifier.checks import Check, PortCheck, checks_of
from services.verifier.criteria import Seen, counts, judge_seen
from services.verifier.probe import Answer, Connection, Probe
from services.verifier.sample import Look
from services.verifier.signals import Signals
from services.verifier.watch import LOOK_SLACK_SECONDS, Watch
from shared.clock import Clock

PROBES_AT_ONCE_MAX = 4  # of one look; many looks are made side by side


@dataclass(frozen=True, slots=True)
class Looker:
    """Whatever answers, and whatever can be seen."""

    prober: Prober
    observer: Observer
    clock: Clock

    async def look(self, watch: Watch) -> Look:
        """Return what is seen now, within the time that a look may take; nothing is left under way."""
        at = self.clock.now()
        checks = _asked(watch)
        slots = asyncio.Semaphore(PROBES_AT_ONCE_MAX)

        async def ask(check: Check | PortCheck) -> Seen:
            async with slots:
                return Seen(self.clock.now(), await self._ask(check, watch))

        signals, *answers = await self._within(
            watch.look_seconds_max, [self._signals(watch), *(ask(check) for check in checks)]
        )
        silent = f"nothing came back within {watch.look_seconds_max:g} s"
        unheard = Seen(at, Answer("", watch.look_seconds_max, fault="timeout", problem=silent))
        found = [(check, seen or unheard) for check, seen in zip(checks, answers, strict=True)]
        counted = [(check, seen) for check, seen in found if counts(check, seen)]
        absent = tuple(check.url for check, seen in found if not counts(check, seen)) if counted else ()
        results = [judge_seen(check, seen) for check, seen in counted or found]
        return Look(at, results, signals, absent)

    async def _signals(self, watch: Watch) -> Signals | None:
        place = watch.target.place
        return await self.observer.signals(place) if place and place.lives else None

    async def _ask(self, check: Check | PortCheck, watch: Watch) -> Answer:
        seconds = watch.look_seconds_max - LOOK_SLACK_SECONDS
        private = watch.private_addresses
        if isinstance(check, PortCheck):
            return await self.prober.connect(Connection(check.host, check.port, seconds, private))
        follow, marker = check.follows_redirects, check.marker_header
        return await self.prober.ask(Probe(check.url, seconds, private, follow, marker))

    async def _within(self, seconds: float, doing: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
        """Return what each brings; None for those that are not done in time."""
        tasks = [asyncio.ensure_future(each) for each in doing]
        limit: asyncio.Future[Any] = asyncio.ensure_future(self.clock.sleep(seconds))
        together: asyncio.Future[list[Any]] = asyncio.gather(*tasks)
        try:
            await asyncio.wait({together, limit}, return_when=asyncio.FIRST_COMPLETED)
            if together.done():
                return list(together.result())
            return [task.result() if task.done() else None for task in tasks]
        finally:
            for each in (*tasks, limit):
                each.cancel()
            await asyncio.gather(*tasks, limit, together, return_exceptions=True)


def _asked(watch: Watch) -> Sequence[Check | PortCheck]:
    """Return what is asked of the service: no commands, for they may do anything, and never end."""
    checks = checks_of(watch.target)
    asked = [check for check in checks if isinstance(check, Check | PortCheck)]
    return [check for check in asked if check.url not in watch.absent]
