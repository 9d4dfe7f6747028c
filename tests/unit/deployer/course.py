"""Walks a run's course through everything that can come about: the rows, without a database.

A world is what the rows say. `settled` carries the moves out as the shell does; `answers` lists what
workers, builder and verifier may say next, `strokes` what time and people may do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID

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
    next_moves,
)
from services.deployer.run_picture import ArtifactState, RunPicture, StepPicture, VerificationState
from services.deployer.run_state import FORWARD, State, Trigger, advance
from services.deployer.step_state import ACTIVE, ENDED, NOT_PASSED, PASSED, StepState, StepTrigger
from services.deployer.step_state import advance as advance_step
from shared.events import Evidence
from shared.ids import BuildKey, Stage, Step
from shared.plan import ArtifactPlan, StagePlan, StepPlan
from shared.step_types import STEP_TYPES

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
STAGE_LIMIT = 35  # seconds; a step's own is 10
ROUNDS_MAX = 20  # batches of moves without anything new being heard
WorkMove = StartStep | SkipStep | StopStep | VerifyCandidate | SwitchStep | DiscardStep
StepMove = WorkMove | OpenGate | EndGate | EndAttempts
Begin = (
    StartStep | OpenGate | VerifyCandidate | SwitchStep | VerifyStage | RequestArtifact
)  # brings something about
PHASES = {"deploy": "process", "rollout": "target", "verify": "probe", "build": "process"}
EVIDENCE = {
    phase: Evidence.model_validate({"phase": phase, "kind": kind, "message": f"it broke in {phase}"})
    for phase, kind in PHASES.items()
}


@dataclass(frozen=True)
class At:
    """A step's row."""

    state: StepState = StepState.PENDING
    deadline: int | None = None
    verification: VerificationState = VerificationState.NONE
    outcome: StepTrigger | None = None
    phase: str = ""  # of its evidence
    ended: int = 0  # how many had ended before it

    @property
    def stopping(self) -> bool:
        return self.state in ACTIVE and self.outcome is not None

    @property
    def phase_of_end(self) -> str:
        return "rollout" if self.outcome is StepTrigger.LIMIT_PASSED else self.phase

    @property
    def doomed(self) -> bool:
        """Whether it has ended badly or is about to."""
        rejected = self.state in ACTIVE and self.verification is VerificationState.FAILED
        return self.state in NOT_PASSED or self.stopping or rejected


@dataclass(frozen=True)
class World:
    """A run's rows at an instant."""

    stage: StagePlan
    steps: tuple[At, ...]
    state: State = State.IN_PROGRESS
    now: int = 0
    artifacts: tuple[ArtifactState, ...] = (ArtifactState.BUILT,)
    verification: VerificationState = VerificationState.NONE

    def __hash__(self) -> int:
        return hash((self.steps, self.state, self.now, self.artifacts, self.verification))

    @property
    def overdue(self) -> bool:
        return self.now >= STAGE_LIMIT

    @property
    def picture(self) -> RunPicture:
        return RunPicture(
            run=UUID(int=1),
            state=self.state,
            now=START + timedelta(seconds=self.now),
            deadline=START + timedelta(seconds=STAGE_LIMIT),
            stage=self.stage,
            artifacts=[
                (artifact(f"a{i}"), state, EVIDENCE["build"] if state is ArtifactState.FAILED else None)
                for i, state in enumerate(self.artifacts)
            ],
            steps={step.id: picture(at) for step, at in zip(self.stage.steps, self.steps, strict=True)},
            verification=self.verification,
            verification_evidence=EVIDENCE["verify"],
        )

    def at(self, step: Step) -> At:
        return next(at for plan, at in zip(self.stage.steps, self.steps, strict=True) if plan.id == step)

    def with_step(self, step: Step, **values: Any) -> "World":
        """Change a step's row; one that ends notes how many had before it."""
        before = sum(at.state in ENDED for at in self.steps)
        pairs = zip(self.stage.steps, self.steps, strict=True)
        changed = [replace(at, **values) if plan.id == step else at for plan, at in pairs]
        ended = [
            replace(now, ended=before) if now.state in ENDED and was.state not in ENDED else now
            for now, was in zip(changed, self.steps, strict=True)
        ]
        return replace(self, steps=tuple(ended))

    def answers(self) -> Iterator["World"]:
        """Yield what may follow from something that is under way."""
        for i, state in enumerate(self.artifacts):
            if state is ArtifactState.REQUESTED:
                for answer in (ArtifactState.BUILT, ArtifactState.FAILED):
                    yield replace(self, artifacts=(*self.artifacts[:i], answer, *self.artifacts[i + 1 :]))
        if self.verification is VerificationState.REQUESTED:
            yield replace(self, verification=VerificationState.PASSED)
            yield replace(self, verification=VerificationState.FAILED)
        for plan, at in zip(self.stage.steps, self.steps, strict=True):
            yield from self._answers_of(plan, at)

    def _answers_of(self, plan: StepPlan, at: At) -> Iterator["World"]:
        match at.state:
            case StepState.RUNNING:
                if STEP_TYPES[plan.type].verified:  # also a stopped one may just have come up
                    up = advance_step(at.state, StepTrigger.CANDIDATE_UP)
                    yield self.with_step(plan.id, state=up, outcome=None)
                else:
                    yield self._ended(plan, at, StepTrigger.DONE, "")
                yield self._ended(plan, at, StepTrigger.BROKE, "deploy")
                if at.outcome:
                    yield self._ended(plan, at, at.outcome, at.phase_of_end)
            case StepState.VERIFYING if at.verification is VerificationState.REQUESTED:
                yield self.with_step(plan.id, verification=VerificationState.PASSED)
                yield self.with_step(plan.id, verification=VerificationState.FAILED, phase="verify")
            case StepState.SWITCHING:
                yield self._ended(plan, at, StepTrigger.DONE, "")
                discarding = advance_step(at.state, StepTrigger.DISCARD_ORDERED)
                broke = StepTrigger.BROKE
                yield self.with_step(plan.id, state=discarding, outcome=broke, phase="rollout")
            case StepState.DISCARDING:
                assert at.outcome, "a discarded step knows how it ends"
                yield self._ended(plan, at, at.outcome, at.phase_of_end)

    def _ended(self, plan: StepPlan, at: At, trigger: StepTrigger, phase: str) -> "World":
        return self.with_step(plan.id, state=advance_step(at.state, trigger), phase=phase)

    def strokes(self) -> Iterator["World"]:
        """Yield the next limit passing, and a person cancelling."""
        limits = [at.deadline for at in self.steps if at.deadline is not None and at.state in ACTIVE]
        ahead = [limit for limit in [*limits, STAGE_LIMIT] if limit > self.now]
        if ahead:
            yield replace(self, now=min(ahead))
        if self.state in FORWARD:
            yield replace(self, state=advance(self.state, Trigger.CANCEL_ASKED))

    def settled(self) -> tuple["World", Finish | None]:
        """Carry moves out until there are none, checking each batch."""
        world = self
        for _ in range(ROUNDS_MAX):
            moves = next_moves(world.picture)
            check(world, moves)
            if not moves:
                return world, None
            for move in moves:
                if isinstance(move, Finish):
                    return world, move
                world = world.carried_out(move)
        raise AssertionError(f"never comes to rest: {world}")

    def carried_out(self, move: Move) -> "World":
        match move:
            case VerifyStage():
                return replace(self, verification=VerificationState.REQUESTED)
            case RequestArtifact(asked):
                states = [
                    ArtifactState.REQUESTED if asked.id == f"a{i}" else state
                    for i, state in enumerate(self.artifacts)
                ]
                return replace(self, artifacts=tuple(states))
            case Finish():
                raise AssertionError("an end is not carried out here")
            case OpenGate(step):
                waiting = advance_step(self.at(step.id).state, StepTrigger.GATE_REACHED)
                return self.with_step(step.id, state=waiting, deadline=self.now + 10)
            case EndGate(step, outcome) | EndAttempts(step, outcome):
                return self.with_step(step.id, state=advance_step(self.at(step.id).state, outcome))
            case _:
                return self._carried_out_for(move.step.id, move)

    def _carried_out_for(self, id_: Step, move: WorkMove) -> "World":
        before = self.at(id_).state
        match move:
            case StartStep():
                running = advance_step(before, StepTrigger.STARTED)
                return self.with_step(id_, state=running, deadline=self.now + 10)
            case SkipStep():
                return self.with_step(id_, state=advance_step(before, StepTrigger.SKIPPED))
            case StopStep(_, outcome):
                return self.with_step(id_, outcome=outcome)
            case VerifyCandidate():
                return self.with_step(id_, verification=VerificationState.REQUESTED)
            case SwitchStep():
                return self.with_step(id_, state=advance_step(before, StepTrigger.VERIFIED))
            case DiscardStep(_, outcome):
                discarding = advance_step(before, StepTrigger.DISCARD_ORDERED)
                return self.with_step(id_, state=discarding, outcome=outcome)


def artifact(id_: str) -> ArtifactPlan:
    return ArtifactPlan(id=id_, name=id_.upper(), build_key=BuildKey(id_), commands=(), path=".")


def picture(at: At) -> StepPicture:
    return StepPicture(
        state=at.state,
        deadline=None if at.deadline is None else START + timedelta(seconds=at.deadline),
        verification=at.verification,
        stopping=at.outcome is not None,
        evidence=EVIDENCE.get(at.phase),
        ended_at=START + timedelta(microseconds=at.ended) if at.state in ENDED else None,
    )


def check(world: World, moves: Sequence[Move]) -> None:
    """Hold one batch of moves against what a run's course promises."""
    named = [move.step.id for move in moves if isinstance(move, StepMove)]
    assert len(named) == len(set(named)), f"two moves for one step: {moves}"
    ending = world.state is State.CANCELLING or world.overdue
    doomed = any(at.doomed for at in world.steps) or ArtifactState.FAILED in world.artifacts
    for move in moves:
        if ending:
            assert not isinstance(move, Begin), f"something begins in a run that is ending: {move}"
        match move:
            case StartStep(step):
                assert not doomed, f"{step.id} starts after a failure"
                assert set(world.artifacts) <= {ArtifactState.BUILT}, f"{step.id} starts before its artifacts"
                early = [before for before in step.goes_after if world.at(before).state not in PASSED]
                assert not early, f"{step.id} starts before {early}"
                left_out = world.state is State.ROLLING_BACK and step.on_rollback == "skip"
                assert not step.skip
                assert not left_out
            case StopStep(step, StepTrigger.STOPPED) | DiscardStep(step, StepTrigger.STOPPED):
                assert ending or (doomed and step.on_sibling_failure == "cancel")
            case Finish():
                assert len(moves) == 1
                check_end(world, move)


def check_end(world: World, finish: Finish) -> None:
    """Hold the end of a run against what became of its parts."""
    assert all(at.state in ENDED for at in world.steps), f"ends with steps under way: {world}"
    states = [at.state for at in world.steps]
    switched = any(
        STEP_TYPES[plan.type].verified and at.state is StepState.SUCCEEDED
        for plan, at in zip(world.stage.steps, world.steps, strict=True)
    )
    match finish.trigger:
        case Trigger.WORK_STOPPED:
            assert world.state is State.CANCELLING
        case Trigger.WORK_PASSED:
            assert set(states) <= PASSED
            assert not switched or world.verification is VerificationState.PASSED
        case Trigger.WORK_FAILED | Trigger.DEADLINE_PASSED if finish.step and finish.failed_in != "build":
            bad = [at for at in world.steps if at.state in {StepState.FAILED, StepState.TIMED_OUT}]
            assert world.at(Step(finish.step)) == min(bad, key=lambda at: at.ended), "not the first to fail"
            assert finish.evidence == EVIDENCE[world.at(Step(finish.step)).phase]
            assert (finish.failed_in == "verification") == (world.at(Step(finish.step)).phase == "verify")
        case Trigger.WORK_FAILED if finish.failed_in == "build":
            assert ArtifactState.FAILED in world.artifacts
            assert set(states) <= {StepState.SKIPPED}
        case Trigger.WORK_FAILED:
            assert (finish.failed_in, set(states) <= PASSED) == ("verification", True)
            assert world.verification is VerificationState.FAILED
        case _:
            assert (finish.trigger, world.overdue) == (Trigger.DEADLINE_PASSED, True)
    assert finish.evidence or finish.trigger in {Trigger.WORK_STOPPED, Trigger.WORK_PASSED}


@dataclass
class Walk:
    """All worlds that can follow from one."""

    seen: set[World] = field(default_factory=set)
    path: set[World] = field(default_factory=set)
    ends: set[tuple[Trigger, str]] = field(default_factory=set)
    rests: dict[World, tuple[World, Finish | None]] = field(default_factory=dict)

    def follow(self, world: World) -> None:
        """Check the world and everything after it; a world that comes again would go round for ever."""
        if world not in self.rests:
            self.rests[world] = world.settled()
        settled, finish = self.rests[world]
        if finish:
            self.ends.add((finish.trigger, finish.failed_in))
            return
        assert settled not in self.path, f"goes round in circles: {settled}"
        if settled in self.seen:
            return
        self.seen.add(settled)
        self.path.add(settled)
        answers = list(settled.answers())
        assert answers, f"nothing to do and nothing under way: {settled}"
        for following in chain(answers, settled.strokes()):
            self.follow(following)
        self.path.discard(settled)


def walk(world: World) -> Walk:
    """Follow a run to every end it can come to."""
    walking = Walk()
    walking.follow(world)
    return walking


def stage(*steps: StepPlan) -> StagePlan:
    return StagePlan(name=Stage("staging"), target="local", steps=steps)
