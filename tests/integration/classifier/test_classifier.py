"""The classifier on its bus: one classification per failed run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.classifier.app import build
from services.classifier.settings import ClassifierSettings
from shared.bus import Subscription
from shared.bus.embedded import EmbeddedBus
from shared.clock import ManualClock
from shared.db import Cause, ServiceDatabase, metadata
from shared.db.sqlite import SqliteDatabase
from shared.events import (
    Evidence,
    EvidenceLine,
    FailureClassified,
    LogLine,
    Message,
    RunFailed,
    RunSucceeded,
    RunTimedOut,
)

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
TURNS = 200
CRASH = LogLine(at=START, text="ModuleNotFoundError: No module named 'flask'")
ABOUT: dict[str, Any] = {"pipeline": "shop", "stage": "staging", "revision": 4, "kind": "deploy"}
FAILED = RunFailed(
    **ABOUT,
    run=UUID(int=1),
    state="Failed",
    failed_in="step",
    evidence=Evidence(
        phase="rollout", kind="process", message="it exited with 1", exit_code=1, log_tail=(CRASH,)
    ),
)
TIMED_OUT = RunTimedOut(
    **ABOUT,
    run=UUID(int=2),
    state="Timed Out",
    evidence=Evidence(phase="deploy", kind="timeout", message="it did not finish"),
)
STRANDED = FAILED.model_copy(update={"run": UUID(int=4), "rollback": "no_candidate"})
RESTORE = FAILED.model_copy(update={"run": UUID(int=5), "kind": "rollback", "failed_in": "rollback"})
ASKED_FOR = RESTORE.model_copy(update={"run": UUID(int=6), "asked_by": "mara"})
FOLLOWED = FAILED.model_copy(update={"run": UUID(int=7), "rollback": "started"})
GOOD = RunSucceeded(**ABOUT, run=UUID(int=3), state="Succeeded")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    sqlite = SqliteDatabase(tmp_path / "windlass.db", ManualClock(START))
    metadata.create_all(sqlite.writer)
    yield sqlite
    await sqlite.close()


async def classified(database: SqliteDatabase, lives: int = 1) -> list[Message[FailureClassified]]:
    """Run the service for some lives and return what it said."""
    heard: list[Message[FailureClassified]] = []
    ears = ServiceDatabase(database, "ears")

    async def hear(message: Message[FailureClassified]) -> None:
        async with ears.hearing(message) as tx:
            if not tx.seen_before:
                heard.append(message)

    for _ in range(lives):
        service = build(database, ClassifierSettings())
        bus = EmbeddedBus(database, [service.subscription, Subscription(ears, {FailureClassified: hear})])
        task = asyncio.ensure_future(bus.run())
        for _ in range(TURNS):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return heard


async def say(database: SqliteDatabase, *events: RunFailed | RunTimedOut | RunSucceeded) -> None:
    async with ServiceDatabase(database, "deployer").transaction(Cause(UUID(int=9)), "test") as tx:
        for event in events:
            tx.emit(event, str(event.run))


async def test_every_failed_run_is_classified_once_and_no_other(database: SqliteDatabase) -> None:
    await say(database, FAILED, GOOD, TIMED_OUT, STRANDED, RESTORE, ASKED_FOR, FOLLOWED)
    heard = await classified(database, lives=3)
    assert [(message.body.run, message.body.rule) for message in heard] == [
        (UUID(int=1), "module_missing"),
        (UUID(int=2), "stage_time_limit_passed"),
        (UUID(int=4), "no_rollback_candidate"),
        (UUID(int=5), "automatic_rollback_failed"),
        (UUID(int=6), "manual_rollback_failed"),
        (UUID(int=7), "module_missing"),
    ]
    first = heard[0].body
    assert (first.failure_stage, first.category) == ("rollout", "startup_failure")
    assert first.lines == ("it exited with 1", CRASH.text)
    assert first.commands == ("windlass logs shop 4 --stage staging",)
    assert first.fix.commands == first.commands
    assert first.fix.check
    assert first.fix.done_when
    assert first.evidence[1] == EvidenceLine(line=1, text=CRASH.text)
    assert first.confidence in {"certain", "likely"}
    assert [message.body.rolled_back for message in heard] == [False, False, False, False, False, True]
    assert heard[0].correlation == "shop@4"
    assert heard[0].causation is not None


async def test_a_message_heard_twice_is_answered_once(database: SqliteDatabase) -> None:
    service = build(database, ClassifierSettings())
    message = Message(UUID(int=5), START, "deployer", FAILED.subject, FAILED.key, "shop@4", None, "", FAILED)
    handler = service.subscription.handlers[RunFailed]
    await handler(message)
    await handler(message)
    assert len(await classified(database)) == 1
