"""What passes is tried again, what does not is told as it is; nothing of either is left behind."""

import asyncio
import socket
from collections.abc import Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from shared.db.postgres import PostgresDatabase, PostgresSettings
from shared.faults import TryAgain
from tests.contract.notes import note, noted, notes
from tests.integration.postgres.store import ONE, SHORT, add, asked, end_sessions, hasty, opened, sessions
from tests.servers.postgres import OwnPostgres

LOCK = sa.select(notes).where(notes.c.writer == "a").with_for_update()


async def fails_when_cut(database: PostgresDatabase, url: str) -> None:
    """Be cut off in the middle of a transaction."""
    async with database.begin() as (connection, _):
        await note(connection, "a", "never")
        await end_sessions(url, "state = 'idle in transaction'")
        await note(connection, "a", "never")


async def test_a_connection_cut_in_a_transaction_leaves_nothing_and_passes(postgres_url: str) -> None:
    async with opened(postgres_url) as database:
        with pytest.raises(TryAgain, match="could not run a statement"):
            await fails_when_cut(database, postgres_url)
        await add(database, "after")
        assert await noted(database, "a") == ["after"]
        assert database.connections_in_use == 0


async def test_a_commit_that_got_no_answer_is_to_be_tried_again(postgres_url: str) -> None:
    async def cut_before_commit(database: PostgresDatabase) -> None:
        async with database.begin() as (connection, noting):
            noting.add("something")
            await note(connection, "a", "never")
            await end_sessions(postgres_url, "state = 'idle in transaction'")

    async with opened(postgres_url) as database:
        heard: list[frozenset[str]] = []
        database.on_commit(heard.append)
        with pytest.raises(TryAgain, match="could not commit"):
            await cut_before_commit(database)
        assert heard == []
        assert await noted(database, "a") == []


async def test_connections_cut_while_they_lie_idle_are_replaced_unnoticed(postgres_url: str) -> None:
    async with opened(postgres_url) as database:
        await asyncio.gather(*(add(database, str(number)) for number in range(5)))
        assert await sessions(postgres_url, "state = 'idle'") >= 3
        await end_sessions(postgres_url)
        await asyncio.gather(*(add(database, str(number)) for number in range(5)))
        assert len(await noted(database, "a")) == 10


async def test_a_lock_that_is_not_to_be_had_is_waited_for_and_then_passes(postgres_url: str) -> None:
    async with opened(postgres_url) as patient, opened(postgres_url, SHORT) as short:
        await add(patient, "row")

        async def wait() -> None:
            async with short.begin() as (connection, _):
                await connection.execute(LOCK)

        async with patient.begin() as (connection, _):
            await connection.execute(LOCK)
            with pytest.raises(TryAgain, match="lock timeout"):
                await wait()
        await wait()


async def test_of_two_that_wait_for_each_other_one_is_told_to_try_again(postgres_url: str) -> None:
    async with opened(postgres_url) as database:
        for text in ("x", "y"):
            await add(database, text)
        met = asyncio.Barrier(2)

        async def lock(*texts: str) -> None:
            async with database.begin() as (connection, _):
                for text in texts:
                    await connection.execute(sa.select(notes).where(notes.c.text == text).with_for_update())
                    if text == texts[0]:
                        await met.wait()

        ends = await asyncio.gather(lock("x", "y"), lock("y", "x"), return_exceptions=True)
    assert [type(end) for end in ends if end is not None] == [TryAgain]


async def test_a_process_that_hangs_in_a_transaction_loses_its_locks(postgres_url: str) -> None:
    limits = PostgresSettings(idle_in_transaction_seconds=0.2)
    async with opened(postgres_url) as other, hasty(postgres_url, limits) as frozen:
        await add(other, "row")

        async def hang() -> None:
            async with frozen.begin() as (connection, _):
                await connection.execute(LOCK)
                await note(connection, "a", "late")
                async with other.begin() as (waiting, _):
                    await waiting.execute(LOCK)  # until the server takes it from the other
                await note(connection, "a", "late")

        with pytest.raises((TryAgain, AssertionError)) as refused:
            await asyncio.create_task(hang())
        assert isinstance(refused.value, TryAgain)
        assert await noted(other, "a") == ["row"]


async def test_a_statement_that_takes_too_long_is_ended(postgres_url: str) -> None:
    async with hasty(postgres_url, PostgresSettings(statement_seconds=0.2)) as database:
        with pytest.raises(TryAgain, match="statement timeout"):
            async with database.reading() as reading:
                await reading.execute(sa.select(sa.func.pg_sleep(30)))


async def test_who_finds_no_connection_free_is_told_to_try_again(postgres_url: str) -> None:
    async with opened(postgres_url, SHORT) as database:
        full, done = asyncio.Barrier(SHORT.writers_max + 1), asyncio.Event()

        async def hold() -> None:
            async with database.begin():
                await full.wait()
                await done.wait()

        holding = [asyncio.ensure_future(hold()) for _ in range(SHORT.writers_max)]
        await full.wait()
        with pytest.raises(TryAgain, match="could not give us a connection"):
            await add(database, "a")
        async with database.reading() as reading:  # readers do not wait for writers
            assert (await reading.execute(ONE)).scalar() == 1
        async with database.begin(reserved=True) as (connection, _):  # nor does a heartbeat
            assert (await connection.execute(ONE)).scalar() == 1
        done.set()
        await asyncio.gather(*holding)
        await add(database, "a")


async def test_a_server_that_is_not_there_passes(postgres_url: str) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # so that nobody else listens there either
        port = silent.getsockname()[1]
        async with hasty(f"postgresql://postgres@127.0.0.1:{port}/none") as nowhere:
            for _ in range(2):
                with pytest.raises(TryAgain, match="could not give us a connection"):
                    await add(nowhere, "a")
                with pytest.raises(TryAgain, match="could not give us a connection"):
                    await noted(nowhere, "a")


async def test_a_server_that_was_made_read_only_passes_for_writers(postgres_url: str) -> None:
    async with opened(postgres_url) as database:
        await add(database, "before")
        (row,) = await asked(postgres_url, "SELECT current_database()")
        await asked(postgres_url, f'ALTER DATABASE "{row[0]}" SET default_transaction_read_only = on')
        await end_sessions(postgres_url)
        with pytest.raises(TryAgain, match="read-only"):
            await add(database, "never")
        assert await noted(database, "a") == ["before"]


async def test_mistakes_stay_what_they_are(postgres_url: str) -> None:
    async with opened(postgres_url) as database:
        for statement in ("SELECT * FROM nowhere", "SELECT 1 / 0", "NO SQL AT ALL"):
            with pytest.raises(sa.exc.DBAPIError):
                await one(database, sa.text(statement))
        duplicate = sa.insert(notes).values(place=1, writer="a", text="x")
        await one(database, duplicate)
        with pytest.raises(sa.exc.IntegrityError):
            await one(database, duplicate)
        assert database.connections_in_use == 0


async def one(database: PostgresDatabase, statement: sa.Executable) -> None:
    async with database.begin() as (connection, _):
        await connection.execute(statement)


async def test_a_statement_that_failed_ends_its_transaction_also_when_nobody_minds(
    postgres_url: str,
) -> None:
    async def mind_nothing(database: PostgresDatabase) -> None:
        async with database.begin() as (connection, _):
            await note(connection, "a", "never")
            with pytest.raises(sa.exc.DBAPIError):
                await connection.execute(sa.text("SELECT * FROM nowhere"))

    async with opened(postgres_url) as database:
        with pytest.raises(AssertionError, match="rollback in silence"):
            await mind_nothing(database)
        assert await noted(database, "a") == []


async def test_a_migration_beside_us_costs_at_most_one_attempt(postgres_url: str) -> None:
    async with opened(postgres_url) as database:
        for _ in range(2):
            await noted(database, "a")
            await add(database, "x")
        await asked(postgres_url, "ALTER TABLE notes ALTER COLUMN text TYPE varchar(9000)")
        failed = 0
        for _ in range(3):
            try:
                await noted(database, "a")
            except TryAgain:
                failed += 1
        assert failed <= 1


async def test_a_server_that_restarts_costs_those_in_a_transaction_one_attempt(
    own_postgres: OwnPostgres,
) -> None:
    async with opened(own_postgres.url) as database:
        await asyncio.gather(*(add(database, str(number)) for number in range(6)))

        async def caught() -> None:
            async with database.begin() as (connection, _):
                await note(connection, "a", "never")
                await asyncio.to_thread(own_postgres.kill)
                with pytest.raises(TryAgain):
                    await noted(database, "a")
                await asyncio.to_thread(own_postgres.start)
                await note(connection, "a", "never")

        with pytest.raises(TryAgain):
            await caught()
        for number in range(6, 9):
            await add(database, str(number))
        assert sorted(await noted(database, "a")) == [str(number) for number in range(9)]
        assert database.connections_in_use == 0


async def test_whoever_is_cancelled_anywhere_leaves_no_connection_and_no_transaction(
    postgres_url: str,
) -> None:
    async with opened(postgres_url) as database:
        loop = asyncio.get_running_loop()

        async def act() -> None:
            async with database.begin() as (connection, _):
                await note(connection, "a", "x")
                await connection.execute(LOCK)
                await connection.execute(ONE)
            async with database.reading() as reading:
                await reading.execute(ONE)

        began = loop.time()
        await act()
        usual = loop.time() - began
        for step in range(40):
            acting = [asyncio.ensure_future(act()) for _ in range(4)]
            loop.call_later(usual * step / 30, cancel, acting)
            ends = await asyncio.gather(*acting, return_exceptions=True)
            assert {type(end) for end in ends} <= {asyncio.CancelledError, type(None), TryAgain}
        async with asyncio.timeout(40):
            while database.connections_in_use or await sessions(postgres_url, "state <> 'idle'"):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await asyncio.gather(*(act() for _ in range(12)))


def cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


async def test_no_setting_of_the_server_loosens_what_a_transaction_promises(postgres_url: str) -> None:
    (row,) = await asked(postgres_url, "SELECT current_database()")
    for setting in ("default_transaction_isolation = 'serializable'", "synchronous_commit = off"):
        await asked(postgres_url, f'ALTER DATABASE "{row[0]}" SET {setting}')
    shown = [
        sa.select(sa.func.current_setting(name))
        for name in ("transaction_isolation", "synchronous_commit", "application_name", "TimeZone")
    ]
    async with opened(postgres_url, PostgresSettings(application_name="deployer-1")) as database:
        async with database.begin() as (connection, _):
            told = [(await connection.execute(each)).scalar() for each in shown]
        assert told == ["read committed", "on", "deployer-1", "UTC"]
        async with database.reading() as reading:
            assert (await reading.execute(shown[0])).scalar() == "repeatable read"


def test_a_frozen_process_is_given_up_before_its_lease_lapses() -> None:
    given = PostgresSettings()
    assert timedelta(seconds=given.idle_in_transaction_seconds) <= timedelta(seconds=15)
    assert given.lock_seconds < given.idle_in_transaction_seconds < given.statement_seconds
