"""Carries out a step's actions as durable work, publishes its output, and writes its answer."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import structlog

from services.deployer.handlers import Deployer
from services.deployer.late_values import lacking
from services.deployer.pipeline_moves import locked
from services.deployer.step_carrier import ProposingCarrier, StepCarrier
from services.deployer.step_moves import StepMoves
from services.deployer.step_order import (
    Action,
    Broke,
    Done,
    Proposed,
    StepAnswer,
    StepOrder,
    Stopped,
)
from services.deployer.step_orders import StepOrders
from services.deployer.store import Known, Store, lock_pipeline
from shared.attempt_log import AttemptLog
from shared.db import ServiceDatabase, Transaction
from shared.delivery import failure_of
from shared.events import Evidence, LogLine
from shared.step_types import STEP_TYPES
from shared.work import Claim, Workers

ANSWER_TURNS_MAX = 12  # of the loop, from a process's last line to its answer: about eight
FIRST = 1  # the fence of an order's first claim
MOMENT_SECONDS_MAX = 900.0  # of one try of what should be over in a moment: a grace period, a slow disk

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class StepWorker:
    """The worker for one kind of action."""

    deployer: Deployer
    workers: Workers
    carriers: Mapping[str, StepCarrier]  # by step type
    action: Action
    orders: StepOrders

    @property
    def db(self) -> ServiceDatabase:
        """Return the deployer's database."""
        return self.deployer.db

    async def work(self, claim: Claim) -> None:
        """Carry the action out from wherever an earlier life left it, and write the answer."""
        order, mistake = await self.orders.of(claim)
        if mistake and self.action != "discard":  # what is taken away needs no values
            await self._write(claim, order, Broke(lacking(order.step, mistake, self.db.clock.now())))
        else:
            await self._write(claim, order, *await self._act(claim, order))

    async def _act(self, claim: Claim, order: StepOrder) -> tuple[StepAnswer, Sequence[LogLine]]:
        """Return the answer, and the lines of output that are to be published with it."""
        carrier = self.carriers[order.step.type]
        match self.action:
            case "run":
                return await self._published(claim, carrier, order, _run(carrier, order, claim.cancelled))
            case "apply":
                assert isinstance(carrier, ProposingCarrier), "whoever proposed changes can make them"
                applied = carrier.apply(order, claim.cancelled)
                return await self._published(claim, carrier, order, applied)
            case "switch":
                async with asyncio.timeout(MOMENT_SECONDS_MAX):
                    return await carrier.switch(order), ()
            case "discard":
                async with asyncio.timeout(MOMENT_SECONDS_MAX):
                    return await carrier.discard(order), ()
            case _:
                assert_never(self.action)

    async def give_up(self, claim: Claim, why: str) -> None:
        """Answer for an action that could not be carried out, and try to leave nothing of it behind."""
        order, _ = await self.orders.of(claim)
        if self.action == "run":
            left = await failure_of(self._discard(order))
            if left is not None:  # it never takes traffic; the stage must not wait for it for ever
                log.error("candidate.left_behind", step=order.step.id, attempt=order.log, exc_info=left)
        evidence = Evidence(
            phase="rollout" if STEP_TYPES[order.step.type].verified else "deploy",
            kind="error",
            what=order.step.name,
            message=f"step '{order.step.name}' could not be carried out ({self.action}): {why}",
            finished_at=self.db.clock.now(),
        )
        answer: StepAnswer = Done() if self.action == "discard" else Broke(evidence)
        await self._write(claim, order, answer)

    async def _discard(self, order: StepOrder) -> None:
        await self.carriers[order.step.type].discard(order)

    async def _published(
        self, claim: Claim, carrier: StepCarrier, order: StepOrder, action: Awaitable[StepAnswer]
    ) -> tuple[StepAnswer, Sequence[LogLine]]:
        """Act while the output of it is published; return the last of it, if that can go with the answer."""
        answered = asyncio.Event()
        publishing = asyncio.create_task(self._publish(claim, carrier, order, answered))
        try:
            answer = await action
            answered.set()
            return answer, await publishing
        finally:
            publishing.cancel()

    async def _publish(
        self, claim: Claim, carrier: StepCarrier, order: StepOrder, answered: asyncio.Event
    ) -> Sequence[LogLine]:
        """Publish batch by batch; return the one that came together with the answer: a commit less."""
        log = _log(order)
        first_line = 0
        if claim.fence > FIRST or self.action != "run":  # somebody may have said something before
            async with self.db.reading() as reading:
                first_line = await log.next_line(reading)
        last: Sequence[LogLine] = ()
        async for lines in carrier.output(order, first_line):
            if last:
                await self._append(claim, log, last)
            # A first answer is as good as written. Lines do not wait for one that could not be.
            last = lines if claim.attempts == 0 and await _soon(answered) else ()
            if not last:
                await self._append(claim, log, lines)
        return last

    async def _append(self, claim: Claim, log: AttemptLog, lines: Sequence[LogLine]) -> None:
        async with self.workers.holding(claim, "step.log") as tx:
            await log.append(tx, lines)

    async def _write(
        self, claim: Claim, order: StepOrder, answer: StepAnswer, lines: Sequence[LogLine] = ()
    ) -> None:
        async def lock(tx: Transaction) -> None:  # as whoever cancels an order has
            await lock_pipeline(tx, order.pipeline)

        async with self.workers.finishing(claim, lock) as tx:
            store = Store(tx, Known(locked={order.pipeline}))
            moves = await locked(store, order.pipeline)
            await store.open_runs(order.pipeline)  # among them this run: it is not read by itself
            run = await store.run(order.run)
            assert run is not None, "an ordered step belongs to a run"
            run_moves = await moves.moves_of(run)
            record = run_moves.steps[order.step.id]
            await StepMoves(run_moves, record, order.step).take(self.action, answer)
            is_last = self.action in {"run", "apply"} and not isinstance(answer, Proposed)
            if lines or is_last:
                await _log(order).append(tx, lines, last=is_last)
            await moves.go_on()
        self.deployer.due(store.nearest_limit)


async def _soon(answered: asyncio.Event) -> bool:
    """Tell whether the answer comes right after its output, as that of a process does which has ended."""
    for _ in range(ANSWER_TURNS_MAX):
        if answered.is_set():
            break
        await asyncio.sleep(0)
    return answered.is_set()


def _log(order: StepOrder) -> AttemptLog:
    return AttemptLog(order.log, order.pipeline, order.revision, order.stage, order.step.id)


async def _run(carrier: StepCarrier, order: StepOrder, called_off: asyncio.Event) -> StepAnswer:
    """Run the step; a broken or stopped one leaves no candidate."""
    answer = await carrier.run(order, called_off)
    if isinstance(answer, Broke | Stopped):
        await carrier.discard(order)
    return answer
