"""Carries out what a run's course asks for: builds, steps, probes, the end.

Every function runs inside a transaction that has locked the pipeline. Work is ordered in the
same transaction, so an order exists exactly when its decision does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from services.deployer.attempts import Attempts
from services.deployer.gate_moves import GateMoves
from services.deployer.records import RunRecord, StepRecord
from services.deployer.run_course import (
    DiscardStep,
    EndAttempts,
    EndGate,
    Finish,
    Move,
    OpenGate,
    RequestArtifact,
    SkipStep,
    StartStep,
    StopStep,
    SwitchStep,
    VerifyCandidate,
    VerifyStage,
)
from services.deployer.run_ending import Deployed, about
from services.deployer.run_picture import RunPicture, StepPicture, VerificationState
from services.deployer.run_state import WORKS
from services.deployer.stage_moves import StageMoves
from services.deployer.step_order import Action
from services.deployer.step_state import StepState, StepTrigger, advance
from services.deployer.store import ArtifactRecord, Revision, Store
from shared.events import (
    BuildRequested,
    Evidence,
    ProbeTarget,
    StepSkipped,
    StepStarted,
    VerificationRequested,
)
from shared.ids import Stage, Step, derive
from shared.plan import ArtifactPlan, Criteria, StagePlan, StepPlan
from shared.step_types import STEP_TYPES
from shared.work import Order, cancel, place

ORDERED: Mapping[StepState, Action] = {  # what a worker does in a state
    StepState.RUNNING: "run",
    StepState.APPLYING: "apply",
    StepState.SWITCHING: "switch",
    StepState.DISCARDING: "discard",
}


def order_id(run: UUID, step: str, attempt: int, action: Action) -> UUID:
    """Return the id of the work order for an action: the same for whoever asks."""
    return derive(run, f"step {step} {attempt} {action}")


def log_of(run: UUID, step: str, attempt: int) -> str:
    """Return the name of the attempt's output."""
    return f"{run}/{step}/{attempt}"


@dataclass(frozen=True, slots=True)
class RunMoves:
    """The moves of one run in one transaction."""

    stage_moves: StageMoves
    run: RunRecord
    revision: Revision
    stage: StagePlan
    steps: Mapping[str, StepRecord]

    @property
    def store(self) -> Store:
        """Return the store of the transaction."""
        return self.stage_moves.store

    @property
    def goes_on(self) -> bool:
        """Tell whether the run is not ending: a step that failed may be tried again."""
        return self.run.state in WORKS

    async def carry_out(self, move: Move) -> None:
        """Do what one move says."""
        match move:
            case RequestArtifact(artifact):
                await self._request(artifact)
            case VerifyStage():
                await self._verify_stage()
            case Finish():
                await self.stage_moves.finish(self.run, move, self._deployed())
            case OpenGate(step):
                await GateMoves(self).open(step, self.steps[step.id])
            case EndGate(step, outcome, reason):
                await GateMoves(self).end(step, self.steps[step.id], outcome, reason)
            case EndAttempts(step, outcome, reason):
                await Attempts(self).end(self.steps[step.id], outcome, reason)
            case _:
                await self._carry_out_step(move)

    async def _carry_out_step(
        self, move: StartStep | SkipStep | StopStep | VerifyCandidate | SwitchStep | DiscardStep
    ) -> None:
        record = self.steps[move.step.id]
        match move:
            case StartStep(step):
                await self._start(step, record)
            case SkipStep(step, reason):
                await self._skip(step, record, reason)
            case StopStep(_, outcome, reason):
                await self._stop(record, outcome, reason)
            case VerifyCandidate(step):
                await self._verify_candidate(step, record)
            case SwitchStep():
                await self.store.change_step(record, state=advance(record.state, StepTrigger.VERIFIED))
                await self.order(record.step, record.attempt, "switch")
            case DiscardStep(_, outcome, reason):
                await self.discard(record, outcome, reason, record.evidence)
            case _:
                assert_never(move)

    async def _request(self, artifact: ArtifactPlan) -> None:
        tx, plan = self.store.tx, self.revision.plan
        request = derive(self.run.run, f"artifact {artifact.id}")
        await self.store.ask_for_artifact(self.run.pipeline, self.run.revision, artifact.id, request)
        asked = BuildRequested(
            build_key=artifact.build_key,
            request=request,
            pipeline=plan.pipeline,
            revision=self.run.revision,
            artifact=artifact.id,
            repository=plan.repository,
            remote=plan.remote,
            commit=plan.commit,
            recipe=artifact,
        )
        tx.emit(asked, str(request))

    async def _start(self, step: StepPlan, record: StepRecord) -> None:
        attempt = record.attempt + 1
        now = self.store.tx.now
        await self.store.change_step(
            record,
            state=advance(record.state, StepTrigger.STARTED),
            attempt=attempt,
            started_at=now,
            deadline_at=now + timedelta(seconds=step.timeout_seconds),
            evidence=None,
            shown=None,
            waits_since=None,
            targets=None,
            verification=None,
            verification_state=VerificationState.NONE,
        )
        await self.order(step.id, attempt, "run")
        log = log_of(self.run.run, step.id, attempt)
        started = StepStarted(**self.about_step(step.id, attempt), step_type=step.type, log=log)
        self.store.tx.emit(started, f"{log}")

    async def _skip(self, step: StepPlan, record: StepRecord, reason: str) -> None:
        state = advance(record.state, StepTrigger.SKIPPED)
        await self.store.change_step(record, state=state, finished_at=self.store.tx.now)
        skipped = StepSkipped(**self.about_step(step.id, 0), reason=reason)
        self.store.tx.emit(skipped, f"{self.run.run} {step.id}")

    async def _stop(self, record: StepRecord, outcome: StepTrigger, reason: str) -> None:
        await self.store.change_step(record, outcome=outcome, outcome_reason=reason)
        order = order_id(self.run.run, record.step, record.attempt, ORDERED[record.state])
        await cancel(self.store.tx, order, reason)

    async def discard(
        self, record: StepRecord, outcome: StepTrigger, reason: str, evidence: Evidence | None
    ) -> None:
        """Order the candidate's removal; the step ends as `outcome` says when it is gone."""
        await self.store.change_step(
            record,
            state=advance(record.state, StepTrigger.DISCARD_ORDERED),
            outcome=outcome,
            outcome_reason=reason,
            evidence=evidence.model_dump(mode="json") if evidence else None,
        )
        await self.order(record.step, record.attempt, "discard")

    async def order(self, step: str, attempt: int, action: Action) -> None:
        """Order an action of a step; safe to repeat."""
        order = Order(
            id=order_id(self.run.run, step, attempt, action),
            kind=f"step.{action}",
            share=self.run.pipeline,
            payload={"run": str(self.run.run), "step": step, "attempt": attempt},
            correlation=f"{self.run.pipeline}@{self.run.revision}",
        )
        await place(self.store.tx, order)

    async def _verify_candidate(self, step: StepPlan, record: StepRecord) -> None:
        verification = derive(self.run.run, f"verify {step.id} {record.attempt}")
        await self.store.change_step(
            record, verification=verification, verification_state=VerificationState.REQUESTED
        )
        self._ask_verifier(verification, step.id, record.targets, record.deadline_at)

    async def _verify_stage(self) -> None:
        verification = derive(self.run.run, "verify stage")
        targets = self._deployed().targets
        soak = max(target.criteria.soak_seconds for target in targets)
        proof = max(target.criteria.deadline_seconds for target in targets) if soak else 0.0
        limit = self.run.deadline_at
        assert limit is not None, "a run that holds the lock has a deadline"
        await self.store.change_run(
            self.run,
            verification=verification,
            verification_state=VerificationState.REQUESTED,
            # Of work, and it is only watched; a verifier that was away meanwhile has it prove itself again.
            deadline_at=limit + timedelta(seconds=soak + proof),
        )
        if soak and self.revision.deadline_at and self.run.kind == "deploy":
            later = self.revision.deadline_at + timedelta(seconds=soak + proof)
            await self.store.limit_revision(self.run.pipeline, self.run.revision, later)
        self._ask_verifier(verification, "", targets, limit, soak)

    def _ask_verifier(
        self,
        verification: UUID,
        step: str,
        targets: tuple[ProbeTarget, ...],
        limit: datetime | None,
        soak_seconds: float = 0.0,
    ) -> None:
        now = self.store.tx.now
        patience = max(target.criteria.deadline_seconds for target in targets)
        deadline = now + timedelta(seconds=patience)
        asked = VerificationRequested(
            pipeline=self.revision.plan.pipeline,
            stage=Stage(self.run.stage),
            verification=verification,
            run=self.run.run,
            revision=self.run.revision,
            step=step,
            targets=targets,
            deadline=min(deadline, limit) if limit else deadline,
            private_addresses=self._is_local,
            soak_seconds=soak_seconds,
        )
        self.store.tx.emit(asked, str(verification))

    @property
    def _is_local(self) -> bool:
        return self.stage.target == "local"

    def _deployed(self) -> Deployed:
        """Return the services that this run gave their stable addresses.

        What a rollback leaves out may be any earlier run's: nobody here knows which.
        """
        services = [step for step in self.stage.steps if STEP_TYPES[step.type].verified and not step.skip]
        targets = [self._target(step) for step in services]
        return Deployed(
            targets=tuple(target for target in targets if target),
            services=tuple(target.service for target in targets if target),
            private_addresses=self._is_local,
        )

    def _target(self, step: StepPlan) -> ProbeTarget | None:
        """Return the service as it is probed at its stable address; None where this run did not deploy it."""
        record = self.steps[step.id]
        if not record.attempt or "url" not in record.outputs:  # or it was kept from the run before
            return None
        candidate = next((target for target in record.targets if target.service == step.id), None)
        return ProbeTarget(
            service=step.id,
            base_url=record.outputs["url"],
            criteria=_criteria(step),
            release=str(self.run.run),
            commit=self.revision.commit,
            place=candidate.place if candidate else None,
        )

    def about_step(self, step: str, attempt: int) -> dict[str, object]:
        """Return what every event of a step says."""
        said: dict[str, object] = {**about(self.run), "step": step, "attempt": attempt}
        del said["kind"]
        return said


def _criteria(step: StepPlan) -> Criteria:
    return Criteria.model_validate(step.params.get("verify", {}))  # of which nothing is ever late


def _step_picture(record: StepRecord) -> StepPicture:
    return StepPicture(
        state=record.state,
        deadline=record.deadline_at,
        verification=record.verification_state,
        stopping=record.outcome is not None,
        evidence=record.evidence,
        ended_at=record.finished_at,
    )


def picture_of(
    run: RunRecord,
    plan: tuple[Revision, StagePlan],
    steps: Mapping[str, StepRecord],
    artifacts: Mapping[str, ArtifactRecord],
    now: datetime,
) -> RunPicture:
    """Return what the run's course is decided from."""
    revision, stage = plan
    assert run.deadline_at is not None, "a run that holds the lock has a deadline"
    return RunPicture(
        run=run.run,
        state=run.state,
        now=now,
        deadline=run.deadline_at,
        stage=stage,
        artifacts=[
            (artifact, artifacts[artifact.id].state, artifacts[artifact.id].evidence)
            for artifact in revision.plan.artifacts
        ],
        steps={Step(id_): _step_picture(record) for id_, record in steps.items()},
        verification=run.verification_state,
        verification_evidence=run.verification_evidence,
        stands_still=run.still_since is not None,
        # What a person asks for once more, or past the queue, is no part of the deployment that had a limit.
        last_moment=revision.deadline_at if run.kind == "deploy" else None,
    )
