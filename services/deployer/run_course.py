"""What a run that holds the lock does next: one pure function from a picture to moves.

It is level-triggered: the moves follow from where things stand, not from which event came last. The
event path and the `resume` sweep call the same function, so hearing twice, hearing late and starting
again after a crash all end in the same place. The caller carries the moves out and asks again until
there are none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.deployer.gate import BAKE, GATES
from services.deployer.run_picture import AWAITED, ArtifactState, RunPicture, VerificationState
from services.deployer.run_state import State, Trigger
from services.deployer.step_state import ACTIVE, NOT_PASSED, PASSED, WAITS, StepState, StepTrigger
from shared.events import Evidence
from shared.plan import ArtifactPlan, StepPlan
from shared.step_types import STEP_TYPES


@dataclass(frozen=True, slots=True)
class RequestArtifact:
    """Ask the builder for it."""

    artifact: ArtifactPlan


@dataclass(frozen=True, slots=True)
class StartStep:
    """Order its first attempt."""

    step: StepPlan


@dataclass(frozen=True, slots=True)
class OpenGate:
    """Let the run wait there for people or for a time."""

    step: StepPlan


@dataclass(frozen=True, slots=True)
class EndGate:
    """Nobody waits there any more."""

    step: StepPlan
    outcome: StepTrigger  # DONE, STOPPED or LIMIT_PASSED
    reason: str


@dataclass(frozen=True, slots=True)
class EndAttempts:
    """There is no further attempt."""

    step: StepPlan
    outcome: StepTrigger  # BROKE or STOPPED
    reason: str


@dataclass(frozen=True, slots=True)
class SkipStep:
    """Leave it out."""

    step: StepPlan
    reason: str


@dataclass(frozen=True, slots=True)
class StopStep:
    """Have its worker stop; it will end as `outcome` says."""

    step: StepPlan
    outcome: StepTrigger  # STOPPED or LIMIT_PASSED
    reason: str


@dataclass(frozen=True, slots=True)
class VerifyCandidate:
    """Have its candidate probed."""

    step: StepPlan


@dataclass(frozen=True, slots=True)
class SwitchStep:
    """Give its verified candidate the stable address."""

    step: StepPlan


@dataclass(frozen=True, slots=True)
class DiscardStep:
    """Take its candidate away; the step then ends as `outcome` says."""

    step: StepPlan
    outcome: StepTrigger  # BROKE, STOPPED or LIMIT_PASSED
    reason: str


@dataclass(frozen=True, slots=True)
class VerifyStage:
    """Have the stable addresses probed."""


@dataclass(frozen=True, slots=True)
class Finish:
    """End the run."""

    trigger: Trigger
    failed_in: str = ""  # build, step, verification, or empty
    step: str = ""
    evidence: Evidence | None = None


Move = (
    RequestArtifact
    | StartStep
    | OpenGate
    | EndGate
    | EndAttempts
    | SkipStep
    | StopStep
    | VerifyCandidate
    | SwitchStep
    | DiscardStep
    | VerifyStage
    | Finish
)


def next_moves(picture: RunPicture) -> Sequence[Move]:
    """Return what to do now; nothing while something asked for is still under way."""
    if picture.state is State.CANCELLING:
        return _wind_up(picture, "the run was cancelled", Finish(Trigger.WORK_STOPPED))
    if picture.is_over:
        ending = Finish(Trigger.DEADLINE_PASSED, evidence=_limit_evidence(picture))
        whose = "the deployment's" if _is_over(picture) else "the stage's"
        return _wind_up(picture, f"{whose} time limit passed", ending)
    return _build(picture) or _run_steps(picture)


def waits_for_build(picture: RunPicture) -> Sequence[ArtifactPlan]:
    """Return the artifacts the run cannot go on without."""
    return [plan for plan, state, _ in picture.artifacts if state is ArtifactState.REQUESTED]


def _build(picture: RunPicture) -> Sequence[Move]:
    for plan, state, evidence in picture.artifacts:
        if state is ArtifactState.FAILED:
            ending = Finish(Trigger.WORK_FAILED, "build", plan.id, evidence)
            return _wind_up(picture, f"artifact '{plan.name}' could not be built", ending)
    return [RequestArtifact(plan) for plan, state, _ in picture.artifacts if state is ArtifactState.PENDING]


def _run_steps(picture: RunPicture) -> Sequence[Move]:
    if waits_for_build(picture):
        return []
    overdue = _stop_overdue(picture)
    if overdue:
        return overdue
    failed = _first_not_passed(picture)
    if failed:
        return _fail(picture, failed)
    if _one_is_failing(picture):
        return _go_on(picture)
    return [*_go_on(picture), *_start_ready(picture)] or _verify_stage(picture)


def _stop_overdue(picture: RunPicture) -> Sequence[Move]:
    """Stop every step whose own limit has passed."""
    late = [
        step
        for step in picture.stage.steps
        if (seen := picture.steps[step.id]).deadline is not None
        and picture.now >= seen.deadline
        and not seen.stopping
    ]
    moves = [_end_overdue(picture, step) for step in late]
    return [move for move in moves if move]


def _end_overdue(picture: RunPicture, step: StepPlan) -> Move | None:
    if step.type == BAKE and picture.steps[step.id].state is StepState.WAITING:
        return EndGate(step, StepTrigger.DONE, "its time is over")
    if picture.steps[step.id].state is StepState.BACKING_OFF:
        return StartStep(step)
    if picture.steps[step.id].state is StepState.DOUBTFUL:
        return EndAttempts(step, StepTrigger.BROKE, "nobody said in time whether its failure may pass")
    return _stop(picture, step, StepTrigger.LIMIT_PASSED, "its time limit passed")


def _stop(picture: RunPicture, step: StepPlan, outcome: StepTrigger, reason: str) -> Move | None:
    """Return how a step is stopped from where it is; None where it cannot or need not be."""
    seen = picture.steps[step.id]
    if seen.stopping:
        return None
    by_state: dict[StepState, Move] = {
        StepState.WAITING: EndGate(step, outcome, reason),
        StepState.DOUBTFUL: EndAttempts(step, outcome, reason),
        StepState.BACKING_OFF: EndAttempts(step, outcome, reason),
        StepState.RUNNING: StopStep(step, outcome, reason),
        StepState.APPLYING: StopStep(step, outcome, reason),
        StepState.VERIFYING: DiscardStep(step, outcome, reason),
    }
    return by_state.get(seen.state)  # a switch is over in a moment: it is let finish


def _first_not_passed(picture: RunPicture) -> StepPlan | None:
    """Return the step that failed first: one that was stopped for it is a consequence, not a cause."""

    def place(step: StepPlan) -> tuple[bool, datetime]:
        seen = picture.steps[step.id]
        return seen.state is StepState.CANCELLED, seen.ended_at or picture.now

    ended_badly = (s for s in picture.stage.steps if picture.steps[s.id].state in NOT_PASSED)
    return min(ended_badly, key=place, default=None)


def _one_is_failing(picture: RunPicture) -> bool:
    """Tell whether a step is known not to pass, though it is not over yet: nothing starts beside it."""
    active = (seen for seen in picture.steps.values() if seen.state in ACTIVE)
    return any(seen.stopping or seen.verification is VerificationState.FAILED for seen in active)


def _fail(picture: RunPicture, failed: StepPlan) -> Sequence[Move]:
    """Wind the run up after a step that did not pass."""
    seen = picture.steps[failed.id]
    limit = seen.state is StepState.TIMED_OUT
    trigger = Trigger.DEADLINE_PASSED if limit else Trigger.WORK_FAILED
    verified = seen.evidence is not None and seen.evidence.phase == "verify"
    ending = Finish(trigger, "verification" if verified else "step", failed.id, seen.evidence)
    return _wind_up(picture, f"step '{failed.name}' did not pass", ending)


def _wind_up(picture: RunPicture, reason: str, ending: Finish) -> Sequence[Move]:
    """Skip what has not begun, stop what may be stopped, ask nobody more, and end it when nothing goes on."""
    finishes = ending.trigger is Trigger.WORK_FAILED or bool(ending.step)
    moves: list[Move] = []
    for step in picture.stage.steps:
        state = picture.steps[step.id].state
        if state is StepState.PENDING:
            moves.append(SkipStep(step, reason))
        elif state in WAITS or not (finishes and step.on_sibling_failure == "finish"):
            stop = _stop(picture, step, StepTrigger.STOPPED, reason)
            moves.extend([stop] if stop else [])
    if moves:
        return moves
    if any(picture.steps[step.id].state in ACTIVE for step in picture.stage.steps):
        return _go_on(picture)
    return [ending]


def _go_on(picture: RunPicture) -> Sequence[Move]:
    """Take candidates on: have them probed, switch those that passed, discard those that did not."""
    moves: list[Move] = []
    for step in picture.stage.steps:
        seen = picture.steps[step.id]
        if seen.state is not StepState.VERIFYING:
            continue
        if seen.verification is VerificationState.NONE:
            moves.append(VerifyCandidate(step))
        elif seen.verification is VerificationState.PASSED:
            moves.append(SwitchStep(step))
        elif seen.verification is VerificationState.FAILED:
            moves.append(DiscardStep(step, StepTrigger.BROKE, "its candidate failed verification"))
    return moves


def _start_ready(picture: RunPicture) -> Sequence[Move]:
    """Start or skip every pending step whose predecessors have all passed."""
    moves: list[Move] = []
    for step in picture.stage.steps:
        if picture.steps[step.id].state is not StepState.PENDING:
            continue
        if all(picture.steps[before].state in PASSED for before in step.goes_after):
            moves.append(_begin(picture, step))
    return moves


def _begin(picture: RunPicture, step: StepPlan) -> Move:
    if step.skip:
        return SkipStep(step, f"left out in stage {picture.stage.name}")
    if picture.rolls_back and step.on_rollback == "skip":
        return SkipStep(step, "left out of rollbacks")
    return OpenGate(step) if step.type in GATES else StartStep(step)


def _verify_stage(picture: RunPicture) -> Sequence[Move]:
    """After the last step: probe what now answers on the stable addresses."""
    if any(picture.steps[step.id].state not in PASSED for step in picture.stage.steps):
        return []
    probed = any(
        STEP_TYPES[step.type].verified and picture.steps[step.id].state is StepState.SUCCEEDED
        for step in picture.stage.steps
    )
    if not probed or picture.verification is VerificationState.PASSED:
        return [Finish(Trigger.WORK_PASSED)]
    if picture.verification is VerificationState.FAILED:
        return [Finish(Trigger.WORK_FAILED, "verification", "", picture.verification_evidence)]
    return [VerifyStage()] if picture.verification is VerificationState.NONE else []


def _limit_evidence(picture: RunPicture) -> Evidence:
    """Tell what the stage's limit cut short; a release that had yet to prove itself counts as not good."""
    cut_short = [step for step in picture.stage.steps if picture.steps[step.id].state in _CUT_SHORT]
    brought_up = any(STEP_TYPES[step.type].verified for step in cut_short)
    unverified = picture.verification in AWAITED
    names = [step.name for step in cut_short] + ["verification"] * unverified
    during = f" during {', '.join(names)}" if names else ""
    return Evidence(
        phase="verify" if unverified else "rollout" if brought_up else "deploy",
        kind="timeout",
        what=picture.stage.name,
        message=f"{_whose_limit(picture)}{during}",
        finished_at=picture.now,
        stated="deployment_limit" if _is_over(picture) else "",
    )


_CUT_SHORT = ACTIVE | {StepState.CANCELLED, StepState.TIMED_OUT}


def _is_over(picture: RunPicture) -> bool:
    return picture.last_moment is not None and picture.now >= picture.last_moment


def _whose_limit(picture: RunPicture) -> str:
    last = picture.last_moment
    if last is not None and picture.now >= last:
        return f"the deployment did not finish by {last:%Y-%m-%d %H:%M:%S} UTC, its time limit"
    return f"the stage did not finish by {picture.deadline:%H:%M:%S} UTC, its time limit"
