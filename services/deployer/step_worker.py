"""Carries out a step's actions as durable work, publishes its output, and writes its answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

import structlog

from services.deployer.handlers import Deployer
from services.deployer.late_values import filled_in, lacking
from services.deployer.pipeline_moves import locked
from services.deployer.records import StepRecord
from services.deployer.run_moves import RunMoves
from services.deployer.step_carrier import StepCarrier
from services.deployer.step_order import Action, Broke, Done, Launched, StepAnswer, StepOrder, Stopped
from services.deployer.step_state import StepTrigger, advance
from services.deployer.store import (
    Known,
    Store,
    lock_pipeline,
    read_artifacts,
    read_given,
    read_revision,
    read_run,
)
from shared.attempt_log import AttemptLog
from shared.db import ServiceDatabase, Transaction
from shared.delivery import failure_of
from shared.events import (
    AttemptFailed,
    Event,
    Evidence,
    StepCancelled,
    StepFailed,
    StepSucceeded,
    StepTimedOut,
)
from shared.ids import Digest
from shared.language.expression import Mistake
from shared.plan import StepPlan
from shared.step_types import STEP_TYPES
from shared.work import Claim, Workers

CLASSIFY_SECONDS_MAX = 60.0  # for the classifier to say whether a failure may pass; then it counts as final

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class StepWorker:
    """The worker for one kind of action."""

    deployer: Deployer
    workers: Workers
    carriers: Mapping[str, StepCarrier]  # by step type
    action: Action

    @property
    def db(self) -> ServiceDatabase:
        """Return the deployer's database."""
        return self.deployer.db

    async def work(self, claim: Claim) -> None:
        """Carry the action out from wherever an earlier life left it, and write the answer."""
        order, mistake = await self._order(claim)
        if mistake and self.action != "discard":  # what is taken away needs no values
            answer: StepAnswer = Broke(lacking(order.step, mistake, self.db.clock.now()))
        else:
            answer = await self._act(claim, order)
        await self._write(claim, order, answer)

    async def _act(self, claim: Claim, order: StepOrder) -> StepAnswer:
        carrier = self.carriers[order.step.type]
        match self.action:
            case "run":
                return await self._run(claim, carrier, order)
            case "switch":
                return await carrier.switch(order)
            case "discard":
                return await carrier.discard(order)
            case _:
                assert_never(self.action)

    async def give_up(self, claim: Claim, why: str) -> None:
        """Answer for an action that could not be carried out, and try to leave nothing of it behind."""
        order, _ = await self._order(claim)
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

    async def _order(self, claim: Claim) -> tuple[StepOrder, Mistake | None]:
        """Return what is to be done; with a mistake, when a value is lacking that it cannot be done without.

        What earlier steps gave is read together with the rest: they are over before this one is ordered.
        """
        payload = claim.order.payload
        async with self.db.reading() as reading:
            run = await read_run(reading, UUID(payload["run"]))
            revision = await read_revision(reading, run.pipeline, run.revision)
            pinned = await read_artifacts(reading, run.pipeline, run.revision)
            stage = next(stage for stage in revision.plan.stages if stage.name == run.stage)
            step = next(step for step in stage.steps if step.id == payload["step"])
            steps = await read_given(reading, run) if step.late else {}
        artifacts = {id_: Digest(artifact.digest) for id_, artifact in pinned.items()}
        filled = filled_in(step, steps, artifacts)
        order = StepOrder(
            pipeline=revision.plan.pipeline,
            stage=stage.name,
            run=run.run,
            revision=run.revision,
            commit=revision.plan.commit,
            branch=revision.plan.branch,
            tag=revision.plan.tag,
            step=step if isinstance(filled, Mistake) else filled,
            attempt=payload["attempt"],
            artifacts=artifacts,
        )
        return order, filled if isinstance(filled, Mistake) else None

    async def _run(self, claim: Claim, carrier: StepCarrier, order: StepOrder) -> StepAnswer:
        """Run the step while its output is published; a broken or stopped one leaves no candidate."""
        publishing = asyncio.create_task(self._publish(claim, carrier, order))
        try:
            answer = await carrier.run(order, claim.cancelled)
            if isinstance(answer, Broke | Stopped):
                await carrier.discard(order)
            await publishing
        finally:
            publishing.cancel()
        return answer

    async def _publish(self, claim: Claim, carrier: StepCarrier, order: StepOrder) -> None:
        log = _log(order)
        async with self.db.reading() as reading:
            first_line = await log.next_line(reading)
        async for lines in carrier.output(order, first_line):
            async with self.workers.holding(claim, "step.log") as tx:
                await log.append(tx, lines)

    async def _write(self, claim: Claim, order: StepOrder, answer: StepAnswer) -> None:
        async def lock(tx: Transaction) -> None:  # as whoever cancels an order has
            await lock_pipeline(tx, order.pipeline)

        async with self.workers.finishing(claim, lock) as tx:
            store = Store(tx, Known(locked={order.pipeline}))
            moves = await locked(store, order.pipeline)
            run = await store.run(order.run)
            assert run is not None, "an ordered step belongs to a run"
            run_moves = await moves.moves_of(run)
            record = run_moves.steps[order.step.id]
            await _Answering(run_moves, record, order.step).take(self.action, answer)
            if self.action == "run":
                await _log(order).append(tx, (), last=True)
            await moves.go_on()
        self.deployer.due(store.nearest_limit)


@dataclass(frozen=True, slots=True)
class _Answering:
    """Writes an answer into the step's row and says it."""

    moves: RunMoves
    record: StepRecord
    step: StepPlan

    async def take(self, action: Action, answer: StepAnswer) -> None:
        match answer:
            case Done() if action == "discard" and self.record.outcome is StepTrigger.BROKE:
                assert self.record.evidence is not None, "what broke left evidence"
                await self._broke(self.record.evidence)
            case Done() if action == "discard":
                await self._end(self.record.outcome or StepTrigger.STOPPED, self.record.evidence)
            case Done(outputs):
                await self._succeed(dict(outputs))
            case Launched(targets):
                targets_document = [target.model_dump(mode="json") for target in targets]
                state = advance(self.record.state, StepTrigger.CANDIDATE_UP)
                await self._change(state=state, targets=targets_document, outcome=None)
            case Broke(evidence) if action == "switch":
                await self.moves.discard(self.record, StepTrigger.BROKE, evidence.message, evidence)
            case Broke(evidence):
                await self._broke(evidence)
            case Stopped(unfinished):
                await self._end(self.record.outcome or StepTrigger.STOPPED, None, unfinished)
            case _:
                assert_never(answer)

    async def _succeed(self, outputs: dict[str, str]) -> None:
        state = advance(self.record.state, StepTrigger.DONE)
        await self._change(state=state, outputs=outputs, finished_at=self._now)
        self._say(StepSucceeded(**self._about, outputs=outputs))

    async def _broke(self, evidence: Evidence) -> None:
        """End the step, or have found out whether it is tried again."""
        doubted = self.record.attempt < self.step.attempts.max and self.moves.goes_on
        if not doubted:
            await self._end(StepTrigger.BROKE, evidence)
            return
        await self._change(
            state=advance(self.record.state, StepTrigger.ATTEMPT_BROKE),
            evidence=evidence.model_dump(mode="json"),
            outcome=None,
            outcome_reason=None,
            deadline_at=self._now + timedelta(seconds=CLASSIFY_SECONDS_MAX),
        )
        maximum, kind = self.step.attempts.max, self.moves.run.kind
        self._say(AttemptFailed(**self._about, evidence=evidence, attempts_max=maximum, run_kind=kind))

    async def _end(self, trigger: StepTrigger, evidence: Evidence | None, unfinished: str = "") -> None:
        """End the step badly."""
        state = advance(self.record.state, trigger)
        if trigger is StepTrigger.LIMIT_PASSED:
            evidence = self._limit_evidence(unfinished)
        document = evidence.model_dump(mode="json") if evidence else None
        await self._change(state=state, evidence=document, finished_at=self._now)
        reason = self.record.outcome_reason or "its run is ending"
        said: dict[StepTrigger, Event] = {StepTrigger.STOPPED: StepCancelled(**self._about, reason=reason)}
        if evidence and trigger is StepTrigger.BROKE:
            said[trigger] = StepFailed(**self._about, evidence=evidence)
        if evidence and trigger is StepTrigger.LIMIT_PASSED:
            said[trigger] = StepTimedOut(**self._about, evidence=evidence)
        self._say(said[trigger])

    def _limit_evidence(self, unfinished: str) -> Evidence:
        limit = f"{self.step.timeout_seconds:g} s, its time limit"
        why = f": {unfinished}" if unfinished else ""
        return Evidence(
            phase="rollout" if STEP_TYPES[self.step.type].verified else "deploy",
            kind="timeout",
            what=self.step.name,
            message=f"step '{self.step.name}' did not finish within {limit}{why}",
            finished_at=self._now,
        )

    @property
    def _tx(self) -> Transaction:
        return self.moves.store.tx

    @property
    def _now(self) -> datetime:
        return self._tx.now

    @property
    def _about(self) -> dict[str, object]:
        return self.moves.about_step(self.record.step, self.record.attempt)

    def _say(self, event: Event) -> None:
        self._tx.emit(event, f"{self.record.run} {self.record.step} {self.record.attempt}")

    async def _change(self, **values: object) -> None:
        await self.moves.store.change_step(self.record, **values)


def _log(order: StepOrder) -> AttemptLog:
    return AttemptLog(order.log, order.pipeline, order.revision, order.stage, order.step.id)
