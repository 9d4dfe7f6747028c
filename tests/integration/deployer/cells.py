"""Every cell of `ways_out`: how the deployer comes into it, and how it leaves it again."""

from datetime import timedelta
from typing import Any

from shared.events import (
    DefinitionHeld,
    RunFailed,
    RunSucceeded,
    RunWaiting,
    StageBlocked,
    StepStarted,
    StepWaiting,
)
from shared.plan import StepPlan
from shared.window import Window
from tests.integration.deployer.arrangements import (
    ALARM,
    CANCEL,
    FIRST_HOUR,
    GATE,
    LATER,
    A,
    Act,
    Arrangement,
    B,
    S,
    alarm_says,
    asking,
    at_steps,
    begun,
    builds_nothing,
    cancelling,
    cannot_be_taken_away,
    failed,
    letting_go,
    newer,
    one_stage,
    taken_away,
    to_be_built_again,
    tried_to_the_limit,
)
from tests.integration.deployer.stand import SERVICE, Stand, plan, planned, step


async def behind_a_stage_at_work(stand: Stand) -> None:
    stand.carrier.hold("a", "staging")
    await stand.say(planned(1, plan(1, steps=(A,))))
    await stand.until_said(StepStarted)


async def behind_a_stage_that_failed(stand: Stand) -> None:
    stand.carrier.failing = {"a"}
    await stand.say(planned(1, plan(1, steps=(A,))))
    await stand.until_said(RunFailed)
    stand.carrier.failing = set()


async def made_anew_behind_a_retry(stand: Stand) -> None:
    """Let two revisions fail, so that the newer takes the older's place ahead; then retry the older."""
    stand.carrier.failing = {"a"}
    for number in (1, 2):
        await stand.say(planned(number, plan(number, steps=(A,))))
        await stand.until_said(RunFailed, revision=number)
    stand.carrier.failing = set()
    stand.carrier.hold("a", "staging")
    await asking("retry", "staging", run=stand.said(RunFailed, revision=1)[0].run)(stand)


async def behind_another(stand: Stand) -> None:
    stand.carrier.hold("b")
    await stand.say(one_stage(1))
    await stand.until_said(StepStarted, step="b")
    await stand.say(one_stage(2))


async def behind_another_at_a_gate(stand: Stand) -> None:
    await stand.say(one_stage(1, A, GATE))
    await stand.until_said(StepWaiting)
    await stand.say(one_stage(2))


def in_line(revision: int, **changes: Any) -> Any:
    made = plan(revision, steps=(A, B), stages=("staging",), **changes)
    lined = tuple(stage.model_copy(update={"queue": "fifo"}) for stage in made.stages)
    return planned(revision, made.model_copy(update={"stages": lined}))


async def far_back_in_line(stand: Stand) -> None:
    stand.carrier.hold("b")
    await stand.say(in_line(1))
    await stand.until_said(StepStarted, step="b")
    await stand.say(*(in_line(number) for number in range(2, 7)))
    await stand.until_said(RunWaiting, revision=6)


async def in_line_before_the_window(stand: Stand) -> None:
    await stand.say(in_line(1, window=LATER), in_line(2, window=LATER))
    await stand.until_said(RunWaiting, revision=2)


def guarded(revision: int, *steps: StepPlan) -> Any:
    made = plan(revision, steps=(A, *steps), stages=("staging",))
    return planned(revision, made.model_copy(update={"definition_approval": "ALWAYS"}))


async def with_a_file_that_changed(stand: Stand) -> None:
    await stand.say(guarded(1))
    await stand.until_said(RunSucceeded)
    await stand.say(guarded(2, B))


async def retried_in_line_behind_a_file_that_changed(stand: Stand) -> None:
    for number, steps in ((1, ()), (2, (B,)), (3, (B,))):
        said = guarded(number, *steps)
        line = said.plan.stages[0].model_copy(update={"queue": "fifo"})
        fixed = said.plan.model_copy(update={"stages": (line,)})
        await stand.say(said.model_copy(update={"plan": fixed, "plan_hash": fixed.content_hash()}))
        await stand.until_said(RunSucceeded if number == 1 else RunWaiting, revision=number)
    third = stand.said(RunWaiting, revision=3)[0].run
    await asking("cancel", run=third)(stand)
    await asking("retry", run=third)(stand)


def of_the_file(kind: str) -> Act:
    async def answer(stand: Stand) -> None:
        said = await stand.until_said(DefinitionHeld)
        await asking(kind, reason="seen", run=said.run)(stand)

    return answer


async def retried_behind_a_rollback(stand: Stand) -> None:
    await stand.say(one_stage(1, A, B))
    await stand.until_said(RunSucceeded)
    stand.clock.advance(1)
    await failed(stand, 2)
    stand.carrier.hold("b")
    await asking("rollback", "staging")(stand)
    await stand.until_said(StepStarted, step="b", revision=1)
    await asking("release_hold", "staging")(stand)
    await asking("retry", "staging", run=stand.said(RunFailed, revision=2)[0].run)(stand)


async def rolled_back_while_it_stops(stand: Stand) -> None:
    await stand.say(one_stage(1))
    await stand.until_said(RunSucceeded)
    stand.silent_verifier = True
    stand.carrier.hold_discard("web")
    await stand.say(one_stage(2, A, step("web", SERVICE, "a")))
    await stand.until_said(StepStarted, step="web")
    await asking("rollback", "staging")(stand)


async def before_the_window(stand: Stand) -> None:
    await stand.say(one_stage(1, window=LATER))


async def forward_unbuilt(stand: Stand) -> None:
    builds_nothing(stand)
    await before_the_window(stand)
    await stand.until_waits("window")
    await asking("roll_forward")(stand)


async def without_any_opening(stand: Stand) -> None:
    await stand.say(one_stage(1, window=Window(name="shut", openings=())))


async def retried_after_the_window(stand: Stand) -> None:
    await failed(stand, window=FIRST_HOUR)
    stand.clock.advance(2 * 3600)
    await asking("retry", "staging")(stand)


async def under_an_alarm(stand: Stand) -> None:
    await alarm_says(stand, "firing")
    await stand.say(one_stage(1, alarm=ALARM))


async def under_an_alarm_that_cleared(stand: Stand) -> None:
    await under_an_alarm(stand)
    await stand.until_waits("blocker")
    await alarm_says(stand, "clear")


async def retried_under_an_alarm(stand: Stand) -> None:
    await failed(stand, alarm=ALARM)
    await alarm_says(stand, "firing")
    await stand.until_said(StageBlocked)
    await asking("retry", "staging")(stand)


async def it_clears(stand: Stand) -> None:
    await alarm_says(stand, "clear")


async def in_a_stopped_stage(stand: Stand) -> None:
    await stand.say(one_stage(1))
    await stand.until_said(RunSucceeded)
    await asking("stop", "staging", reason="freeze")(stand)
    await stand.say(one_stage(2))


async def in_a_stopped_pipeline(stand: Stand) -> None:
    await asking("stop", "*", reason="freeze")(stand)
    await stand.say(one_stage(1))


async def retried_in_a_stopped_stage(stand: Stand) -> None:
    await failed(stand)
    await asking("stop", "staging", reason="freeze")(stand)
    await asking("retry", "staging")(stand)


async def overridden(stand: Stand) -> None:
    until = stand.clock.now() + timedelta(hours=1)
    await asking("override_window", "staging", until=until, reason="hotfix")(stand)


NEWER_OR = {"something newer": newer}
RETRY = {"it is retried there": asking("retry")}
RESUME = {"resume": asking("resume")}
LIFT = {"it clears": it_clears, "lift the blocker": asking("lift_blocker", reason="a false alarm")}
STOPPING: list[Arrangement] = [
    *(Arrangement((S.CANCELLING, None, kind), cancelling(kind), {"it stops": taken_away}, by_time=False)
      for kind in ("deploy", "retry", "roll_forward")),
    Arrangement((S.CANCELLING, None, "deploy"), cannot_be_taken_away, {"it is given up": tried_to_the_limit},
                by_time=False),
]  # fmt: skip
BUILDING: list[Arrangement] = [
    Arrangement((S.IN_PROGRESS, "build", "deploy"), begun("deploy", prepare=builds_nothing), CANCEL),
    Arrangement((S.IN_PROGRESS, "build", "retry"), to_be_built_again, CANCEL),
    Arrangement((S.ROLLING_FORWARD, "build", "roll_forward"), forward_unbuilt, CANCEL),
]
LET_A_GO, LET_B_GO = {"it goes on": letting_go("staging/a")}, {"it ends": letting_go("b")}
QUEUED: list[Arrangement] = [
    Arrangement((S.NOT_STARTED, "previous_stage", "deploy"), behind_a_stage_at_work,
                LET_A_GO, stage="production"),
    Arrangement((S.NOT_STARTED, "previous_stage", "deploy"), behind_a_stage_that_failed,
                {**RETRY, **NEWER_OR}, by_time=False, stage="production"),
    Arrangement((S.NOT_STARTED, "previous_stage", "retry"), made_anew_behind_a_retry, LET_A_GO,
                stage="production"),
    Arrangement((S.NOT_STARTED, "lock", "deploy"), behind_another, {**LET_B_GO, **NEWER_OR, "cancel":
                asking("cancel")}),
    Arrangement((S.NOT_STARTED, "lock", "deploy"), behind_another_at_a_gate, {"approve": asking("approve")}),
    Arrangement((S.NOT_STARTED, "lock", "deploy"), far_back_in_line, LET_B_GO, by_time=False),
    Arrangement((S.NOT_STARTED, "window", "deploy"), in_line_before_the_window, {"override": overridden},
                by_time=False),
    Arrangement((S.NOT_STARTED, "approval", "deploy"), with_a_file_that_changed,
                {"approve": of_the_file("approve"), "reject": of_the_file("reject"), **CANCEL, **NEWER_OR},
                by_time=False),
    Arrangement((S.NOT_STARTED, "approval", "retry"), retried_in_line_behind_a_file_that_changed,
                {"approve": of_the_file("approve"), "reject": of_the_file("reject")}, by_time=False),
    Arrangement((S.NOT_STARTED, "lock", "retry"), retried_behind_a_rollback, LET_B_GO),
    Arrangement((S.NOT_STARTED, "lock", "rollback"), rolled_back_while_it_stops, {"it stops": taken_away},
                by_time=False),
    Arrangement((S.NOT_STARTED, "window", "deploy"), before_the_window,
                {"override": overridden, **CANCEL, **NEWER_OR}),
    Arrangement((S.NOT_STARTED, "window", "deploy"), without_any_opening, {"override": overridden},
                by_time=False),
    Arrangement((S.NOT_STARTED, "window", "retry"), retried_after_the_window, {"override": overridden}),
    Arrangement((S.NOT_STARTED, "blocker", "deploy"), under_an_alarm, LIFT, by_time=False),
    Arrangement((S.NOT_STARTED, "blocker", "deploy"), under_an_alarm_that_cleared, NEWER_OR),
    Arrangement((S.NOT_STARTED, "blocker", "retry"), retried_under_an_alarm, LIFT, by_time=False),
    Arrangement((S.NOT_STARTED, "stopped", "deploy"), in_a_stopped_stage, {**RESUME, **CANCEL},
                by_time=False),
    Arrangement((S.NOT_STARTED, "stopped", "deploy"), in_a_stopped_pipeline,
                {"resume": asking("resume", "*")}, by_time=False),
    Arrangement((S.NOT_STARTED, "stopped", "retry"), retried_in_a_stopped_stage, RESUME, by_time=False),
]  # fmt: skip
EVERY: list[Arrangement] = [*QUEUED, *BUILDING, *at_steps(), *STOPPING]
