"""What is said of an outage: its beginning, its end, and now and then that it lasts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
import structlog

from shared.bus.kafka.relay import FAULTS_TOLD_EVERY, SWEEP_SECONDS, Relay
from shared.clock import Clock, ManualClock
from shared.db import Noted
from shared.faults import TryAgain
from shared.outage import Outage
from tests.builders import START
from tests.contract.installation import running


def test_it_is_told_once_and_its_end_with_how_long_it_lasted() -> None:
    clock = ManualClock(START)
    outage = Outage(clock, "lost", "found", service="status")
    with structlog.testing.capture_logs() as logged:
        outage.over()
        for _ in range(30):
            outage.failed("away")
            clock.advance(2.0)
        outage.over()
        outage.over()
    lost = {"event": "lost", "log_level": "warning", "reason": "away", "in_a_row": 1, "service": "status"}
    found = {"event": "found", "log_level": "info", "lasted_seconds": 60.0, "failures": 30}
    assert logged == [lost, found | {"service": "status"}]


def test_the_next_one_is_told_anew() -> None:
    outage = Outage(ManualClock(START), "lost", "found")
    with structlog.testing.capture_logs() as logged:
        for _ in range(2):
            outage.failed("away")
            outage.over()
    assert [line["event"] for line in logged] == ["lost", "found"] * 2


class Answers:
    """What a database answers to whoever carries its outbox."""

    rowcount = 0

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = rows

    def all(self) -> Sequence[Any]:
        return self._rows

    async def execute(self, _statement: object, values: Mapping[str, Any] | None = None) -> "Answers":
        behind = (values or {}).get("behind", 0)
        return Answers([row for row in self._rows if row.position > behind])


class Outbox:
    """A database that has only this."""

    def __init__(self, clock: Clock, *rows: Any) -> None:
        self.clock = clock
        self._answers = Answers(rows)

    @asynccontextmanager
    async def begin(self, *, reserved: bool = False) -> AsyncIterator[tuple[Any, set[str]]]:
        yield self._answers, set()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        yield self._answers

    def on_commit(self, listener: Callable[[Noted], None]) -> None: ...

    async def close(self) -> None: ...


class Away:
    """Topics whose brokers are away the first so many times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.tries = 0

    async def prepare(self) -> None:
        self.tries += 1
        if self.tries <= self.times:
            raise TryAgain("Kafka cannot be reached")

    async def publish(self, rows: Sequence[sa.Row[Any]]) -> set[int]:
        return set()  # no partition answers, nor says why not


@pytest.mark.parametrize("failures", [1, FAULTS_TOLD_EVERY * 2 + 5])
async def test_a_relay_whose_brokers_are_away_says_so_at_the_start_now_and_then_and_at_the_end(
    failures: int,
) -> None:
    clock, topics = ManualClock(START), Away(failures)
    with structlog.testing.capture_logs() as logged:
        async with running(Relay(Outbox(clock), topics).run()):
            for _ in range(failures * 50):
                for _ in range(10):
                    await asyncio.sleep(0)
                clock.advance(SWEEP_SECONDS / 2)
                if topics.tries > failures + 1:
                    break
    told = [1, *range(FAULTS_TOLD_EVERY, failures + 1, FAULTS_TOLD_EVERY)]
    failed, (resumed,) = logged[:-1], logged[-1:]
    assert [(line["event"], line["in_a_row"]) for line in failed] == [("relay.failed", n) for n in told]
    assert {line["reason"] for line in failed} == {"Kafka cannot be reached"}
    assert (resumed["event"], resumed["failures"]) == ("relay.resumed", failures)
    assert resumed["lasted_seconds"] > 0


async def test_a_relay_whose_partitions_do_not_answer_does_not_say_that_it_is_over() -> None:
    clock, topics = ManualClock(START), Away(1)
    row = SimpleNamespace(position=1, bytes_by_now=10, topic="windlass.logs")
    with structlog.testing.capture_logs() as logged:
        async with running(Relay(Outbox(clock, row), topics).run()):
            while topics.tries < 5:
                for _ in range(10):
                    await asyncio.sleep(0)
                clock.advance(SWEEP_SECONDS)
    assert [line["event"] for line in logged] == ["relay.failed"]
