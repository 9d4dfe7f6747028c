"""Messages heard twice, answers that come too late, and two things at the same moment."""

import asyncio
from typing import Any
from uuid import uuid5

import pytest

from services.deployer import tables
from services.deployer.handlers import Deployer
from shared.db import ServiceDatabase
from shared.events import (
    ArtifactBuilt,
    ArtifactFailed,
    BuildRequested,
    Event,
    Evidence,
    Message,
    RunCancelled,
    RunFailed,
    RunStarted,
    RunSucceeded,
    RunSuperseded,
    RunTimedOut,
    StepStarted,
    VerificationFailed,
    VerificationPassed,
    VerificationRequested,
)
from shared.ids import Digest
from tests.integration.deployer import promises
from tests.integration.deployer.stand import EPOCH, ROOT, SERVICE, Stand, plan, planned, step
from tests.integration.replicas import STORES

pytestmark = pytest.mark.parametrize("stand", STORES, indirect=True)

REJECTED = Evidence(phase="verify", kind="probe", message="GET / gave 500")


def built(asked: BuildRequested) -> ArtifactBuilt:
    said = asked.model_dump(include={"build_key", "request", "pipeline", "revision", "artifact"})
    digest = Digest(f"sha256:{asked.revision:064x}")
    return ArtifactBuilt(
        **said, digest=digest, size_bytes=1, reused=False, built_by=asked.revision, duration_seconds=0.1
    )


def not_built(asked: BuildRequested) -> ArtifactFailed:
    said = asked.model_dump(include={"build_key", "request", "pipeline", "revision", "artifact"})
    evidence = Evidence(phase="build", kind="process", message="make exited 2")
    return ArtifactFailed(**said, evidence=evidence, log="build/1")


def verdicts(asked: VerificationRequested) -> list[Event]:
    said = asked.model_dump(include={"pipeline", "stage", "verification", "run", "revision", "step"})
    return [VerificationFailed(**said, evidence=REJECTED), VerificationPassed(**said, probes=())]


def story(stand: Stand) -> list[tuple[Any, ...]]:
    """Return what happened in each stage, without ids."""
    names = ("stage", "revision", "step", "kind", "state", "attempt")
    return sorted(
        (type(event).__name__, *(str(getattr(event, name, "")) for name in names)) for event in stand.story
    )


async def test_every_message_heard_twice_ends_as_if_heard_once(stand: Stand, other_stand: Stand) -> None:
    other_stand.heard_twice = True
    for each in (stand, other_stand):
        each.bad_releases = {2}
        async with each.running():
            await each.say(planned(1))
            await each.until_said(RunSucceeded, stage="production")
            await each.say(planned(2))
            await each.until_said(RunSucceeded, state="Rolled Back")
            await promises.rest(each)
        promises.kept(each)
    assert story(stand) == story(other_stand)


async def test_answers_said_again_long_after_change_nothing(stand: Stand) -> None:
    stand.bad_releases = {2}
    async with stand.running():
        await stand.say(planned(1), planned(2))
        await stand.until(lambda: promises.at_rest(stand) and bool(stand.said(RunFailed)))
        before = promises.final_rows(stand)
        told = len(stand.story)
        again = [built(asked) for asked in stand.said(BuildRequested)]
        again2 = [not_built(asked) for asked in stand.said(BuildRequested)]
        judged = [each for asked in stand.said(VerificationRequested) for each in verdicts(asked)]
        await stand.say(*again, *again2, *judged)
        await stand.until(lambda: len(stand.story) == told + len(again) + len(again2) + len(judged))
    promises.unchanged(stand, before)
    promises.kept(stand)


@pytest.mark.parametrize("verdict", [0, 1], ids=["rejected", "passed"])
@pytest.mark.parametrize("probed", ["web", ""], ids=["candidate", "stage"])
async def test_a_verdict_after_a_cancel_changes_nothing(stand: Stand, probed: str, verdict: int) -> None:
    stand.silent_verifier = True
    async with stand.running():
        await stand.say(planned(1))
        asked = await stand.until_said(VerificationRequested)
        if not probed:
            await stand.say(verdicts(asked)[1])
            asked = await stand.until_said(VerificationRequested, step="")
        await stand.cancel("staging")
        await stand.until_said(RunCancelled)
        before = promises.final_rows(stand)
        await stand.say(verdicts(asked)[verdict])
        await stand.until_said(type(verdicts(asked)[verdict]), verification=asked.verification)
        await stand.say(planned(2))
        await stand.until_said(RunStarted, revision=2)
    promises.unchanged(stand, before)


async def test_a_verdict_on_a_candidate_being_taken_away_is_not_noted(stand: Stand) -> None:
    stand.silent_verifier = True
    leaves = stand.carrier.hold_discard("web")
    async with stand.running():
        await stand.say(planned(1))
        asked = await stand.until_said(VerificationRequested)
        stand.clock.advance(61)
        await stand.carrier.discarding.wait()
        before = _row(stand, "web")
        assert before["state"] == "Discarding"
        await stand.say(verdicts(asked)[0])
        await stand.until_said(VerificationFailed)
        await stand.say(planned(2))
        await stand.until(lambda: len(stand.rows(tables.revisions)) == 2)
        assert _row(stand, "web") == before
        leaves.set()
        await stand.until_said(RunTimedOut)


async def test_an_artifact_that_comes_after_the_run_ended_is_kept_and_starts_nothing(stand: Stand) -> None:
    stand.silent_builder = True
    async with stand.running():
        await stand.say(planned(1))
        asked = await stand.until_said(BuildRequested)
        await stand.cancel("staging")
        await stand.until_said(RunCancelled)
        before = promises.final_rows(stand)
        await stand.say(built(asked))
        await stand.until(lambda: stand.rows(tables.artifacts)[0]["state"] == "built")
        await stand.say(not_built(asked))
        await stand.say(planned(2))
        await stand.until_said(RunStarted, revision=2)
    promises.unchanged(stand, before)
    assert stand.rows(tables.artifacts)[0]["state"] == "built", "the first answer stands"
    assert not stand.said(StepStarted)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["in order", "the newer first"])
async def test_two_revisions_planned_at_once_run_one_at_a_time(stand: Stand, order: tuple[int, int]) -> None:
    deployer = Deployer(ServiceDatabase(stand.database, "deployer"), lambda _at: None)
    messages = [_message(planned(revision)) for revision in order]
    await asyncio.gather(*(deployer.revision_planned(each) for each in messages + messages))
    async with stand.running():
        await stand.until_said(RunSucceeded, stage="production", revision=2)
        await promises.rest(stand)
    promises.kept(stand)
    if order == (2, 1):
        assert {event.revision for event in stand.said(RunSuperseded)} == {1}


async def test_a_limit_is_kept_also_by_a_step_that_began_when_another_ended(stand: Stand) -> None:
    stand.carrier.hold("web")
    steps = (step("migrate"), step("web", SERVICE, "migrate", timeout_seconds=10.0))
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=steps)))
        await stand.until_said(StepStarted, step="web")
        stand.clock.advance(11)  # the sweep, which would find anything, is later
        timed_out = await stand.until_said(RunTimedOut)
    assert timed_out.step == "web"


def _row(stand: Stand, id_: str) -> dict[str, Any]:
    return next(row for row in stand.rows(tables.steps) if row["step"] == id_)


def _message(event: Event) -> Message[Any]:
    id_ = uuid5(ROOT, f"{event.type} {event.model_dump_json()}")
    return Message(
        id=id_,
        time=EPOCH,
        source="test",
        subject=event.subject,
        key=event.key,
        correlation=event.correlation,
        causation=None,
        traceparent="",
        body=event,
        position=0,
    )
