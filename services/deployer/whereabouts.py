"""What became of a revision in a stage, and what somebody can do about it there. Pure.

A revision goes on from a stage by coming through it, whatever a person asks of the stages after.
"""

from dataclasses import dataclass

from services.deployer.run_state import HOLDS_LOCK, RETRIED, UNSTARTED, State
from shared.events import Wait
from shared.ids import stage_key
from shared.plan import Plan

ENDED = {
    State.FAILED: "failed",
    State.TIMED_OUT: "timed out",
    State.CANCELLED: "was cancelled",
    State.SUPERSEDED: "was superseded",
}


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A revision in a stage that it has not come through."""

    stage: str
    state: State  # of its last run there
    wait: Wait | None = None
    is_ready: bool = False  # it came to the stage
    is_rejected: bool = False  # by a person, at a gate
    is_held: bool = False
    is_behind: bool = False  # something newer succeeded there

    @property
    def told(self) -> str:
        """Return what it does or did there."""
        if self.is_rejected:
            return "was rejected"
        if self.state in UNSTARTED and not self.is_ready:
            return "has not begun"
        if self.state in UNSTARTED or (self.wait and self.wait.reason in {"approval", "bake"}):
            return f"waits ({self.wait.blocked_by})" if self.wait else "waits"
        return ENDED.get(self.state, f"is {self.state}")

    @property
    def remedy(self) -> str:
        """Return what somebody can do there about what has ended; the empty string: nothing."""
        if self.is_behind:
            return ""
        if self.is_held:
            return f"releases its hold in {self.stage} and rolls {self.stage} forward to it"
        return f"retries it in {self.stage}" if self.state in RETRIED else f"rolls {self.stage} forward to it"

    @property
    def advice(self) -> str:
        """Return what to do, to whoever wanted it in a later stage."""
        if self.state in HOLDS_LOCK:
            asks = self.wait is not None and self.wait.reason == "approval"
            return "approve or reject it there" if asks else "wait for its end there"
        if self.state in UNSTARTED:
            return (
                f"wait for it, or roll {self.stage} forward to it first" if self.is_ready else "wait for it"
            )
        if self.is_behind:
            return "push a fix"
        if self.is_held:
            return f"release its hold there and roll {self.stage} forward to it first"
        if self.state in RETRIED:
            return "retry it there, or push a fix"
        return f"roll {self.stage} forward to it first"


def not_through(revision: int, there: Whereabouts) -> str:
    """Return why a revision does not go on from there, and what to do."""
    return f"revision {revision} has not come through {there.stage}, where it {there.told}: {there.advice}"


def key_before(plan: Plan, stage: str) -> str:
    """Return the key of the stage before this one in a revision's own plan; empty: it is the first."""
    names = [each.name for each in plan.stages]
    place = names.index(stage)  # type: ignore[arg-type]  # a stage's name is a string
    return stage_key(plan.pipeline, names[place - 1]) if place else ""
