"""What is done to the outside world, told by the world itself and not by our tables."""

from dataclasses import dataclass
from uuid import UUID

from services.deployer.step_order import StepOrder
from shared.ids import stage_key

Attempt = tuple[UUID, str, int]  # run, step, number


@dataclass(slots=True)
class Act:
    """Something that goes on in a stage for a run: a script, a start, a switch."""

    stage: str  # pipeline/stage
    attempt: Attempt
    revision: int
    what: str
    began: float
    ends: float  # by itself; infinity: never
    outcome: str  # done, broke, transient

    def goes_on(self, now: float) -> bool:
        """Tell whether it is still acting."""
        return now < self.ends


def attempt_of(order: StepOrder) -> Attempt:
    """Return which attempt the order is about."""
    return (order.run, order.step.id, order.attempt)


def stage_of(order: StepOrder) -> str:
    """Return where the order acts."""
    return stage_key(order.pipeline, order.stage)
