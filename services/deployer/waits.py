"""The sentences of waiting: why, on what, what releases it, by when (L2)."""

from datetime import datetime

from services.deployer.records import StepRecord
from services.deployer.run_state import LIVE, State
from services.deployer.step_state import DOUBTED
from shared.events import Wait
from shared.plan import ArtifactPlan, StepPlan


def for_previous_stage(previous: str, state: State, revision: int, since: datetime) -> Wait:
    """Return the wait of a run whose revision has not come through the stage before."""
    given_up = {
        State.CANCELLING: "is being cancelled",
        State.FAILED: "failed",
        State.TIMED_OUT: "timed out",
        State.CANCELLED: "was cancelled",
        State.SUPERSEDED: "was superseded",
    }
    if state in given_up:
        return Wait(
            reason="previous_stage",
            blocked_by=f"revision {revision} {given_up[state]} in {previous}",
            released_by="a newer revision, which takes its place",
            since=since,
        )
    assert state not in LIVE, "a stage that is through releases the next"
    return Wait(
        reason="previous_stage",
        blocked_by=f"revision {revision} is {state} in {previous}",
        released_by=f"revision {revision} succeeding in {previous}",
        since=since,
    )


def for_lock(holder_revision: int, holder_state: State, deadline: datetime | None, since: datetime) -> Wait:
    """Return the wait of the run that is next."""
    return Wait(
        reason="lock",
        blocked_by=f"revision {holder_revision} is {holder_state} here",
        released_by=f"the end of revision {holder_revision}'s run",
        since=since,
        deadline=deadline,
    )


def for_attempt(record: StepRecord, step: StepPlan, since: datetime) -> Wait:
    """Return the wait of a run one of whose steps is between two attempts."""
    if record.state in DOUBTED:
        return Wait(
            reason="retry_backoff",
            blocked_by=f"attempt {record.attempt} of step '{step.name}' failed",
            released_by="the classifier's word whether that may pass",
            since=since,
            deadline=record.deadline_at,
        )
    return Wait(
        reason="retry_backoff",
        blocked_by=f"attempt {record.attempt} of step '{step.name}' failed in a way that may pass",
        released_by=f"attempt {record.attempt + 1} of {step.attempts.max}",
        since=since,
        deadline=record.deadline_at,
    )


def for_build(artifacts: list[ArtifactPlan], deadline: datetime, since: datetime) -> Wait:
    """Return the wait of a running run for its artifacts."""
    names = ", ".join(artifact.name for artifact in artifacts)
    return Wait(
        reason="build",
        blocked_by=f"artifact {names} is being built",
        released_by="the builder's answer",
        since=since,
        deadline=deadline,
    )
