"""A release that has its address and is watched for a while before its run succeeds."""

from datetime import timedelta
from typing import Any

import pytest

from services.deployer.tables import runs
from shared.events import (
    Evidence,
    ProbeTarget,
    RunFailed,
    RunSucceeded,
    RunTimedOut,
    RunWaiting,
    VerificationFailed,
    VerificationPassed,
    VerificationProbed,
    VerificationRequested,
)
from shared.plan import Plan
from tests.integration.deployer.stand import DEFAULT_STEPS, SERVICE, Stand, plan, planned, step

SOAK = {"artifact": "web", "command": ["serve"], "verify": {"soak_seconds": 600.0}}
WATCHED = (DEFAULT_STEPS[0], step("web", SERVICE, "migrate").model_copy(update={"params": SOAK}))


@pytest.fixture
def watched(stand: Stand) -> Stand:
    stand.silent_verifier = True  # each test says what was seen
    return stand


async def begun(
    stand: Stand, revision: int = 1, of: Plan | None = None
) -> tuple[VerificationRequested, dict[str, Any]]:
    """Bring a revision to where it is watched; return what was asked, and what answers to that say."""
    await stand.say(planned(revision, of or plan(revision, steps=WATCHED)))
    asked = await stand.until_said(VerificationRequested, revision=revision, step="web")
    about = asked.model_dump(include={"pipeline", "stage", "verification", "run", "revision", "step"})
    await stand.say(VerificationPassed(**about, probes=()))
    asked = await stand.until_said(VerificationRequested, revision=revision, step="")
    return asked, asked.model_dump(include={"pipeline", "stage", "verification", "run", "revision", "step"})


def soaking(stand: Stand, about: dict[str, Any]) -> VerificationProbed:
    until = stand.clock.now() + timedelta(seconds=600)
    return VerificationProbed(**about, rounds=(), soaks_until=until)


async def test_only_what_is_live_is_watched_and_its_run_tells_until_when(watched: Stand) -> None:
    async with watched.running():
        asked, about = await begun(watched)
        candidate = watched.said(VerificationRequested, step="web")[0]
        probed = soaking(watched, about)
        await watched.say(probed)
        wait = await watched.until_waits("bake", revision=1)
    assert (candidate.soak_seconds, asked.soak_seconds) == (0.0, 600.0)
    assert wait.deadline == probed.soaks_until
    assert wait.blocked_by == "revision 1 is live here and watched (soak)"


async def test_the_time_of_watching_is_added_to_the_limit_of_the_stage(watched: Stand) -> None:
    async with watched.running():
        asked, _ = await begun(watched)
        row = next(row for row in watched.rows(runs) if row["run"] == asked.run)
        limit = row["started_at"] + timedelta(seconds=plan(1).stages[0].timeout_seconds)
        again = asked.targets[0].criteria.deadline_seconds  # a verifier that restarts has it proved again
        assert row["deadline_at"] == limit + timedelta(seconds=600 + again)
        assert asked.deadline <= limit  # to meet its criteria it has no longer than without


async def test_the_time_of_watching_is_added_to_the_limit_of_the_deployment(watched: Stand) -> None:
    limited = plan(1, steps=WATCHED, stages=("staging",)).model_copy(update={"timeout_seconds": 60.0})
    async with watched.running():
        _, about = await begun(watched, of=limited)
        await watched.say(soaking(watched, about))
        await watched.until_waits("bake", revision=1)
        watched.clock.advance(500)
        await watched.say(VerificationPassed(**about, probes=()))
        await watched.until_said(RunSucceeded)
    assert not watched.said(RunTimedOut)


async def test_a_release_that_stayed_good_is_promoted_and_waits_for_nothing(watched: Stand) -> None:
    async with watched.running():
        _, about = await begun(watched)
        await watched.say(soaking(watched, about))
        await watched.until_waits("bake", revision=1)
        await watched.say(VerificationPassed(**about, probes=()))
        done = await watched.until_said(RunSucceeded, stage="staging")
        await watched.until_said(VerificationRequested, stage="production", step="web")
    assert done.services == ("web",)
    assert [target.service for target in done.targets] == ["web"]
    assert done.targets[0].release == str(done.run)
    assert done.targets[0].commit == f"{1:040x}"
    assert done.private_addresses


async def test_a_release_that_fails_while_it_is_watched_is_rolled_back(watched: Stand) -> None:
    async with watched.running():
        _, about = await begun(watched)
        await watched.say(VerificationPassed(**about, probes=()))
        await watched.until_said(RunSucceeded, stage="staging", revision=1)
        _, about = await begun(watched, 2)
        await watched.say(soaking(watched, about))
        await watched.until_waits("bake", revision=2)
        evidence = Evidence(phase="verify", kind="probe", message="GET / gave 500, 40 s after it was good")
        await watched.say(VerificationFailed(**about, evidence=evidence))
        failed = await watched.until_said(RunFailed, revision=2)
    assert (failed.failed_in, failed.rollback) == ("verification", "started")
    assert failed.evidence == evidence


@pytest.mark.parametrize("late", ["after the verdict", "of another verification"])
async def test_word_of_watching_that_comes_too_late_changes_nothing(watched: Stand, late: str) -> None:
    async with watched.running():
        _, about = await begun(watched)
        await watched.say(VerificationPassed(**about, probes=()))
        await watched.until_said(RunSucceeded, stage="staging", revision=1)
        said = {**about, "verification": about["run"]} if late == "of another verification" else about
        await watched.say(soaking(watched, said))
        await watched.until_said(VerificationRequested, stage="production", step="web")
        row = next(row for row in watched.rows(runs) if row["run"] == about["run"])
    assert row["soaks_until"] is None
    waits = [event.wait for event in watched.said(RunWaiting, run=about["run"])]
    assert not [wait for wait in waits if wait and wait.reason == "bake"]


async def test_a_deployer_that_restarts_while_a_release_is_watched_tells_the_same(watched: Stand) -> None:
    async with watched.running():
        _, about = await begun(watched)
        await watched.say(soaking(watched, about))
        wait = await watched.until_waits("bake", revision=1)
    async with watched.running():
        await watched.say(VerificationPassed(**about, probes=()))
        await watched.until_said(RunSucceeded, stage="staging", revision=1)
    told = [e.wait for e in watched.said(RunWaiting, run=about["run"]) if e.wait and e.wait.reason == "bake"]
    assert told == [wait]


def test_what_a_newer_release_asks_for_is_read_as_far_as_it_is_known() -> None:
    criteria = {
        "paths": [{"path": "/a", "invented": 1}],
        "release": {"header": "X-Release", "invented": 1},
        "commands": [{"command": ["true"], "invented": 1}],
        "invented": {"paths": [1]},
    }
    target = ProbeTarget.model_validate({"service": "web", "base_url": "http://a", "criteria": criteria})
    assert target.criteria.paths[0].path == "/a"
    assert target.criteria.release is not None
    assert target.criteria.commands[0].command == ("true",)


def test_a_target_without_a_place_is_one_that_nobody_can_look_into() -> None:
    assert (
        ProbeTarget.model_validate({"service": "web", "base_url": "http://a", "criteria": {}}).place is None
    )
