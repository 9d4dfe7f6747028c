"""What an action's answer makes of its step."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from services.deployer.gate import ASKS_WHEN_FAILED, Failure, needs_approval
from services.deployer.gate_moves import GateMoves, shown_results
from services.deployer.records import StepRecord
from services.deployer.run_moves import RunMoves
from services.deployer.step_order import Action, Broke, Done, Launched, Proposed, StepAnswer, Stopped
from services.deployer.step_state import StepTrigger, advance
from shared.db import Transaction
from shared.events import (
    AttemptFailed,
    Event,
    Evidence,
    ProposedChanges,
    StepCancelled,
    StepFailed,
    StepSucceeded,
    StepTested,
    StepTimedOut,
    TestResults,
)
from shared.plan import StepPlan
from shared.step_types import STEP_TYPES

CLASSIFY_SECONDS_MAX = 60.0  # for the classifier to say whether a failure may pass; then it counts as final


@dataclass(frozen=True, slots=True)
class StepMoves:
    """Writes an answer into the row of a step and says it; the pipeline is locked."""

    moves: RunMoves
    record: StepRecord
    step: StepPlan

    async def take(self, action: Action, answer: StepAnswer) -> None:
        """Take what the worker answered to an action."""
        if action == "discard":
            await self._discarded()
            return
        match answer:
            case Broke():
                await self._take_broken(action, answer)
            case Stopped(unfinished):
                await self._stopped(unfinished)
            case Done(outputs, tests):
                self._say_tests(tests)
                await self._succeed(dict(outputs))
            case Proposed(changes):
                await self._propose(changes)
            case Launched(targets):
                targets_document = [target.model_dump(mode="json") for target in targets]
                state = advance(self.record.state, StepTrigger.CANDIDATE_UP)
                await self._change(state=state, targets=targets_document, outcome=None)
            case _:
                assert_never(answer)

    async def _discarded(self) -> None:
        if self.record.outcome is StepTrigger.BROKE:
            assert self.record.evidence is not None, "what broke left evidence"
            await self._broke(Failure(self.record.evidence, {}, None))
        else:
            await self._end(self.record.outcome or StepTrigger.STOPPED, self.record.evidence)

    async def _take_broken(self, action: Action, broke: Broke) -> None:
        self._say_tests(broke.tests)
        if action == "switch":
            reason = broke.evidence.message
            await self.moves.discard(self.record, StepTrigger.BROKE, reason, broke.evidence)
        elif action == "apply":  # what it changed so far is known to nobody here: not to be done twice
            await self._end(StepTrigger.BROKE, broke.evidence)
        else:
            await self._broke(Failure(broke.evidence, broke.outputs, broke.tests))

    async def _stopped(self, unfinished: str) -> None:
        if self.record.outcome is StepTrigger.LIMIT_PASSED and self._asks:
            await self._ask(Failure(self._limit_evidence(unfinished), {}, None))
        else:
            await self._end(self.record.outcome or StepTrigger.STOPPED, None, unfinished)

    async def _succeed(self, outputs: dict[str, str]) -> None:
        state = advance(self.record.state, StepTrigger.DONE)
        await self._change(state=state, outputs=outputs, finished_at=self._now)
        self._say(StepSucceeded(**self._about, outputs=outputs))

    async def _propose(self, changes: ProposedChanges) -> None:
        """Have the changes made, or seen by somebody first; none if it was told to stop."""
        gates = GateMoves(self.moves)
        if self.record.outcome is not None:
            await self._end(self.record.outcome, None)
        elif needs_approval(self.step, changes):
            await gates.ask(self.step, self.record, changes)
        else:
            await gates.apply(self.step, self.record, changes)

    async def _broke(self, failure: Failure) -> None:
        """End the step, or have found out whether it is tried again, or whether it counts all the same."""
        if self.record.attempt < self.step.attempts.max and self.moves.goes_on:
            await self._doubt(failure)
        elif self._asks:
            await self._ask(failure)
        else:
            await self._end(StepTrigger.BROKE, failure.evidence)

    async def _doubt(self, failure: Failure) -> None:
        evidence = failure.evidence
        await self._change(
            state=advance(self.record.state, StepTrigger.ATTEMPT_BROKE),
            evidence=evidence.model_dump(mode="json"),
            outputs=dict(failure.outputs),
            shown=shown_results(failure),
            outcome=None,
            outcome_reason=None,
            deadline_at=self._now + timedelta(seconds=CLASSIFY_SECONDS_MAX),
        )
        maximum, kind = self.step.attempts.max, self.moves.run.kind
        self._say(AttemptFailed(**self._about, evidence=evidence, attempts_max=maximum, run_kind=kind))

    @property
    def _asks(self) -> bool:
        """Tell whether a person decides about an attempt that did not pass."""
        told_to_end = self.record.outcome is StepTrigger.STOPPED
        return self.step.type in ASKS_WHEN_FAILED and self.moves.goes_on and not told_to_end

    async def _ask(self, failure: Failure) -> None:
        await GateMoves(self.moves).ask(self.step, self.record, failure)

    def _say_tests(self, tests: TestResults | None) -> None:
        if tests is not None:
            self._say(StepTested(**self._about, tests=tests))

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
