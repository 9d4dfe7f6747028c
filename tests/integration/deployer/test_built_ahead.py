"""Builds are never held by a window: what is next in the first stage is built while the stage is closed."""

from shared.events import BuildRequested, RunFailed, RunStarted, RunSucceeded
from shared.plan import Plan
from shared.window import Opening, Window
from tests.integration.deployer.stand import Stand, plan, planned

OPENS_AFTER_SECONDS = 10 * 3600  # from when the stand begins, on a Thursday
WINDOW = Window(name="later", openings=(Opening(day="thu", opens="10:00", closes="11:00"),))


def later(revision: int) -> Plan:
    return plan(revision, stages=("staging",), window=WINDOW)


async def test_what_waits_for_a_window_is_built_meanwhile_and_once(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, later(1)))
        await stand.until_waits("window")
        await stand.until_said(BuildRequested)
        assert not stand.said(RunStarted)
    async with stand.running():
        stand.clock.advance(OPENS_AFTER_SECONDS)
        await stand.until_said(RunSucceeded)
    assert len(stand.said(BuildRequested)) == 1


async def test_a_build_that_failed_meanwhile_fails_the_run_when_it_begins(stand: Stand) -> None:
    stand.failing_builds = {1}
    async with stand.running():
        await stand.say(planned(1, later(1)))
        await stand.until_said(BuildRequested)
        stand.clock.advance(OPENS_AFTER_SECONDS)
        failed = await stand.until_said(RunFailed)
    assert (failed.failed_in, failed.evidence.message) == ("build", "make exited 2")


async def test_a_newer_revision_takes_the_place_and_is_built_as_well(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, later(1)))
        await stand.until_said(BuildRequested, revision=1)
        await stand.say(planned(2, later(2)))
        await stand.until_said(BuildRequested, revision=2)
        stand.clock.advance(OPENS_AFTER_SECONDS)
        await stand.until_said(RunSucceeded, revision=2)
    assert not stand.said(RunStarted, revision=1)


async def test_a_stopped_stage_builds_nothing(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, later(1)))
        await stand.until_said(BuildRequested)
        await stand.answer("stop", "staging")
        await stand.say(planned(2, later(2)))
        await stand.until_waits("stopped", revision=2)
    assert not stand.said(BuildRequested, revision=2)
