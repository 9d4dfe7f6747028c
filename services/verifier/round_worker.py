"""Makes a round: asks everything once, side by side, and looks at the processes right after."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.verifier.adapters.commands import Commands
from services.verifier.adapters.observer import Observer
from services.verifier.adapters.port_owner import taken_by_itself
from services.verifier.adapters.prober import Prober
from services.verifier.checks import AnyCheck, Check, PortCheck, ProcessCheck, ProgramCheck
from services.verifier.criteria import Seen
from services.verifier.failure import RUN_ELSEWHERE
from services.verifier.judgement import PROBES_AT_ONCE_MAX, Verification, after_round, patience
from services.verifier.probe import Command, Outcome
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Rounds:
    """Whatever answers, and whatever can be seen."""

    prober: Prober
    observer: Observer
    commands: Commands
    clock: Clock

    async def make(self, verification: Verification, at: datetime) -> Verification:
        """Wait until then, and make a round."""
        wait = (at - self.clock.now()).total_seconds()
        if wait > 0:
            await self.clock.sleep(wait)
        round_at = self.clock.now()
        return after_round(verification, await self.look(verification), round_at)

    async def look(self, verification: Verification) -> Sequence[Seen]:
        """Return what each check brings now, in the order of the tallies; nothing is left under way."""
        slots = asyncio.Semaphore(PROBES_AT_ONCE_MAX)

        async def ask(check: AnyCheck) -> Seen:
            async with slots:
                return await self._ask(check, verification)

        checks = [tally.check for tally in verification.tallies]
        asking = {n: asyncio.ensure_future(ask(each)) for n, each in enumerate(checks) if _is_asked(each)}
        try:
            answers = dict(zip(asking, await asyncio.gather(*asking.values()), strict=True))
        finally:
            for task in asking.values():
                task.cancel()
            await asyncio.gather(*asking.values(), return_exceptions=True)
        return [answers.get(n) or await self._ask(each, verification) for n, each in enumerate(checks)]

    async def _ask(self, check: AnyCheck, verification: Verification) -> Seen:
        now = self.clock.now()
        seconds, private = patience(check, verification, now), verification.private_addresses
        match check:
            case Check():
                return Seen(now, await self.prober.ask(check.question(seconds, private_addresses=private)))
            case PortCheck():
                answer = await self.prober.connect(check.question(seconds, private_addresses=private))
                return Seen(now, await taken_by_itself(check, answer, self.observer))
            case ProgramCheck():
                return Seen(now, await self._run(check, seconds))
            case ProcessCheck():
                return Seen(now, await self.observer.signals(check.place))

    async def _run(self, check: ProgramCheck, seconds: float) -> Outcome:
        target = check.target
        if target.place is None:
            return Outcome(0.0, content=False, unable=RUN_ELSEWHERE)
        env = {"URL": target.base_url, "RELEASE": target.commit}
        folder = Path(target.place.files)
        return await self.commands.run(Command(check.command.command, folder, env, seconds))


def _is_asked(check: AnyCheck) -> bool:
    return not isinstance(check, ProcessCheck)
