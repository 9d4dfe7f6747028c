"""The seam between the stage engine and what carries a step out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

from services.deployer.step_order import StepAnswer, StepOrder
from shared.events import LogLine


class StepCarrier(Protocol):
    """Carries out the steps of one type. Every verb is safe to repeat from any point of a crash.

    What was begun by an earlier life is observed first and taken up, never begun again.
    """

    async def run(self, order: StepOrder, called_off: asyncio.Event) -> StepAnswer:
        """Do the step, or bring up its candidate; on `called_off` stop it and answer `Stopped`."""
        ...

    async def switch(self, order: StepOrder) -> StepAnswer:
        """Give the verified candidate the stable address; answers `Done` or `Broke`."""
        ...

    async def discard(self, order: StepOrder) -> StepAnswer:
        """Take the candidate away; the live release is not touched. Answers `Done`."""
        ...

    def output(self, order: StepOrder, first_line: int) -> AsyncIterator[Sequence[LogLine]]:
        """Yield the attempt's lines from `first_line` in batches; ends when `run` has its answer.

        So does it for `apply`, whose lines follow those of `run`.
        """
        ...


@runtime_checkable
class ProposingCarrier(StepCarrier, Protocol):
    """Carries out steps that first tell what they would change: `run` answers `Proposed`."""

    async def apply(self, order: StepOrder, called_off: asyncio.Event) -> StepAnswer:
        """Make exactly the changes that `run` proposed in this attempt; `Broke` if they are others by now."""
        ...
