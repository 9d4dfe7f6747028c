"""Who pushes and who asks for things, as chance has it; and, in the end, who puts everything right.

A push is told by the forge. An operation goes the way it goes behind the HTTP API.
"""

import asyncio
from contextvars import Context
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid5

from services.status.store.operations import OperationStore
from shared.db import ServiceDatabase
from shared.events import (
    DefinitionHeld,
    Event,
    OperationRequested,
    RevisionPlanned,
    RunQueued,
    StageStopped,
    StepWaiting,
)
from shared.ids import Pipeline, Stage
from tests.builders import ROOT
from tests.simulation.forge import Forge
from tests.simulation.process import Process
from tests.simulation.reactions import Wish, wishes
from tests.simulation.shapes import NAMES, PEOPLE, Shape
from tests.simulation.virtual_loop import pause
from tests.simulation.watch import Watch

ASKED = (
    "cancel", "cancel", "retry", "retry", "retry", "rollback", "rollback", "roll_forward", "roll_forward",
    "stop", "resume", "resume", "release_hold", "lift_blocker", "override_window", "reject", "approve",
    "approve",
)  # fmt: skip


@dataclass
class Crowd:
    """The people of an installation. Their own process never fails; what they hold is in their heads."""

    dice: Random
    process: Process
    watch: Watch
    shapes: list[Shape]
    forge: Forge
    pushes_per_hour: float
    asks_per_hour: float
    eagerness: float  # how often people ask for what an event makes them think of
    asked: int = 0

    async def act(self, until: float) -> None:
        """Push and ask until then."""
        rate = (self.pushes_per_hour + self.asks_per_hour) / 3600
        late: RevisionPlanned | None = None  # a revision that comes behind the next one
        while True:
            await pause(self.dice.expovariate(rate))
            if asyncio.get_running_loop().time() >= until:
                break
            if self.dice.random() * (self.pushes_per_hour + self.asks_per_hour) > self.pushes_per_hour:
                await self.ask_something()
                continue
            for _ in range(self.dice.choice((1, 1, 1, 1, 2, 4))):  # now and then several in a burst
                planned = self.dice.choice(self.shapes).planned()
                if late is None and self.dice.random() < 0.05:
                    late = planned
                    continue
                self.forge.pushed(planned)
                if late is not None:
                    self.forge.pushed(late)
                    late = None
        if late is not None:
            self.forge.pushed(late)

    async def ask_something(self) -> None:
        """Ask for whatever comes to mind."""
        shape = self.dice.choice(self.shapes)
        stage = self.dice.choice(NAMES[: len(shape.stages)])
        await self.ask_for(shape, self.dice.choice(ASKED), stage)

    async def ask_for(self, shape: Shape, kind: str, stage: str, shown: str = "") -> None:
        """Ask for it, in one of the ways there are."""
        fields: dict[str, Any] = {"shown": shown}
        runs = [each for each in self.watch.events if isinstance(each, RunQueued) and each.stage == stage]
        if runs and self.dice.random() < 0.1:
            fields["run"] = self.dice.choice(runs[-10:]).run
        if kind in {"rollback", "roll_forward", "release_hold"} and self.dice.random() < 0.3:
            fields["revision"] = self.dice.randint(1, max(shape.revision, 1))
        if kind == "rollback":
            fields["dry_run"] = self.dice.random() < 0.2
        if kind == "retry":
            fields["from_failed_step"] = self.dice.random() < 0.5
        if kind in {"stop", "resume"} and self.dice.random() < 0.3:
            stage = "*"
        if kind == "override_window":
            fields["until"] = self.process.clock.now() + timedelta(hours=self.dice.uniform(-0.1, 3))
        await self.ask(shape.pipeline, kind, stage, **fields)

    async def ask(self, pipeline: str, kind: str, stage: str, **fields: Any) -> UUID:
        """Ask for an operation, as the API does; now and then twice under one key."""
        self.asked += 1
        operation = uuid5(ROOT, f"operation {self.asked}")
        asked = {"kind": kind, "actor": self.dice.choice(PEOPLE), "reason": "because", **fields}
        event = OperationRequested(
            pipeline=Pipeline(pipeline), stage=Stage(stage), operation=operation, **asked
        )
        for _ in range(self.dice.choice((1, 1, 1, 2))):
            await OperationStore(ServiceDatabase(self.process, "status")).ask(event, "")
        return operation

    def react(self, event: Event) -> None:
        """Have people ask for what an event makes them think of."""
        for wish in wishes(self.dice, self.eagerness, event):
            # In a context of its own: it is no part of the process that happened to say the event.
            asking = asyncio.get_running_loop().create_task(self._wish(wish), context=Context())
            asking.add_done_callback(_seen)

    async def _wish(self, wish: Wish) -> None:
        await pause(wish.seconds)
        if self.eagerness:  # nobody asks for anything once the faults are over
            shape = next(shape for shape in self.shapes if shape.pipeline == wish.pipeline)
            await self.ask_for(shape, wish.kind, wish.stage, wish.shown)

    def answer_gates(self, event: Event) -> None:
        """Have somebody go to a gate that opened, most often; to a changed file in any case, in the end."""
        if isinstance(event, StepWaiting) and event.needed:
            if self.dice.random() < 0.15:
                return
            step = event.step
        elif isinstance(event, DefinitionHeld) and not self.eagerness:
            step = ""
        else:
            return
        for actor in self.dice.sample(PEOPLE, self.dice.choice((2, 3))):
            answering = asyncio.get_running_loop().create_task(
                self._answer(event, step, actor), context=Context()
            )
            answering.add_done_callback(_seen)

    async def _answer(self, gate: StepWaiting | DefinitionHeld, step: str, actor: str) -> None:
        await pause(self.dice.expovariate(1 / 600.0))
        verdict = "reject" if step and self.dice.random() < 0.1 else "approve"
        shown = (
            gate.shown if not step or self.dice.random() < 0.8 else self.dice.choice(("", "something else"))
        )
        await self.ask(gate.pipeline, verdict, gate.stage, actor=actor, step=step, shown=shown)

    async def try_again(self) -> list[UUID]:
        """Open what was stopped or held, and retry whatever ended badly; return those retries."""
        for shape in self.shapes:
            for stage in ("*", *self.stopped(shape.pipeline)):
                await self.ask(shape.pipeline, "resume", stage)
        for held in [each for each in self.watch.events if isinstance(each, DefinitionHeld)]:
            if not self.watch.runs[held.run].over:
                await self.ask(held.pipeline, "approve", held.stage, run=held.run, shown=held.shown)
        return [
            await self.ask(shape.pipeline, "retry", stage.name)
            for shape in self.shapes
            for stage in shape.stages
        ]

    def stopped(self, pipeline: str) -> list[str]:
        """Return the stages that were ever stopped."""
        stops = [e for e in self.watch.events if isinstance(e, StageStopped) and e.pipeline == pipeline]
        return sorted({stop.stage for stop in stops} - {"*"})

    def push_plain(self) -> None:
        """Push what nothing is wrong with and nothing stands in the way of."""
        for shape in self.shapes:
            shape.plain()
            self.forge.pushed(shape.planned())


def _seen(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()):
        task.get_loop().call_exception_handler({"message": "somebody could not answer", "exception": error})
