"""What a transaction promises, whichever database it is."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from shared.db import INSTANT, Cause, Noted, ServiceDatabase, Transaction, tables
from shared.events import LogAppended, Message
from shared.faults import TryAgain
from tests.builders import START, line, named, push
from tests.contract.installation import Installation, every, rows
from tests.contract.notes import note, noted, notes

CAUSE = Cause(named("cause"), "shop@1", "00-ab-cd-01")
CURSORS = sa.select(tables.bus_cursors.c.consumer_group, tables.bus_cursors.c.position)


def service(installation: Installation, name: str = "deployer") -> ServiceDatabase:
    return ServiceDatabase(installation.database, name)


def about(event: LogAppended) -> Message[LogAppended]:
    return Message(
        id=named(repr(event)),
        time=START,
        source="speaker",
        subject=event.subject,
        key=event.key,
        correlation="shop@1",
        causation=None,
        traceparent="",
        body=event,
    )


async def test_a_transaction_that_fails_leaves_nothing(installation: Installation) -> None:
    heard: list[Noted] = []
    installation.database.on_commit(heard.append)

    async def fail() -> None:
        async with service(installation).transaction(CAUSE, "act") as tx:
            await note(tx, "a", "1")
            tx.emit(push("acme/shop"))
            await tx.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await noted(installation.database, "a") == []
    assert await rows(installation.database, sa.select(tables.outbox.c.id)) == []
    assert heard == []


async def test_a_message_whose_handling_fails_was_not_heard(installation: Installation) -> None:
    message, db = about(line("run/a", 0)), service(installation)
    with pytest.raises(ZeroDivisionError):
        async with db.hearing(message):
            raise ZeroDivisionError
    async with db.hearing(message) as tx:
        assert not tx.seen_before
    async with db.hearing(message) as tx:
        assert tx.seen_before
    async with service(installation, "another").hearing(message) as tx:
        assert not tx.seen_before


async def test_a_transaction_cut_short_leaves_nothing_and_blocks_nobody(installation: Installation) -> None:
    begun = asyncio.Event()

    async def hang() -> None:
        async with service(installation).transaction(CAUSE, "act") as tx:
            await note(tx, "a", "1")
            begun.set()
            await asyncio.Event().wait()

    hanging, waiting = asyncio.ensure_future(hang()), asyncio.ensure_future(_add(installation, "waiting"))
    await begun.wait()
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    await waiting
    assert await noted(installation.database, "a") == []
    assert await noted(installation.database, "waiting") == ["0"]


async def test_one_that_is_cut_short_while_it_waits_its_turn_harms_nobody(installation: Installation) -> None:
    async with service(installation).transaction(CAUSE, "act") as tx:
        await take_turn(tx)
        impatient = asyncio.ensure_future(_add(installation, "impatient"))
        await installation.quiet()
        impatient.cancel()
        await installation.quiet()
    assert impatient.cancelled()
    await _add(installation, "patient")
    assert await noted(installation.database, "impatient") == []
    assert await noted(installation.database, "patient") == ["0"]


async def test_what_two_tasks_read_under_a_lock_and_write_is_serialised(installation: Installation) -> None:
    await every(*(_add(installation, "count") for _ in range(50)))
    assert await noted(installation.database, "count") == [str(number) for number in range(50)]


async def _add(installation: Installation, writer: str) -> None:
    """Note how many there were before, giving others every chance to come between."""
    async with service(installation).transaction(CAUSE, "add") as tx:
        await take_turn(tx)
        before = (
            await tx.execute(sa.select(sa.func.count()).select_from(notes).where(notes.c.writer == writer))
        ).scalar()
        await asyncio.sleep(0)
        await note(tx, writer, str(before))


async def take_turn(tx: Transaction) -> None:
    """Lock a row, as whoever decides does: transactions that lock no row in common go side by side."""
    await tx.insert_or_ignore(tables.bus_cursors, {"consumer_group": "turn", "position": 0})
    await tx.execute(CURSORS.with_for_update())


async def test_a_reader_sees_what_is_committed_and_nothing_else(installation: Installation) -> None:
    async with service(installation).transaction(CAUSE, "act") as tx:
        await note(tx, "a", "1")
        assert await noted(installation.database, "a") == []
        assert (await tx.execute(sa.select(sa.func.count()).select_from(notes))).scalar() == 1
    assert await noted(installation.database, "a") == ["1"]


async def test_a_reader_sees_one_state_however_long_it_looks(installation: Installation) -> None:
    await _add(installation, "count")
    query = sa.select(sa.func.count()).select_from(notes)
    async with installation.database.reading() as reading:
        assert (await reading.execute(query)).scalar() == 1
        await _add(installation, "count")
        assert (await reading.execute(query)).scalar() == 1
    assert await rows(installation.database, query) == [(2,)]


async def test_a_reader_cannot_write(installation: Installation) -> None:
    with pytest.raises(sa.exc.DBAPIError):
        async with installation.database.reading() as reading:
            await note(reading, "reader", "1")
    await _add(installation, "writer")
    assert await noted(installation.database, "reader") == []


async def test_rows_may_be_looked_at_after_the_connection_is_given_back(installation: Installation) -> None:
    for _ in range(30):
        await _add(installation, "count")
    async with installation.database.reading() as reading:
        result = await reading.execute(sa.select(notes.c.text).order_by(notes.c.place))
    await _add(installation, "count")
    assert [row.text for row in result] == [str(number) for number in range(30)]


async def test_a_transaction_inside_another_is_a_bug_and_does_not_hang(installation: Installation) -> None:
    async def nest() -> None:
        async with service(installation).transaction(CAUSE, "outer") as tx:
            await note(tx, "a", "outer")
            async with service(installation).transaction(CAUSE, "inner"):
                raise AssertionError("it let us in")

    with pytest.raises(AssertionError, match="inside a transaction"):
        await nest()
    await _add(installation, "a")
    assert await noted(installation.database, "a") == ["0"]


async def test_who_listens_hears_after_the_commit_what_it_touched(installation: Installation) -> None:
    heard: list[tuple[Noted, int]] = []
    written = 0
    installation.database.on_commit(lambda touched: heard.append((touched, written)))
    async with service(installation).transaction(CAUSE, "act") as tx:
        tx.emit(push("acme/shop"))
        tx.noted.add("work:deployer")
        await installation.quiet()
        assert heard == []
        written = 1
    assert heard == [(frozenset({"outbox", "work:deployer"}), 1)]
    await _add(installation, "silent")
    assert len(heard) == 1


async def test_one_event_said_twice_by_one_cause_is_a_bug(installation: Installation) -> None:
    async def say_twice() -> None:
        async with service(installation).transaction(CAUSE, "act") as tx:
            tx.emit(push("acme/shop"))
            tx.emit(push("acme/shop"))

    with pytest.raises(sa.exc.IntegrityError):
        await say_twice()
    async with service(installation).transaction(CAUSE, "act") as tx:
        one, other = tx.emit(push("acme/shop")), tx.emit(push("acme/shop"), "again")
    assert one != other
    assert await rows(installation.database, sa.select(sa.func.count()).select_from(tables.outbox)) == [(2,)]


async def test_a_row_whose_key_is_taken_is_left_as_it_is(installation: Installation) -> None:
    async with service(installation).transaction(CAUSE, "act") as tx:
        first = {"consumer_group": "a", "position": 1}
        assert await tx.insert_or_ignore(tables.bus_cursors, first)
        assert not await tx.insert_or_ignore(tables.bus_cursors, {**first, "position": 2})
    assert await rows(installation.database, CURSORS) == [("a", 1)]


@pytest.mark.parametrize(
    "instant",
    [
        pytest.param(datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC), id="microseconds"),
        pytest.param(datetime(2026, 3, 2, 9, 30, tzinfo=UTC), id="a full second"),
        pytest.param(datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("America/Los_Angeles")), id="another zone"),
        pytest.param(datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1), id="a fold"),
        pytest.param(datetime(1, 1, 1, tzinfo=UTC), id="the first there is"),
        pytest.param(datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), id="the last there is"),
        pytest.param(None, id="none"),
    ],
)
async def test_an_instant_comes_back_aware_and_the_same(
    installation: Installation, instant: datetime | None
) -> None:
    query = sa.select(sa.literal(instant, INSTANT).label("at"))
    ((back,),) = await rows(installation.database, query)
    assert back == (instant.astimezone(UTC) if instant else None)
    assert back is None or back.utcoffset() == timedelta(0)


async def test_instants_sort_and_compare_as_the_moments_they_are(installation: Installation) -> None:
    zone = timezone(timedelta(hours=-8))
    moments = [START + timedelta(microseconds=step) for step in (0, 1, 10, 999_999, 1_000_000, 10**9)]
    async with service(installation).transaction(CAUSE, "act") as tx:
        for place, at in enumerate(moments):
            values = {"consumer_group": "a", "event": named(str(place)), "heard_at": at.astimezone(zone)}
            await tx.execute(sa.insert(tables.inbox).values(values))
    heard_at = tables.inbox.c.heard_at
    for place, at in enumerate(moments):
        before = sa.select(sa.func.count()).where(heard_at < at.astimezone(ZoneInfo("Asia/Tokyo")))
        assert await rows(installation.database, before) == [(place,)]
    ordered = await rows(installation.database, sa.select(heard_at).order_by(heard_at))
    assert [at for (at,) in ordered] == moments


async def test_a_naive_time_is_refused(installation: Installation) -> None:
    naive = datetime(2026, 3, 2)  # noqa: DTZ001 - what is to be refused
    with pytest.raises((AssertionError, sa.exc.StatementError)):
        await rows(installation.database, sa.select(sa.literal(naive, INSTANT)))


async def test_text_of_any_kind_comes_back_unchanged(installation: Installation) -> None:
    texts = ["", "päckchen 📦", "'; DROP TABLE notes; --", "%s :x {y}", "a\r\nb\tc", "x" * 1_000_000]
    async with service(installation).transaction(CAUSE, "act") as tx:
        for text in texts:
            await note(tx, "a", text)
    assert await noted(installation.database, "a") == texts


async def test_a_nul_in_a_text_is_kept_as_well_as_the_database_can(
    installation: Installation,
) -> None:
    async with service(installation).transaction(CAUSE, "act") as tx:
        await note(tx, "a", "be\0fore")
        rows_of_it = [{"writer": "a", "text": f"{number}\0"} for number in range(2)]
        await tx.execute(sa.insert(notes), rows_of_it)
    for kept, given in zip(await noted(installation.database, "a"), ("be\0fore", "0\0", "1\0"), strict=True):
        assert kept in {given, given.replace("\0", "\ufffd")}


async def test_a_full_disk_is_a_passing_fault_that_leaves_nothing(installation: Installation) -> None:
    await _add(installation, "before")
    heard: list[Noted] = []
    installation.database.on_commit(heard.append)
    async with installation.full():
        for _ in range(3):
            with pytest.raises(TryAgain):
                await _fill(installation)
        assert await noted(installation.database, "before") == ["0"]
        assert await noted(installation.database, "bulk") == []
    assert heard == []
    await _add(installation, "after")
    assert await noted(installation.database, "after") == ["0"]
    assert await rows(installation.database, sa.select(tables.outbox.c.id)) == []


async def _fill(installation: Installation) -> None:
    async with service(installation).transaction(CAUSE, "act") as tx:
        tx.emit(push("acme/shop"))
        for _ in range(100):
            await note(tx, "bulk", "x" * 10_000)


async def test_what_is_committed_is_there_for_a_later_life(installation: Installation) -> None:
    await _add(installation, "a")
    await installation.database.close()
    assert await noted(installation.another(), "a") == ["0"]


async def test_two_processes_never_overwrite_each_other(installation: Installation) -> None:
    other = ServiceDatabase(installation.another(), "deployer")
    for turn in range(10):
        db = other if turn % 2 else service(installation)
        async with db.transaction(CAUSE, "add") as tx:
            count = (await tx.execute(sa.select(sa.func.count()).select_from(notes))).scalar()
            await note(tx, "a", str(count))
    assert await noted(installation.database, "a") == [str(number) for number in range(10)]
