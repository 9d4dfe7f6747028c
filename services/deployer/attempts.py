"""What happens between two attempts of a step.

An attempt that failed is tried again only if the failure may pass by itself, which the classifier says
(DESIGN 9), and only as often as the plan says. Until it has said so the step is Doubtful; if nobody says
anything in time, the failure is final.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from services.deployer.gate import ASKS_WHEN_FAILED, Failure
from services.deployer.gate_moves import GateMoves
from services.deployer.records import StepRecord
from services.deployer.step_state import DOUBTED, StepTrigger, advance
from shared.events import AttemptClassified, StepBackingOff, StepCancelled, StepFailed
from shared.plan import Attempts as AttemptsPlan

if TYPE_CHECKING:
    from services.deployer.run_moves import RunMoves


def backoff(plan: AttemptsPlan, attempt: int) -> timedelta:
    """Return how long to wait after this attempt, from 1: doubled each time, up to the most."""
    doubled = plan.backoff_seconds * 2.0 ** min(attempt - 1, 30)
    return timedelta(seconds=min(doubled, plan.backoff_seconds_max))


@dataclass(frozen=True, slots=True)
class Attempts:
    """The attempts of one run's steps."""

    run: RunMoves

    async def classified(self, said: AttemptClassified) -> None:
        """Try again in a while, or not; what is not waited for any more changes nothing."""
        record = self.run.steps.get(said.step)
        if record is None or record.state not in DOUBTED or record.attempt != said.attempt:
            return
        if not said.retryable or not self.run.goes_on:
            await self.end(record, StepTrigger.BROKE, "")
            return
        step = next(step for step in self.run.stage.steps if step.id == said.step)
        until = self.run.store.tx.now + backoff(step.attempts, record.attempt)
        state = advance(record.state, StepTrigger.TRANSIENT)
        await self.run.store.change_step(record, state=state, deadline_at=until)
        about = self.run.about_step(record.step, record.attempt)
        backing_off = StepBackingOff(**about, until=until, code=said.code, rule=said.rule)
        self.run.store.tx.emit(backing_off, f"{record.run} {record.step} {record.attempt}")

    async def end(self, record: StepRecord, outcome: StepTrigger, reason: str) -> None:
        """End the step as its last attempt left it, or because its run is ending."""
        tx = self.run.store.tx
        step = next(step for step in self.run.stage.steps if step.id == record.step)
        if outcome is StepTrigger.BROKE and step.type in ASKS_WHEN_FAILED and self.run.goes_on:
            assert record.evidence is not None, "an attempt that failed left evidence"
            await GateMoves(self.run).ask(
                step, record, Failure(record.evidence, record.outputs, record.tests)
            )
            return
        trigger = outcome if record.state in DOUBTED else StepTrigger.STOPPED
        if trigger is not StepTrigger.BROKE:
            trigger = StepTrigger.STOPPED
        await self.run.store.change_step(record, state=advance(record.state, trigger), finished_at=tx.now)
        about = self.run.about_step(record.step, record.attempt)
        role = f"{record.run} {record.step} {record.attempt}"
        if trigger is StepTrigger.BROKE:
            assert record.evidence is not None, "an attempt that failed left evidence"
            tx.emit(StepFailed(**about, evidence=record.evidence), role)
        else:
            tx.emit(StepCancelled(**about, reason=reason), role)
