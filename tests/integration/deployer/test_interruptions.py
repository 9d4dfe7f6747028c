"""A deployment cancelled, or the deployer restarted, right after each of its events in turn.

The restarts are the in-process siblings of the kill -9 tests: memory is lost, the file stays.
"""

from collections.abc import Awaitable, Callable
from itertools import count
from uuid import uuid5

from services.deployer import tables
from shared.db import Transaction
from shared.events import (
    Event,
    OperationAccepted,
    OperationRefused,
    OperationRequested,
    RunCancelled,
    RunFailed,
    RunStarted,
    RunSucceeded,
)
from shared.events.runs import RunEvent
from shared.events.steps import StepEvent
from shared.ids import Pipeline, Stage
from shared.plan import Plan
from tests.integration.deployer import promises
from tests.integration.deployer.stand import DEFAULT_STEPS, ROOT, SERVICE, Stand, plan, planned, step

FORKED = (step("migrate"), step("web", SERVICE, "migrate"), step("docs", SERVICE, "migrate"))
EVENTS_MIN = 20  # a story with fewer would not be the one that is meant here
BOTH = ("staging", "production")


async def interrupted(stand: Stand, deployed: Callable[[int, int], Awaitable[None]]) -> int:
    """Deploy one revision after another, the first bothered after its first event, and so on.

    Ends with the first that was over before its turn came; returns its number.
    """
    first = 1 + len(stand.rows(tables.revisions))
    for number in count(1):
        before, told = promises.final_rows(stand), len(stand.story)
        await deployed(first + number - 1, number)
        promises.unchanged(stand, before)
        assert promises.at_rest(stand)
        if len(stand.story) - told < number:
            assert number > EVENTS_MIN
            promises.kept(stand)
            return number
    raise AssertionError


def at_event(stand: Stand, number: int, act: Callable[[Transaction, Event], None]) -> None:
    """Have `act` done in the transaction that hears the `number`th event from now on."""
    turns = count(1)

    def heard(tx: Transaction, event: Event) -> None:
        if next(turns) == number:
            act(tx, event)

    stand.on_event = heard


def cancel_of(event: Event, asking: int) -> OperationRequested:
    """Return the cancel of the run that an event is about, or of whatever holds its stage."""
    stage = getattr(event, "stage", Stage("staging"))
    return OperationRequested(
        pipeline=Pipeline("shop"),
        stage=stage,
        operation=uuid5(ROOT, f"cancel {asking}"),
        kind="cancel",
        run=event.run if isinstance(event, RunEvent | StepEvent) else None,
        actor="ada",
        reason="changed my mind",
    )


async def deploy_and_cancel(stand: Stand, of: Plan, revision: int, number: int) -> None:
    def cancel(tx: Transaction, event: Event) -> None:
        tx.emit(cancel_of(event, revision))

    at_event(stand, number, cancel)
    await stand.say(planned(revision, of))
    await stand.until(lambda: bool(stand.said(RunStarted, revision=revision)))
    await promises.rest(stand)
    check_answer(stand, revision)


def check_answer(stand: Stand, revision: int) -> None:
    """Assert that what was asked was answered once, and that the answer is what then happened."""
    asked = stand.said(OperationRequested, operation=uuid5(ROOT, f"cancel {revision}"))
    accepted = stand.said(OperationAccepted, operation=uuid5(ROOT, f"cancel {revision}"))
    refused = stand.said(OperationRefused, operation=uuid5(ROOT, f"cancel {revision}"))
    assert len(asked) == len(accepted) + len(refused)
    cancelled = stand.said(RunCancelled, revision=revision)
    assert len(cancelled) == len(accepted), f"revision {revision}: cancelled {cancelled}"
    if cancelled and cancelled[0].stage == "staging":
        assert not stand.said(RunStarted, revision=revision, stage="production")
    if not cancelled and revision not in stand.bad_releases:
        assert stand.said(RunSucceeded, revision=revision, stage="production")


async def test_a_deployment_cancelled_after_any_of_its_events_ends_and_leaves_nothing(stand: Stand) -> None:
    async with stand.running():

        async def deployed(revision: int, number: int) -> None:
            forked = plan(revision, steps=FORKED, stages=BOTH)
            await deploy_and_cancel(stand, forked, revision, number)

        await interrupted(stand, deployed)
    assert stand.said(OperationAccepted)
    assert stand.said(OperationRefused)


async def test_a_failing_deployment_cancelled_after_any_event_ends_and_is_restored(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, plan(1, stages=("staging",))))
        await stand.until(lambda: bool(stand.said(RunSucceeded)))
        await promises.rest(stand)
        stand.bad_releases = set(range(2, 100))

        async def deployed(revision: int, number: int) -> None:
            restored = stand.carrier.live["web"]
            await deploy_and_cancel(stand, plan(revision, stages=("staging",)), revision, number)
            rolled_back = stand.said(RunFailed, revision=revision, rollback="started")
            assert len(rolled_back) + len(stand.said(RunCancelled, revision=revision)) == 1
            assert (stand.carrier.live["web"] != restored) == bool(rolled_back)

        await interrupted(stand, deployed)
    assert {event.revision for event in stand.said(RunSucceeded)} == {1}


async def deploy_and_restart(stand: Stand, revision: int, number: int, stages: tuple[str, ...]) -> None:
    told = len(stand.story)
    async with stand.running():
        await stand.say(planned(revision, plan(revision, stages=stages)))
        await stand.until(lambda: len(stand.story) >= told + number or over(stand, revision))
    async with stand.running():
        await stand.until(lambda: over(stand, revision))
        await promises.rest(stand)


def over(stand: Stand, revision: int) -> bool:
    failed = stand.said(RunFailed, revision=revision)
    return bool(failed or stand.said(RunSucceeded, revision=revision, stage="production"))


async def test_a_restart_after_any_event_of_a_deployment_changes_nothing_about_its_end(stand: Stand) -> None:
    async def deployed(revision: int, number: int) -> None:
        await deploy_and_restart(stand, revision, number, BOTH)

    number = await interrupted(stand, deployed)
    assert len(stand.said(RunSucceeded)) == number * len(BOTH)
    assert len(stand.carrier.effects) == number * len(BOTH) * len(DEFAULT_STEPS)


async def test_a_restart_after_any_event_of_a_rollback_changes_nothing_about_its_end(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, plan(1, stages=("staging",))))
        await stand.until(lambda: bool(stand.said(RunSucceeded)))
        await promises.rest(stand)
    stand.bad_releases = set(range(2, 100))

    async def deployed(revision: int, number: int) -> None:
        await deploy_and_restart(stand, revision, number, ("staging",))

    number = await interrupted(stand, deployed)
    assert len(stand.said(RunFailed, rollback="started")) == number
    assert len(stand.said(RunSucceeded, state="Rolled Back", revision=1)) == number
