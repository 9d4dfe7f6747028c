"""The world that is deployed to: processes, candidates and addresses, which outlive whoever started them.

It keeps what the real adapters keep (`services/deployer/adapters`): what was begun is taken up and never
begun again; what was called off before it began, or discarded, never begins; what has the address is
switched to once. How long things take and how they end is drawn from the seed and the attempt's name,
so that it does not depend on the order in which attempts come.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID

from services.deployer.step_order import Broke, Done, Launched, StepAnswer, StepOrder, Stopped
from services.verifier.checks import WELL_KNOWN
from services.verifier.probe import Answer, Connection, Probe
from shared.clock import Clock
from shared.events import Evidence, LogLine, ProbeTarget, TestResults
from shared.plan import Criteria
from shared.step_types import STEP_TYPES
from tests.simulation.effect import Act, Attempt, attempt_of, stage_of
from tests.simulation.virtual_loop import pause
from tests.simulation.watch import Watch

TRANSIENT = "curl: (6) Could not resolve host: registry.example"
BROKEN = "assertion failed"


@dataclass
class Nature:
    """How often things go wrong, of one; all zero once the faults are over."""

    broke: float = 0.0
    transient: float = 0.0
    endless: float = 0.0
    unfit: float = 0.0  # releases that never answer well
    build_broke: float = 0.0
    build_endless: float = 0.0
    seconds: float = 20.0  # what a step takes, on average


@dataclass
class World:
    """Everything outside."""

    seed: int
    nature: Nature
    watch: Watch
    clock: Clock
    acts: dict[Attempt, Act] = field(default_factory=dict)
    closed: set[Attempt] = field(default_factory=set)  # never to begin, or taken away
    candidates: set[Attempt] = field(default_factory=set)
    switched: set[Attempt] = field(default_factory=set)
    live: dict[str, tuple[UUID, int]] = field(default_factory=dict)  # address -> run and revision

    def drawn(self, *name: object) -> Random:
        """Return the dice of one thing."""
        return Random(f"{self.seed} {' '.join(map(str, name))}")

    @property
    def now(self) -> float:
        """Return virtual seconds."""
        return asyncio.get_running_loop().time()

    async def run(self, order: StepOrder, called_off: asyncio.Event) -> StepAnswer:
        """Begin the attempt, or take it up; bring it to an end once it is called off."""
        this = attempt_of(order)
        if this not in self.acts:
            await pause(self.drawn("ready", this).uniform(0, 0.5))
        if this not in self.acts:
            if called_off.is_set() or this in self.closed:
                return Stopped()  # upon which it is discarded
            self._begin(order, "run")
        act = self.acts[this]
        await self._until(act, called_off)
        if act.outcome == "stopped" or this in self.closed:
            return Stopped("it was still at work")
        tests = _tests(order, act)
        if act.outcome != "done":
            return Broke(self._evidence(order, act), {"exit_code": "1"} if tests else {}, tests)
        if not STEP_TYPES[order.step.type].verified:
            return Done({"said": f"{order.step.id} of {order.revision}"}, tests)
        if this not in self.switched:
            self.candidates.add(this)
        return Launched((self._target(order),))

    async def switch(self, order: StepOrder) -> StepAnswer:
        """Give the candidate the stable address, once."""
        this, address = attempt_of(order), f"{stage_of(order)}/{order.step.id}"
        if this not in self.switched:
            if this not in self.candidates:
                return Broke(Evidence(phase="rollout", kind="target", message="the candidate is not there"))
            self.watch.acts(order, "switch", self.now)
            self.candidates.discard(this)
            self.switched.add(this)
            self.watch.switched(address, order)
            self.live[address] = (order.run, order.revision)
        await pause(self.drawn("switch", this).uniform(0, 2))
        return Done({"url": f"http://stable/{address}"})

    async def discard(self, order: StepOrder) -> StepAnswer:
        """End it and take the candidate away; it never begins again."""
        this = attempt_of(order)
        self.closed.add(this)
        if this in self.acts:
            await self._stop(self.acts[this])
        self.candidates.discard(this)
        return Done()

    async def output(self, order: StepOrder, first_line: int) -> AsyncIterator[Sequence[LogLine]]:
        """Say one line now and then."""
        chance = self.drawn("output", attempt_of(order))
        if first_line or chance.random() > 0.2:
            return
        await pause(chance.uniform(0, 1))
        yield [LogLine(at=self.clock.now(), text=f"{order.step.id} says something")]

    async def ask(self, probe: Probe) -> Answer:
        """Answer as the release that has the address does."""
        parts = urlsplit(probe.url)
        await pause(0.05)
        own = next(path for path in sorted(WELL_KNOWN, key=len, reverse=True) if parts.path.endswith(path))
        run, fit = self._who_answers(parts.netloc, parts.path.removesuffix(own).strip("/"))
        if run is None:
            return Answer(probe.url, 0.05, fault="refused", problem="nobody listens")
        status = 200 if fit else 500
        return Answer(probe.url, 0.05, status=status if own == "/" else 404, release=str(run))

    async def connect(self, connection: Connection) -> Answer:
        """Take no connection: no pipeline here asks for one."""
        return Answer(connection.host, 0.0, fault="refused", problem="nobody listens")

    def _who_answers(self, kind: str, path: str) -> tuple[UUID | None, bool]:
        if kind == "stable":
            run = self.live.get(path, (None, 0))[0]
            return run, self.drawn("stable", run, path).random() >= self.nature.unfit / 2
        name, step, number = path.split("/")
        this = (UUID(name), step, int(number))
        here = this in self.candidates or this in self.switched
        return this[0] if here else None, self.drawn("fit", this).random() >= self.nature.unfit

    def _begin(self, order: StepOrder, what: str) -> None:
        chance = self.drawn("act", attempt_of(order))
        luck, nature = chance.random(), self.nature
        seconds = min(chance.expovariate(1 / nature.seconds), 20 * nature.seconds)
        outcome = "done"
        for bad, share in (("broke", nature.broke), ("transient", nature.transient), ("", nature.endless)):
            if 0 <= luck < share:
                outcome, seconds = bad or "done", seconds if bad else inf
            luck -= share
        act = Act(
            stage_of(order),
            attempt_of(order),
            order.revision,
            what,
            self.now,
            self.now + seconds,
            outcome,
        )
        self.watch.begins(order, act)
        self.acts[act.attempt] = act

    async def _until(self, act: Act, called_off: asyncio.Event) -> None:
        """Wait for its end, and bring that about when it is called off."""
        calling = asyncio.ensure_future(called_off.wait())
        try:
            while act.goes_on(self.now) and not called_off.is_set():
                left = min(act.ends - self.now, 3600.0)
                await asyncio.wait({calling}, timeout=left)
        finally:
            calling.cancel()
        if act.goes_on(self.now):
            await self._stop(act)

    async def _stop(self, act: Act) -> None:
        """End it within its grace."""
        if act.goes_on(self.now) and act.outcome != "stopped":
            act.outcome = "stopped"
            act.ends = self.now + self.drawn("grace", act.attempt).uniform(0, 5)
        await pause(act.ends - self.now)

    def _evidence(self, order: StepOrder, act: Act) -> Evidence:
        verified = STEP_TYPES[order.step.type].verified
        phase: Literal["build", "deploy", "rollout"] = "rollout" if verified else "deploy"
        if act.outcome == "transient":
            phase = "build"  # in which the classifier takes what follows for a failure that may pass
        text = TRANSIENT if act.outcome == "transient" else BROKEN
        line = LogLine(at=self.clock.now(), text=text)
        return Evidence(
            phase=phase,
            kind="process",
            what=order.step.name,
            message=f"{order.step.id} exited 1",
            exit_code=1,
            finished_at=self.clock.now(),
            log_tail=(line,),
        )

    def _target(self, order: StepOrder) -> ProbeTarget:
        run, step, number = attempt_of(order)
        criteria = Criteria.model_validate(order.step.params["verify"])
        url = f"http://candidate/{run}/{step}/{number}"
        return ProbeTarget(service=step, base_url=url, criteria=criteria, release=order.release)


def _tests(order: StepOrder, act: Act) -> TestResults | None:
    if order.step.type != "APPROVAL:TEST":
        return None
    good = act.outcome == "done"
    return TestResults(exit_code=0 if good else 1, passed=3, failed=0 if good else 1, skipped=0)
