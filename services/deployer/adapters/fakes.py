"""A step carrier that does what a test tells it to, beside the real ones."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from services.deployer.step_order import Broke, Done, Launched, Proposed, StepAnswer, StepOrder, Stopped
from shared.events import Evidence, LogLine, ProbeTarget, ProposedChanges, TestResults
from shared.plan import Criteria
from shared.step_types import STEP_TYPES


@dataclass
class FakeCarrier:
    """Answers at once unless a step is held; keeps what took effect, by run and step."""

    effects: list[tuple[str, str, str]] = field(default_factory=list)  # (action, run, step)
    failing: set[str] = field(default_factory=set)  # steps that break
    results: dict[str, TestResults] = field(default_factory=dict)  # of steps that test, however they end
    proposals: dict[str, ProposedChanges] = field(default_factory=dict)  # of steps that propose first
    spoilt: set[str] = field(default_factory=set)  # steps whose proposal cannot be applied
    held: dict[str, asyncio.Event] = field(default_factory=dict)  # steps that wait to be let go
    held_discards: dict[str, asyncio.Event] = field(default_factory=dict)  # likewise, their candidates
    discarding: asyncio.Event = field(default_factory=asyncio.Event)  # set once one is being discarded
    live: dict[str, str] = field(default_factory=dict)  # step -> release that has the address
    candidates: set[tuple[str, str]] = field(default_factory=set)
    lines: dict[str, list[LogLine]] = field(default_factory=lambda: defaultdict(list))

    def hold(self, step: str, stage: str = "") -> asyncio.Event:
        """Make the step wait, in every stage or in one, until the returned event is set."""
        return self.held.setdefault(f"{stage}/{step}" if stage else step, asyncio.Event())

    def hold_discard(self, step: str) -> asyncio.Event:
        """Keep the step's candidate until the returned event is set."""
        return self.held_discards.setdefault(step, asyncio.Event())

    async def run(self, order: StepOrder, called_off: asyncio.Event) -> StepAnswer:
        """Take effect once per attempt, wait if held, then answer."""
        step = order.step.id
        effect = ("run", order.log, step)
        if effect not in self.effects:
            if called_off.is_set():
                return Stopped()
            self.effects.append(effect)
        let_go = self.held.get(step) or self.held.get(f"{order.stage}/{step}")
        if let_go and await self._called_off_first(let_go, called_off):
            return Stopped(f"{step} was still held")
        tests = self.results.get(step)
        outputs = {"exit_code": str(tests.exit_code)} if tests else {}
        if step in self.failing:
            return Broke(_exited_1(step), outputs, tests)
        if step in self.proposals:
            return Proposed(self.proposals[step])
        if not STEP_TYPES[order.step.type].verified:
            return Done(outputs, tests)
        self.candidates.add((step, order.release))
        target = ProbeTarget(service=step, base_url=f"http://candidate/{order.revision}", criteria=Criteria())
        return Launched((target,))

    async def apply(self, order: StepOrder, called_off: asyncio.Event) -> StepAnswer:
        """Take effect once per attempt, wait if held, then answer."""
        step = order.step.id
        effect = ("apply", order.log, step)
        if effect not in self.effects:
            if called_off.is_set():
                return Stopped()
            self.effects.append(effect)
        let_go = self.held.get(f"{step} apply")
        if let_go and await self._called_off_first(let_go, called_off):
            return Stopped(f"{step} was still applying")
        return Broke(_exited_1(step)) if step in self.spoilt else Done({"made": self.proposals[step].summary})

    async def switch(self, order: StepOrder) -> StepAnswer:
        """Make the candidate the live release."""
        self.live[order.step.id] = order.release
        self.candidates.discard((order.step.id, order.release))
        return Done({"url": f"http://stable/{order.stage}/{order.step.id}"})

    async def discard(self, order: StepOrder) -> StepAnswer:
        """Forget the candidate."""
        self.discarding.set()
        if order.step.id in self.held_discards:
            await self.held_discards[order.step.id].wait()
        self.candidates.discard((order.step.id, order.release))
        return Done()

    async def output(self, order: StepOrder, first_line: int) -> AsyncIterator[Sequence[LogLine]]:
        """Yield the lines the test wrote."""
        lines = self.lines[order.log][first_line:]
        if lines:
            yield lines

    @staticmethod
    async def _called_off_first(let_go: asyncio.Event, called_off: asyncio.Event) -> bool:
        waiting = [asyncio.ensure_future(let_go.wait()), asyncio.ensure_future(called_off.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            return called_off.is_set() and not let_go.is_set()
        finally:
            for task in waiting:
                task.cancel()


def _exited_1(step: str) -> Evidence:
    return Evidence(phase="deploy", kind="process", message=f"{step} exited 1", exit_code=1)
