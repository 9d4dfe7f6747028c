"""Watches through crashes, what hangs, clocks that jump, a busy database, and our own bugs."""

import asyncio
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from services.verifier.adapters.fakes import FakeProber
from services.verifier.tables import watches
from shared.events import (
    HealthChanged,
    HealthSampled,
)
from shared.faults import TryAgain
from shared.plan import CommandCheck, PathCheck
from tests.builders import START, named
from tests.integration.verifier.lookout import (
    GOOD,
    SILENT,
    Lookout,
    succeeded,
    target,
    url,
)


async def test_a_crash_in_the_midst_of_a_look_costs_that_one_look(lookout: Lookout) -> None:
    async with lookout.watching():
        await lookout.healthy()
    hanging = FakeProber({url(): GOOD}, hanging=asyncio.Event())
    async with lookout.watching(lookout.worker(prober=hanging)):
        await lookout.until(hanging.heard.is_set)
    made = lookout.looks()
    async with lookout.watching():
        await lookout.pass_time(60)
        assert lookout.looks() in {made + 1, made + 2}
        await lookout.pass_time(300)
    assert lookout.health() == "healthy"
    assert [each.health for each in lookout.said(HealthChanged)] == ["healthy"]
    sampled = lookout.said(HealthSampled)
    assert all(each.counts.looks == each.counts.good for each in sampled)


async def test_what_was_seen_before_a_newer_run_changes_nothing_of_it(lookout: Lookout) -> None:
    slow = FakeProber({url(): SILENT}, hanging=asyncio.Event())
    assert slow.hanging
    async with lookout.watching(lookout.worker(prober=slow)):
        await lookout.hear(succeeded(1))
        await lookout.until(slow.heard.is_set)
        await lookout.hear(succeeded(2))
        before = lookout.store.look(sa.select(watches))
        slow.hanging.set()
        await lookout.settle()
        assert before[0].run == named("run 2")
        assert lookout.store.look(sa.select(watches)) == before
    assert lookout.said(HealthSampled) == []


async def test_services_that_hang_delay_nobody_but_each_other(lookout: Lookout) -> None:
    hang = [f"h{n}" for n in range(40)]
    hanging = HangsAtSome(FakeProber(), {url(name) for name in hang})
    hanging.web.pages = {url("web"): GOOD}
    async with lookout.watching(lookout.worker(slots=4, prober=hanging)):
        await lookout.hear(succeeded(1, *(target(name) for name in (*hang, "web"))))
        await lookout.pass_time(200)  # by now each has been looked at, and is known to take long
        made = hanging.web.asked.count(url("web"))
        await lookout.pass_time(300)
        assert hanging.web.asked.count(url("web")) - made >= 9
        assert hanging.at_once_max == 4
    told = {each.service: each.health for each in lookout.said(HealthChanged)}
    assert told.pop("web") == "healthy"
    assert set(told.values()) <= {"unreachable"}


class HangsAtSome:
    """Never answers for some addresses; counts how many are asked side by side."""

    def __init__(self, web: FakeProber, at: set[str]) -> None:
        self.web = web
        self.at = at
        self.at_once = self.at_once_max = 0

    async def ask(self, probe: Any) -> Any:
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        try:
            if probe.url in self.at:
                await asyncio.Event().wait()
            return await self.web.ask(probe)
        finally:
            self.at_once -= 1

    async def connect(self, connection: Any) -> Any:
        return await self.web.connect(connection)


async def test_a_clock_that_was_set_back_does_not_put_looks_off(lookout: Lookout) -> None:
    lookout.clock.advance(7200)
    async with lookout.watching():
        await lookout.healthy()
    lookout.clock.advance(-7200)
    made = lookout.looks()
    async with lookout.watching():
        await lookout.pass_time(100)
    assert lookout.looks() >= made + 3
    assert lookout.health() == "healthy"


async def test_a_verifier_that_was_away_says_that_nothing_is_known_and_learns_it_again(
    lookout: Lookout,
) -> None:
    async with lookout.watching():
        await lookout.healthy()
    lookout.clock.advance(86_400)
    async with lookout.watching():
        await lookout.pass_time(20)
    assert [each.health for each in lookout.said(HealthChanged)] == ["healthy", "unknown", "healthy"]


async def test_a_busy_database_costs_a_look_and_nothing_else(lookout: Lookout) -> None:
    busy = Busy(lookout.store.database)
    async with lookout.watching(lookout.worker(busy)):
        await lookout.healthy()
        busy.is_busy = True
        await lookout.pass_time(60)
        busy.is_busy = False
        await lookout.pass_time(120)
    assert lookout.health() == "healthy"
    assert lookout.looks() >= 6


async def test_a_look_that_cannot_be_written_is_lost_and_the_next_is_made(lookout: Lookout) -> None:
    busy = Busy(lookout.store.database)
    async with lookout.watching(lookout.worker(busy)):
        await lookout.healthy()
        lookout.prober.heard.clear()
        lookout.prober.hanging = asyncio.Event()
        await lookout.until(lookout.prober.heard.is_set)
        busy.is_busy = True
        lookout.prober.hanging.set()
        await lookout.settle()
        busy.is_busy = False
        made = lookout.looks()
        await lookout.pass_time(120)
        assert lookout.looks() >= made + 2
    assert lookout.health() == "healthy"


class Busy:
    """A database that may be locked by somebody else."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self.clock = database.clock
        self.is_busy = False

    def begin(self, *, reserved: bool = False) -> Any:
        if self.is_busy:
            raise TryAgain("the database is locked")
        return self._database.begin(reserved=reserved)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


async def test_a_bug_in_a_look_is_logged_and_the_others_go_on(lookout: Lookout) -> None:
    class Broken(FakeProber):
        async def ask(self, probe: Any) -> Any:
            if probe.url == url("api"):
                raise ZeroDivisionError(probe.url)
            return await FakeProber.ask(self, probe)

    broken = Broken({url(): GOOD})
    with structlog.testing.capture_logs() as logs:
        async with lookout.watching(lookout.worker(prober=broken)):
            await lookout.hear(succeeded(1, target("web"), target("api")))
            await lookout.until(lambda: lookout.health() == "healthy")
    assert {each["service"] for each in logs if each["event"] == "watch.look_broke"} == {"api"}
    assert lookout.health("api") == "unknown"


async def test_a_service_with_many_paths_that_hang_is_one_silent_look_in_bounded_time(
    lookout: Lookout,
) -> None:
    paths = tuple(PathCheck(path=f"/{n}") for n in range(50))
    hanging = HangsAtSome(FakeProber(), {f"http://127.0.0.1:9000/{n}" for n in range(50)})
    async with lookout.watching(lookout.worker(prober=hanging)):
        await lookout.hear(succeeded(1, target(paths=paths)))
        await lookout.until(lambda: lookout.health() == "unreachable")
        assert hanging.at_once_max <= 4
        assert lookout.clock.now() - START < timedelta(seconds=60), "nobody waits for each of them"
        await lookout.pass_time(30)
    (told,) = lookout.said(HealthChanged)
    assert "nothing came back within 15 s" in told.reason


async def test_many_paths_that_each_answer_in_their_time_are_healthy(lookout: Lookout) -> None:
    """All of them are asked, a few at a time, and none is blamed for the time that the others took."""
    paths = tuple(PathCheck(path=f"/{n}") for n in range(50))
    slow = TakesItsTime({f"http://127.0.0.1:9000/{n}": GOOD for n in range(50)}, lookout.clock, 4.0)
    async with lookout.watching(lookout.worker(prober=slow)):
        await lookout.hear(succeeded(1, target(paths=paths)))
        await lookout.until(lambda: lookout.health() != "unknown")
    assert lookout.health() == "healthy"
    assert all(slow.asked.count(page) >= 2 for page in slow.pages)


class TakesItsTime(FakeProber):
    """Answers well, after some time."""

    def __init__(self, pages: Any, clock: Any, seconds: float) -> None:
        super().__init__(pages)
        self.clock = clock
        self.seconds = seconds

    async def ask(self, probe: Any) -> Any:
        await self.clock.sleep(self.seconds)
        return await FakeProber.ask(self, probe)


async def test_what_has_neither_a_process_nor_a_path_is_asked_for_the_well_known_ones(
    lookout: Lookout,
) -> None:
    """Its commands are not run by looks; were nothing asked, nothing would ever be known of it."""
    lookout.prober.pages["http://127.0.0.1:9000/"] = GOOD
    smoke = (CommandCheck(command=("./smoke",)),)
    async with lookout.watching():
        await lookout.hear(succeeded(1, target(paths=(), commands=smoke)))
        await lookout.until(lambda: lookout.health() == "healthy")
