"""What one process commits, the others hear of soon, and nobody twice."""

import asyncio
from collections.abc import Callable

import pytest
import structlog

from shared.clock import ManualClock, SystemClock
from shared.db import Noted, lock_key
from shared.db.postgres import PostgresDatabase
from shared.db.postgres.advisory import CHECK_SECONDS
from shared.db.postgres.news import PAUSE_SECONDS, SIGN_OF_LIFE_SECONDS
from tests.builders import START
from tests.contract.installation import running
from tests.integration.postgres.store import add, asked, end_sessions, opened, sessions

LISTENS = "query LIKE 'LISTEN%' OR query LIKE '%pg_notify%' OR query = 'SELECT 1'"
KEY = lock_key("windlass replica deployer deployer-1")


async def until(condition: Callable[[], bool], between: Callable[[], None] = lambda: None) -> None:
    async with asyncio.timeout(40):
        while not condition():
            between()
            await asyncio.sleep(0.005)


async def listening(url: str, count: int) -> None:
    async with asyncio.timeout(40):
        while await sessions(url, f"({LISTENS}) AND state = 'idle'") < count:  # noqa: ASYNC110 - a server is polled
            await asyncio.sleep(0.01)


def ears(database: PostgresDatabase) -> list[Noted]:
    heard: list[Noted] = []
    database.on_commit(heard.append)
    return heard


async def test_another_process_hears_what_was_touched_and_the_own_one_once(postgres_url: str) -> None:
    async with opened(postgres_url) as here, opened(postgres_url) as there:
        ours, theirs = ears(here), ears(there)
        async with running(here.run(), there.run()):
            await listening(postgres_url, 2)
            await add(here, "a", touching="work:builder")
            await until(lambda: bool(theirs))
            await add(there, "b", touching="status")
            await until(lambda: frozenset({"status"}) in ours)
    assert ours == [frozenset({"work:builder"}), frozenset({"status"})]
    assert theirs == [frozenset({"work:builder"}), frozenset({"status"})]


async def test_the_outbox_is_its_own_process_concern(postgres_url: str) -> None:
    async with opened(postgres_url) as here, opened(postgres_url) as there:
        theirs = ears(there)
        async with running(here.run(), there.run()):
            await listening(postgres_url, 2)
            theirs.clear()
            await add(here, "a", touching="outbox")
            await add(here, "b", touching="work:builder")
            await until(lambda: bool(theirs))
    assert set().union(*theirs) == {"work:builder"}


async def test_what_is_not_committed_is_not_announced(postgres_url: str) -> None:
    async def fail(database: PostgresDatabase) -> None:
        async with database.begin() as (_, noted):
            noted.add("work:deployer")
            raise ZeroDivisionError

    async with opened(postgres_url) as here, opened(postgres_url) as there:
        theirs = ears(there)
        async with running(here.run(), there.run()):
            await listening(postgres_url, 2)
            with pytest.raises(ZeroDivisionError):
                await fail(here)
            await add(here, "b", touching="work:builder")
            await until(lambda: bool(theirs))
    assert "work:deployer" not in set().union(*theirs)


async def test_what_is_committed_between_two_announcements_is_announced_together(postgres_url: str) -> None:
    clock = ManualClock(START)
    async with opened(postgres_url, clock=clock) as here, opened(postgres_url) as there:
        theirs = ears(there)
        async with running(here.run(), there.run()):
            await listening(postgres_url, 2)
            await add(here, "a", touching="status")
            await until(lambda: bool(theirs))
            for number in range(20):
                await add(here, "a", touching=f"work:{number % 3}")
            await until(lambda: len(theirs) == 2, lambda: clock.advance(PAUSE_SECONDS))
    assert theirs == [frozenset({"status"}), frozenset({"work:0", "work:1", "work:2"})]


async def test_who_was_cut_off_hears_again_and_is_told_what_it_may_have_missed(postgres_url: str) -> None:
    clock = ManualClock(START)
    async with opened(postgres_url) as here, opened(postgres_url, clock=clock) as there:
        theirs = ears(there)
        async with running(here.run(), there.run()):
            await listening(postgres_url, 2)
            await add(here, "a", touching="work:builder")
            await until(lambda: bool(theirs))
            theirs.clear()
            await end_sessions(postgres_url, f"({LISTENS})")
            await listening(postgres_url, 1)  # the one whose clock goes
            await add(here, "b", touching="status")
            assert frozenset({"status"}) not in theirs
            while await sessions(postgres_url, f"({LISTENS})") < 2:
                clock.advance(1.0)
                await asyncio.sleep(0.02)
            await until(lambda: frozenset({"work:builder"}) in theirs)
            theirs.clear()
            await add(here, "c", touching="work:deployer")
            await until(lambda: frozenset({"work:deployer"}) in theirs)


async def test_a_process_without_news_still_tells_itself(postgres_url: str) -> None:
    async with opened(postgres_url) as database:
        heard = ears(database)
        await add(database, "a", touching="work:builder")
        assert heard == [frozenset({"work:builder"})]


async def test_an_idle_process_gives_signs_of_life(postgres_url: str) -> None:
    clock = ManualClock(START)
    async with opened(postgres_url, clock=clock) as database, running(database.run()):
        await listening(postgres_url, 1)
        async with asyncio.timeout(40):
            while not await sessions(postgres_url, "query = 'SELECT 1'"):
                clock.advance(SIGN_OF_LIFE_SECONDS)
                await asyncio.sleep(0.01)


async def test_a_lock_is_one_process_own_until_it_lets_go(postgres_url: str) -> None:
    one, other = (PostgresDatabase(postgres_url, SystemClock()) for _ in range(2))
    async with one.advisory(KEY) as held, other.advisory(KEY) as refused, other.advisory(KEY + 1) as another:
        assert (held, refused, another) == (True, False, True)
    async with other.advisory(KEY) as held:
        assert held


async def test_a_lock_whose_connection_broke_is_taken_again(postgres_url: str) -> None:
    clock = ManualClock(START)
    database = PostgresDatabase(postgres_url, clock)
    with structlog.testing.capture_logs() as logged:
        await _taken_again(postgres_url, database, clock)
    assert ("lock.taken_again", "verifier/one") in [(line["event"], line.get("lock")) for line in logged]
    assert not await locks(postgres_url)


async def _taken_again(postgres_url: str, database: PostgresDatabase, clock: ManualClock) -> None:
    async with database.advisory(KEY, "verifier/one") as held:
        assert held
        await end_sessions(postgres_url)
        assert not await locks(postgres_url)
        async with asyncio.timeout(40):
            while not await locks(postgres_url):
                clock.advance(CHECK_SECONDS)
                await asyncio.sleep(0.01)


async def locks(url: str) -> int:
    found = await asked(
        url,
        "SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database "
        "WHERE locktype = 'advisory' AND datname = current_database()",
    )
    return len(found)
