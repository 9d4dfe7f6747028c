"""The real services, wired as their `app.py` does but for the world: one process of an installation.

Real: ingest, deployer, builder, verifier, classifier and the status projector, their tables, the bus, durable
work, timers. Played: the forge and the synthesizer's look at a commit (`forge.py`), what the deployer deploys
to, the builder's bench, the verifier's network (`world.py`, `workshop.py`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass
from random import Random
from typing import Any, cast

from services.builder.adapters.workspace import Bench
from services.builder.build_worker import BuildWorker
from services.builder.handlers import Builder
from services.classifier import app as classifier
from services.classifier.settings import ClassifierSettings
from services.deployer import app as deployer_app
from services.deployer.handlers import Deployer
from services.ingest.accept_queue import AcceptQueue
from services.ingest.body import BodyRoom
from services.ingest.handlers import Ingest
from services.ingest.routes.webhooks import Webhooks
from services.ingest.store import IngestStore
from services.status.handlers import Projector
from services.status.projection import TARGETS
from services.status.store.writing import Projection
from services.verifier import app as verifier
from services.verifier.adapters.fakes import FakeCommands, FakeObserver
from services.verifier.round_worker import Rounds
from services.verifier.settings import VerifierSettings
from shared.artifacts import ArtifactStore
from shared.bus import Subscription
from shared.bus.embedded import EmbeddedBus
from shared.db import ServiceDatabase
from shared.delivery import Handler
from shared.events import (
    BuildRequested,
    Message,
    PlanRejected,
    PushReceived,
    RevisionPlanned,
    RunCancelled,
    RunFailed,
    RunTimedOut,
)
from shared.step_types import STEP_TYPES
from shared.timers import Ticker
from shared.work import Workers
from tests.simulation.forge import Door, Forge, Vault
from tests.simulation.process import Process
from tests.simulation.virtual_loop import LIFE, pause
from tests.simulation.workshop import Workshop
from tests.simulation.world import World

Part = Callable[[], Awaitable[None]]
FIRST = "one"  # the only process with those services whose replicas would do no more than repeat each other


@dataclass
class Post:
    """What the bus does to messages; nothing once the faults are over."""

    dice: Random
    count: Callable[[str, str], None]
    late: float = 0.0
    twice: float = 0.0
    much_later: float = 0.0  # once more, behind what came after it

    def through(self, handler: Handler) -> Handler:
        """Return the handler as messages reach it."""

        async def delivered(message: Message[Any]) -> None:
            if self.dice.random() < self.late:
                self.count("fault", "delayed")
                await pause(self.dice.expovariate(1.0))
            await handler(message)
            if self.dice.random() < self.twice:
                self.count("fault", "duplicated")
                await handler(message)
            if self.dice.random() < self.much_later:
                self.count("fault", "repeated behind others")
                asyncio.create_task(self._later(handler, message)).add_done_callback(_seen)

        return delivered

    async def _later(self, handler: Handler, message: Message[Any]) -> None:
        await pause(self.dice.expovariate(1 / 60.0))
        await handler(message)


async def _lived(part: Part) -> None:
    await part()


def _seen(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()):
        task.get_loop().call_exception_handler({"message": "a late duplicate broke", "exception": error})


@dataclass(frozen=True)
class Installation:
    """What all processes have in common."""

    world: World
    workshop: Workshop
    post: Post
    forge: Forge

    def start(self, process: Process) -> "asyncio.Task[None]":
        """Begin a process's life."""
        own = Context()
        own.run(LIFE.set, process.life)
        return asyncio.get_running_loop().create_task(self._run(process), context=own)

    async def _run(self, process: Process) -> None:
        heard: list[Subscription] = []
        parts: list[Part] = []
        everywhere = (self._ingest, self._synthesizer, self._deployer, self._builder, self._verifier)
        once = (self._classifier, self._status) if process.name == FIRST else ()
        for wire in (*everywhere, *once):
            subscription, its = wire(process)
            heard.append(self._posted(subscription))
            parts += its
        bus = EmbeddedBus(process, heard)
        async with asyncio.TaskGroup() as tasks:
            for part in (bus.run, *parts):
                tasks.create_task(_lived(part))

    def _posted(self, heard: Subscription) -> Subscription:
        handlers = {kind: self.post.through(handler) for kind, handler in heard.handlers.items()}
        return Subscription(heard.db, handlers, together=heard.together if not self.post.twice else {})

    def _ingest(self, process: Process) -> tuple[Subscription, list[Part]]:
        db = ServiceDatabase(process, "ingest")
        store = IngestStore(db)
        queue = AcceptQueue(store)
        self.forge.doors[process.name] = Door(process, Webhooks(store, Vault(), queue, BodyRoom()))
        ingest = Ingest(store)
        heard: dict[Any, Handler] = {
            RevisionPlanned: ingest.revision_planned,
            PlanRejected: ingest.plan_rejected,
        }
        return Subscription(db, heard), [queue.run, Ticker(process.clock, store.resume).run]

    def _synthesizer(self, process: Process) -> tuple[Subscription, list[Part]]:
        db = ServiceDatabase(process, "synthesizer")

        async def push_received(message: Message[PushReceived]) -> None:
            await self.forge.push_received(message, db)

        return Subscription(db, {PushReceived: push_received}), []

    def _deployer(self, process: Process) -> tuple[Subscription, list[Part]]:
        db = ServiceDatabase(process, "deployer")
        deployer = Deployer(db, lambda at: ticker.due(at))  # noqa: PLW0108 - the ticker comes after
        ticker = Ticker(process.clock, deployer.resume)
        workers = Workers(db, process.name, slots=4, share_slots=3)
        carriers = dict.fromkeys(STEP_TYPES, self.world)
        kinds = deployer_app.workers_by_kind(deployer, workers, carriers)
        return deployer_app.subscription(deployer), [ticker.run, lambda: workers.run(kinds)]

    def _builder(self, process: Process) -> tuple[Subscription, list[Part]]:
        db = ServiceDatabase(process, "builder")
        builder = Builder(db, cast("ArtifactStore", self.workshop))
        workers = Workers(db, process.name, slots=3, share_slots=2)
        worker = BuildWorker(db, workers, cast("Bench", self.workshop))
        heard: dict[Any, Handler] = {
            BuildRequested: builder.build_requested,
            RunCancelled: builder.run_ended,
            RunFailed: builder.run_ended,
            RunTimedOut: builder.run_ended,
        }
        return Subscription(db, heard), [lambda: workers.run({"build": worker})]

    def _verifier(self, process: Process) -> tuple[Subscription, list[Part]]:
        settings = VerifierSettings(replica=process.name)
        rounds = Rounds(self.world, FakeObserver(), FakeCommands(), process.clock)
        service = verifier.wire(process, settings, rounds)
        return service.subscription, list(service.background)

    def _classifier(self, process: Process) -> tuple[Subscription, list[Part]]:
        service = classifier.build(process, ClassifierSettings())
        return service.subscription, []

    def _status(self, process: Process) -> tuple[Subscription, list[Part]]:
        db = ServiceDatabase(process, "status")
        projector = Projector(Projection(db))
        hears = dict.fromkeys(TARGETS, projector.hear)
        # Not patient, as it is with others beside it: that is for the sake of speed, and costs us time.
        together = dict.fromkeys(hears, projector.hear_together)
        return Subscription(db, hears, together=together), [projector.run]
