"""The sentences of waiting: why, on what, what releases it, by when (L2)."""

from collections.abc import Sequence
from datetime import datetime

from services.deployer.records import RunRecord, StepRecord
from services.deployer.run_state import LIVE, State
from services.deployer.step_state import DOUBTED
from shared.events import Wait
from shared.plan import ArtifactPlan, StepPlan

AHEAD_TOLD_MAX = 3  # revisions that are named to whoever waits behind them


def for_previous_stage(
    previous: str,
    state: State,
    revision: int,
    since: datetime,
    deadline: datetime | None = None,
    remedy: str = "",
) -> Wait:
    """Return the wait of a run whose revision has not come through the stage before.

    `deadline`: when its run there ends at the latest; None where it holds nothing there. `remedy`: what
    somebody can do about a run that ended there without coming through.
    """
    given_up = {
        State.CANCELLING: "is being cancelled",
        State.FAILED: "failed",
        State.TIMED_OUT: "timed out",
        State.CANCELLED: "was cancelled",
        State.SUPERSEDED: "was superseded",
    }
    if state in given_up:
        by_hand = f", or somebody who {remedy}" if remedy else ""
        return Wait(
            reason="previous_stage",
            blocked_by=f"revision {revision} {given_up[state]} in {previous}",
            released_by=f"a newer revision, which takes its place{by_hand}",
            since=since,
        )
    assert state not in LIVE, "a stage that is through releases the next"
    return Wait(
        reason="previous_stage",
        blocked_by=f"revision {revision} is {state} in {previous}",
        released_by=f"revision {revision} succeeding in {previous}",
        since=since,
        deadline=deadline,
    )


def ends_by(holder: RunRecord, gates: Sequence[datetime], last_moment: datetime | None) -> datetime | None:
    """Return when the run that holds a stage ends at the latest, as far as can be told now.

    At a gate its own time stands still: it goes on when the last gate has ended, by its own `gates` time.
    """
    limit = holder.deadline_at
    if limit is not None and holder.still_since is not None and gates:
        limit += max(gates) - holder.still_since
    known = [each for each in (limit, last_moment) if each is not None]
    return min(known, default=None)


def for_lock(holder_revision: int, holder_state: State, deadline: datetime | None, since: datetime) -> Wait:
    """Return the wait of the run that is next."""
    return Wait(
        reason="lock",
        blocked_by=f"revision {holder_revision} is {holder_state} here",
        released_by=f"the end of revision {holder_revision}'s run",
        since=since,
        deadline=deadline,
    )


def behind(wait: Wait, ahead: Sequence[int]) -> Wait:
    """Return the wait of a run that others go before: as that of the first of them, and for them.

    Far back in a line only whoever is right before it is named: to name all would be to say something new
    of everybody in the line whenever one goes on. By when its turn comes nobody knows.
    """
    if not ahead:
        return wait
    if len(ahead) <= AHEAD_TOLD_MAX:
        are = f"revision {ahead[0]} is" if len(ahead) == 1 else f"revisions {_listed(ahead)} are"
        runs = f"of revision {ahead[0]}'s run" if len(ahead) == 1 else f"of the runs of {_listed(ahead)}"
        return _further(
            wait, f"{wait.blocked_by}, and {are} before it", f"{wait.released_by}; then the end {runs}"
        )
    told = f"revision {ahead[-1]} is before it in line, and others before that one"
    end = f"the end of revision {ahead[-1]}'s run"
    if wait.reason == "lock":
        return _further(wait, told, end)
    return _further(wait, f"{wait.blocked_by}, and {told}", f"{wait.released_by}; then {end}")


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


def for_soak(revision: int, until: datetime, since: datetime) -> Wait:
    """Return the wait of a run whose release has its address, is good so far, and is watched."""
    return Wait(
        reason="bake",
        blocked_by=f"revision {revision} is live here and watched (soak)",
        released_by="it staying good until then; it is rolled back if it does not",
        since=since,
        deadline=until,
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


def _further(wait: Wait, blocked_by: str, released_by: str) -> Wait:
    return Wait(
        reason=wait.reason, blocked_by=blocked_by, released_by=released_by, since=wait.since, deadline=None
    )


def _listed(revisions: Sequence[int]) -> str:
    *others, last = map(str, revisions)
    return f"{', '.join(others)} and {last}"
