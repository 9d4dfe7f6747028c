"""Carries out what happens at gates: they are opened, answered, and end.

Every function runs inside a transaction that has locked the pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.deployer.gate import (
    BAKE,
    Fails,
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
    StepCancelled,
    StepFailed,
    StepSucceeded,
    StepTimedOut,
    StepWaiting,
)
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
            await self._fail(step, opened, self._lacking(step, filled))
            return
        gate = await self.gate(filled, opened)
        await self._time_stands_still()
        waiting = StepWaiting(
            **self.run.about_step(step.id, attempt),
            step_type=step.type,
            wait=wait_for(gate),
            needed=gate.needed if step.type != BAKE else 0,
            approvers=tuple(gate.approvers),
            shown=gate.shown,
            plan_hash=self.run.revision.plan_hash,
            artifacts=await self._digests(),
        )
        store.tx.emit(waiting, f"{self.run.run.run} {step.id} {attempt}")

    async def gate(self, step: StepPlan, record: StepRecord) -> Gate:
        """Return the gate as it stands; `step` has its late values filled in."""
        assert record.started_at is not None, "a gate that is open was opened at a time"
        assert record.deadline_at is not None, "a gate has a limit of its own"
        return Gate(
            step=step,
            since=record.started_at,
            deadline=record.deadline_at,
            shown=shown_of(self.run.revision.plan_hash, await self._digests()),
            pusher=self.run.revision.pusher,
            given=record.given,
        )

    async def open_gates(self) -> list[tuple[Gate, StepRecord]]:
        """Return the gates that the run waits at, in the order of its steps."""
        found: list[tuple[Gate, StepRecord]] = []
        for step in self.run.stage.steps:
            record = self.run.steps[step.id]
            if record.state in WAITS:
                filled = await self._filled(step)
                assert not isinstance(filled, Mistake), "an open gate has all its values"
                found.append((await self.gate(filled, record), record))
        return found

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
            await self._change(record, outcome)
            cancelled = StepCancelled(**self.run.about_step(step.id, record.attempt), reason=reason)
            self._say(cancelled, record)
            return
        filled = await self._filled(step)
        assert not isinstance(filled, Mistake), "an open gate has all its values"
        match on_time(await self.gate(filled, record), now):
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

    async def failed(self, step: StepPlan, record: StepRecord, evidence: Evidence) -> None:
        """Let the run fail at the gate."""
        await self._fail(step, record, evidence)

    async def _fail(self, step: StepPlan, record: StepRecord, evidence: Evidence) -> None:
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
        )

    def _say(
        self, event: StepSucceeded | StepFailed | StepTimedOut | StepCancelled, record: StepRecord
    ) -> None:
        self.run.store.tx.emit(event, f"{record.run} {record.step} {record.attempt}")
