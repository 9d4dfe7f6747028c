"""How the deployer comes into every cell of `ways_out`, and how it leaves it again.

An arrangement brings a run to wait, or to work; each of its ways out is taken from the same place.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.deployer import tables
from services.deployer.run_state import State
from services.deployer.step_order import StepAnswer, StepOrder
from services.deployer.step_state import StepState
from shared.events import (
    AlarmChanged,
    OperationAccepted,
    RunCancelled,
    RunFailed,
    RunSucceeded,
    StepStarted,
    StepWaiting,
)
from shared.events.runs import RunKind
from shared.events.waits import WaitReason
from shared.faults import TryAgain
from shared.plan import Attempts, StepPlan
from shared.window import Opening, Window
from tests.integration.deployer.stand import SERVICE, Stand, plan, planned, step

Act = Callable[[Stand], Awaitable[object]]
Cell = tuple[State, WaitReason | None, RunKind]

S = State
A, B = step("a"), step("b", "SCRIPT:EXECUTE", "a")
TRIED = B.model_copy(update={"attempts": Attempts(max=2, backoff_seconds=10, backoff_seconds_max=10)})
MANUAL = {"approvers": [], "approvals": 1, "self_approval": True, "expires_after_hours": 48}
GATE = step("live", "APPROVAL:MANUAL", "a").model_copy(update={"params": MANUAL, "on_rollback": "run"})
BAKE = step("soak", "APPROVAL:BAKE", "a").model_copy(
    update={"params": {"duration_minutes": 5}, "on_rollback": "run"}
)
FIRST_HOUR = Window(name="early", openings=(Opening(day="thu", opens="00:00", closes="01:00"),))
LATER = Window(name="late", openings=(Opening(day="thu", opens="10:00", closes="11:00"),))
ALARM = "shop-5xx"


@dataclass(frozen=True)
class Arrangement:
    """One way into a cell, and the ways out of it."""

    cell: Cell
    bring: Act
    outs: Mapping[str, Act]
    by_time: bool = True  # when its time is over it ends by itself; False: it takes a person, or another run
    stage: str = "staging"

    @property
    def dated(self) -> bool:
        """Tell whether a time is told: also of a run that works, which ends by its limit or stops sooner."""
        return self.by_time or self.cell[1] is None


def one_stage(revision: int, *steps: StepPlan, **changes: Any) -> Any:
    return planned(revision, plan(revision, steps=steps or (A, B), stages=("staging",), **changes))


def asking(kind: str, stage: str = "staging", **fields: Any) -> Act:
    async def ask(stand: Stand) -> None:
        answer = await stand.answer(kind, stage, **fields)
        assert isinstance(answer, OperationAccepted), answer.message

    return ask


def letting_go(held: str) -> Act:
    async def let_go(stand: Stand) -> None:
        stand.carrier.held[held].set()

    return let_go


async def newer(stand: Stand) -> None:
    """Push something newer."""
    await stand.say(planned(9, plan(9, steps=(A,))))


async def alarm_says(stand: Stand, state: Any) -> None:
    said = AlarmChanged(alarm=ALARM, state=state, reason="5xx", source="monitor", at=stand.clock.now())
    await stand.say(said)


async def failed(stand: Stand, revision: int = 1, **changes: Any) -> None:
    """Let a revision fail in staging at its first step."""
    stand.carrier.failing = {"a"}
    await stand.say(one_stage(revision, **changes))
    await stand.until_said(RunFailed, revision=revision)
    stand.carrier.failing = set()


def begun(kind: RunKind, *steps: StepPlan, prepare: Callable[[Stand], None] = lambda _stand: None) -> Act:
    """Let a run of that kind begin with these steps after the first; `prepare` what they meet."""

    async def deploy(stand: Stand) -> None:
        prepare(stand)
        await stand.say(one_stage(1, A, *steps))

    async def retry(stand: Stand) -> None:
        stand.carrier.failing = {"a"}
        await stand.say(one_stage(1, A, *steps))
        await stand.until_said(RunFailed)
        stand.carrier.failing = set()
        prepare(stand)
        await asking("retry", "staging")(stand)

    async def rollback(stand: Stand) -> None:
        await stand.say(one_stage(1, A, *steps))
        if steps and steps[0] in (GATE, BAKE):
            await stand.until_said(StepWaiting)
            await asking("approve", "staging")(stand)
        await stand.until_said(RunSucceeded)
        stand.clock.advance(1)
        await stand.say(one_stage(2))
        await stand.until_said(RunSucceeded, revision=2)
        prepare(stand)
        await asking("rollback", "staging")(stand)

    async def roll_forward(stand: Stand) -> None:
        await stand.say(one_stage(1, A, *steps, window=LATER))
        await stand.until_waits("window")
        prepare(stand)
        await asking("roll_forward", "staging")(stand)

    ways: dict[RunKind, Act] = {
        "deploy": deploy, "retry": retry, "rollback": rollback, "roll_forward": roll_forward,
    }  # fmt: skip
    return ways[kind]


CANCEL = {"cancel": asking("cancel")}
HOLDERS: tuple[tuple[State, RunKind], ...] = (
    (S.IN_PROGRESS, "deploy"),
    (S.IN_PROGRESS, "retry"),
    (S.ROLLING_BACK, "rollback"),
    (S.ROLLING_FORWARD, "roll_forward"),
)


def holds_b(stand: Stand) -> None:
    stand.carrier.hold("b")


def breaks_b(stand: Stand) -> None:
    stand.carrier.failing, stand.transient = {"b"}, True


def breaks_b_unjudged(stand: Stand) -> None:
    stand.carrier.failing, stand.silent_classifier = {"b"}, True


def builds_nothing(stand: Stand) -> None:
    stand.silent_builder = True


def at_steps() -> list[Arrangement]:
    """Return what a run that holds the lock may wait for at its steps, and that it works at them."""
    found = []
    for state, kind in HOLDERS:
        answers = {"approve": asking("approve")}
        found += [
            Arrangement((state, None, kind), begun(kind, B, prepare=holds_b), {"done": letting_go("b")}),
            Arrangement((state, "approval", kind), begun(kind, GATE), answers),
            Arrangement((state, "bake", kind), begun(kind, BAKE), answers),
            Arrangement((state, "retry_backoff", kind), begun(kind, TRIED, prepare=breaks_b), {}),
        ]
    ends = {"reject": asking("reject", reason="seen"), "cancel": asking("cancel")}
    return [
        *found,
        Arrangement((S.IN_PROGRESS, "approval", "deploy"), begun("deploy", GATE), ends),
        Arrangement((S.IN_PROGRESS, "bake", "deploy"), begun("deploy", BAKE), ends),
        Arrangement((S.IN_PROGRESS, "retry_backoff", "deploy"),
                    begun("deploy", TRIED, prepare=breaks_b_unjudged), CANCEL),
    ]  # fmt: skip


async def to_be_built_again(stand: Stand) -> None:
    stand.failing_builds = {1}
    await stand.say(one_stage(1))
    await stand.until_said(RunFailed)
    stand.silent_builder = True
    await asking("retry", "staging")(stand)


def cancelling(kind: RunKind) -> Act:
    """Let a run be cancelled whose step takes long to stop."""

    async def bring(stand: Stand) -> None:
        stand.silent_verifier = True
        stand.carrier.hold_discard("web")
        service = step("web", SERVICE, "a")
        await begun(kind, service)(stand)
        await stand.until_said(StepStarted, step="web")
        await asking("cancel")(stand)

    return bring


async def cannot_be_taken_away(stand: Stand) -> None:
    """Cancel a run whose candidate cannot be reached."""
    stand.silent_verifier = True

    async def out_of_reach(order: StepOrder) -> StepAnswer:
        raise TryAgain(f"{order.step.id} is out of reach")

    stand.carrier.discard = out_of_reach  # type: ignore[method-assign]
    await stand.say(one_stage(1, A, step("web", SERVICE, "a")))
    await stand.until(lambda: any(row["state"] == StepState.VERIFYING for row in stand.rows(tables.steps)))
    await asking("cancel", "staging")(stand)


async def tried_to_the_limit(stand: Stand) -> None:
    """Let time go on until the worker has given up."""
    async with asyncio.timeout(50):
        while not stand.said(RunCancelled):
            stand.clock.advance(5)
            await asyncio.sleep(0)


async def taken_away(stand: Stand) -> None:
    stand.carrier.held_discards["web"].set()
