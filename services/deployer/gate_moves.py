"""Carries out what happens at gates: they are opened or come to, answered, and end.

Every function runs inside a transaction that has locked the pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from services.deployer.gate import (
    BAKE,
    Fails,
    Failure,
    Gate,
    Given,
    Passes,
    deadline_of,
    given_document,
    on_time,
    shown_of,
    wait_for,
)
from services.deployer.late_values import filled_in
from services.deployer.records import StepRecord
from services.deployer.step_state import WAITS, StepTrigger, advance
from shared.events import (
    Evidence,
    GateAnswered,
    ProposedChanges,
    StepApplying,
    StepCancelled,
    StepEvent,
    StepFailed,
    StepSucceeded,
    StepTimedOut,
    StepWaiting,
)
from shared.events.evidence import Fact
from shared.ids import Digest
from shared.language.expression import Mistake
from shared.plan import StepPlan

if TYPE_CHECKING:
    from services.deployer.run_moves import RunMoves


@dataclass(frozen=True, slots=True)
class GateMoves:
    """The gates of one run."""

    run: RunMoves

    async def open(self, step: StepPlan, record: StepRecord) -> None:
        """Let the run wait at a gate; its own time limit stands still meanwhile."""
        store, now = self.run.store, self.run.store.tx.now
        filled = await self._filled(step)
        attempt = record.attempt + 1
        deadline = now if isinstance(filled, Mistake) else deadline_of(filled, now)
        await store.change_step(
            record,
            state=advance(record.state, StepTrigger.GATE_REACHED),
            attempt=attempt,
            started_at=now,
            deadline_at=deadline,
        )
        opened = (await store.steps(self.run.run.run))[step.id]
        if isinstance(filled, Mistake):
            await self.failed(step, opened, self._lacking(step, filled))
            return
        await self._wait_at(await self.gate(filled, opened), opened)

    async def ask(self, step: StepPlan, record: StepRecord, about: Failure | ProposedChanges) -> None:
        """Let a step that ran wait for a person: whether its failure counts, or its changes are made."""
        store, now = self.run.store, self.run.store.tx.now
        values: dict[str, object]
        if isinstance(about, Failure):
            evidence = _document(about.evidence)
            values = {"shown": shown_results(about), "evidence": evidence, "outputs": dict(about.outputs)}
        else:
            values = {"shown": {"changes": _document(about)}}
        await store.change_step(
            record,
            state=advance(record.state, StepTrigger.GATE_REACHED),
            waits_since=now,
            deadline_at=deadline_of(step, now),
            outcome=None,
            outcome_reason=None,
            **values,
        )
        asked = (await store.steps(record.run))[record.step]
        await self._wait_at(await self.gate(step, asked), asked)

    async def apply(self, step: StepPlan, record: StepRecord, changes: ProposedChanges) -> None:
        """Have the changes made that a step proposed: somebody approved them, or nobody has to."""
        store, now = self.run.store, self.run.store.tx.now
        await store.change_step(
            record,
            state=advance(record.state, StepTrigger.APPLY_ORDERED),
            deadline_at=now + timedelta(seconds=step.timeout_seconds),
            shown={"changes": _document(changes)},
        )
        await self.run.order(record.step, record.attempt, "apply")
        await self._time_goes_on()
        applying = StepApplying(**self.run.about_step(step.id, record.attempt), changes=changes)
        self._say(applying, record)

    async def gate(self, step: StepPlan, record: StepRecord) -> Gate:
        """Return the gate as it stands; `step` has its late values filled in."""
        since = record.waits_since or record.started_at
        assert since is not None, "a gate that is open was opened at a time"
        assert record.deadline_at is not None, "a gate has a limit of its own"
        failed = record.evidence is not None
        return Gate(
            step=step,
            since=since,
            deadline=record.deadline_at,
            shown=shown_of(self.run.revision.plan_hash, await self._digests(), record.shown),
            pusher=self.run.revision.pusher,
            given=record.given,
            failure=Failure(record.evidence, record.outputs, record.tests) if record.evidence else None,
            changes=None if failed else record.changes,
        )

    async def open_gates(self) -> list[tuple[Gate, StepRecord]]:
        """Return the gates that the run waits at, in the order of its steps; none that lacks a value."""
        found: list[tuple[Gate, StepRecord]] = []
        for step in self.run.stage.steps:
            record = self.run.steps[step.id]
            asked = await self._as_asked(step, record) if record.state in WAITS else None
            if isinstance(asked, StepPlan):
                found.append((await self.gate(asked, record), record))
        return found

    async def fail_lacking(self) -> bool:
        """Fail what waits at a gate and lost a value, as a release may leave it; tell whether any did."""
        waiting = [step for step in self.run.stage.steps if self.run.steps[step.id].state in WAITS]
        asked = [(step, await self._as_asked(step, self.run.steps[step.id])) for step in waiting]
        lacking = [(step, mistake) for step, mistake in asked if isinstance(mistake, Mistake)]
        for step, mistake in lacking:
            await self.failed(step, self.run.steps[step.id], self._lacking(step, mistake))
        return bool(lacking)

    async def note(self, gate: Gate, record: StepRecord, given: Given) -> None:
        """Keep what somebody said, and say it."""
        said = (*gate.given, given)
        await self.run.store.change_step(record, given=given_document(said))
        have = len({each.actor for each in said if each.verdict == "approved"})
        answered = GateAnswered(
            **self.run.about_step(gate.step.id, record.attempt),
            actor=given.actor,
            verdict=given.verdict,
            comment=given.comment,
            approvals=have,
            needed=gate.needed,
        )
        self.run.store.tx.emit(answered, f"{record.run} {record.step} {record.attempt} {len(said)}")

    async def end(self, step: StepPlan, record: StepRecord, outcome: StepTrigger, reason: str) -> None:
        """End a gate that nobody answered: its time is over, or the run is ending."""
        now = self.run.store.tx.now
        if outcome is StepTrigger.STOPPED:
            await self._change(record, outcome, record.evidence)
            cancelled = StepCancelled(**self.run.about_step(step.id, record.attempt), reason=reason)
            self._say(cancelled, record)
            return
        asked = await self._as_asked(step, record)
        if isinstance(asked, Mistake):
            await self.failed(step, record, self._lacking(step, asked))
            return
        match on_time(await self.gate(asked, record), now):
            case Passes(outputs):
                await self.passed(step, record, outputs)
            case Fails(evidence):
                await self._change(record, StepTrigger.LIMIT_PASSED, evidence)
                said = self.run.about_step(step.id, record.attempt)
                self._say(StepTimedOut(**said, evidence=evidence), record)

    async def passed(self, step: StepPlan, record: StepRecord, outputs: dict[str, str]) -> None:
        """Let the run go on from the gate."""
        await self._change(record, StepTrigger.DONE, outputs=outputs)
        said = self.run.about_step(step.id, record.attempt)
        self._say(StepSucceeded(**said, outputs=outputs), record)

    async def _wait_at(self, gate: Gate, record: StepRecord) -> None:
        """Say what is waited for, and let the run's time stand still."""
        await self._time_stands_still()
        waiting = StepWaiting(
            **self.run.about_step(record.step, record.attempt),
            step_type=gate.step.type,
            wait=wait_for(gate),
            needed=gate.needed if gate.step.type != BAKE else 0,
            approvers=tuple(gate.approvers),
            shown=gate.shown,
            plan_hash=self.run.revision.plan_hash,
            artifacts=await self._digests(),
            tests=gate.failure.tests if gate.failure else None,
            changes=gate.changes,
        )
        self._say(waiting, record)

    async def failed(self, step: StepPlan, record: StepRecord, evidence: Evidence) -> None:
        """Let the run fail at the gate."""
        await self._change(record, StepTrigger.BROKE, evidence)
        said = self.run.about_step(step.id, record.attempt)
        self._say(StepFailed(**said, evidence=evidence), record)

    async def _change(
        self,
        record: StepRecord,
        trigger: StepTrigger,
        evidence: Evidence | None = None,
        outputs: dict[str, str] | None = None,
    ) -> None:
        store = self.run.store
        fresh = (await store.steps(record.run))[record.step]
        await store.change_step(
            fresh,
            state=advance(fresh.state, trigger),
            evidence=evidence.model_dump(mode="json") if evidence else None,
            outputs=outputs,
            finished_at=store.tx.now,
        )
        await self._time_goes_on()

    async def _time_stands_still(self) -> None:
        store = self.run.store
        run = await store.run(self.run.run.run)
        assert run is not None, "the run of a gate exists"
        if run.still_since is None:
            await store.change_run(run, still_since=store.tx.now)

    async def _time_goes_on(self) -> None:
        """Move the run's deadline by as long as it stood still, once it waits at no gate any more."""
        store = self.run.store
        run = await store.run(self.run.run.run)
        assert run is not None, "the run of a gate exists"
        waits = any(step.state in WAITS for step in (await store.steps(run.run)).values())
        if waits or run.still_since is None or run.deadline_at is None:
            return
        moved = run.deadline_at + (store.tx.now - run.still_since)
        await store.change_run(run, still_since=None, deadline_at=moved)

    async def _filled(self, step: StepPlan) -> StepPlan | Mistake:
        digests = {id_: Digest(digest) for id_, digest in (await self._digests()).items()}
        return filled_in(step, await self.run.store.steps(self.run.run.run), digests)

    async def _as_asked(self, step: StepPlan, record: StepRecord) -> StepPlan | Mistake:
        """Return the step as people are asked about it; whether a failure counts, they say without values."""
        filled = await self._filled(step)
        return step if isinstance(filled, Mistake) and record.evidence is not None else filled

    async def _digests(self) -> dict[str, str]:
        run = self.run.run
        artifacts = await self.run.store.artifacts(run.pipeline, run.revision)
        return {id_: artifact.digest for id_, artifact in artifacts.items() if artifact.digest}

    def _lacking(self, step: StepPlan, mistake: Mistake) -> Evidence:
        return Evidence(
            phase="deploy",
            kind="error",
            what=step.name,
            message=f"step '{step.name}' cannot be put to anybody: {mistake.message}",
            finished_at=self.run.store.tx.now,
            stated="lacking",
        )

    def _say(self, event: StepEvent, record: StepRecord) -> None:
        self.run.store.tx.emit(event, f"{record.run} {record.step} {record.attempt}")


def shown_results(failure: Failure) -> dict[str, Any] | None:
    """Return what people are shown of a failed test, as JSON."""
    return {"tests": _document(failure.tests)} if failure.tests else None


def _document(fact: Fact) -> dict[str, Any]:
    return fact.model_dump(mode="json")
