"""Statements of every kind that services use give the same on both databases, first time and again.

Embedded they do not go through SQLAlchemy's engine (decision 20): this is what holds that way to account.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from shared.db import Rows, tables
from shared.db.dialect import insert_or_ignore
from tests.builders import START, named
from tests.contract.installation import Installation
from tests.contract.notes import note, notes

BOTH = ["the first time", "the second time"]
FIXED = sa.select(notes.c.text).where(notes.c.writer == sa.bindparam("who")).order_by(notes.c.place)
AMONG = sa.select(notes.c.text).where(notes.c.text.in_(sa.bindparam("these", expanding=True)))
RENAME = sa.update(notes).where(notes.c.writer == sa.bindparam("was"))
HEARD = sa.select(tables.inbox)
IS_HEARD = HEARD.where(tables.inbox.c.event.in_(sa.bindparam("events", expanding=True)))


async def read(installation: Installation, statement: sa.Executable, values: Any = None) -> Rows:
    async with installation.database.reading() as reading:
        return await reading.execute(statement, values)


async def write(installation: Installation, statement: sa.Executable, values: Any = None) -> Rows:
    async with installation.database.begin() as (connection, _):
        return await connection.execute(statement, values)


@pytest.fixture
async def three(installation: Installation) -> Installation:
    async with installation.database.begin() as (connection, _):
        for text in ("one", "two", "three"):
            await note(connection, "ada", text)
    return installation


async def test_a_fixed_statement_takes_other_values_each_time(three: Installation) -> None:
    assert (await read(three, FIXED, {"who": "ada"})).scalars().all() == ["one", "two", "three"]
    assert (await read(three, FIXED, {"who": "bob"})).scalars().all() == []
    assert (await read(three, FIXED, {"who": "ada"})).scalars().all() == ["one", "two", "three"]


async def test_statements_of_one_shape_keep_their_own_values(three: Installation) -> None:
    for text in ("one", "two", "three", "four"):
        found = await read(three, sa.select(notes.c.text).where(notes.c.text == text))
        assert found.scalars().all() == ([text] if text != "four" else [])


async def test_what_is_derived_from_a_statement_is_another(three: Installation) -> None:
    everything = sa.select(notes.c.text).order_by(notes.c.place)
    for _ in BOTH:
        assert len((await read(three, everything)).all()) == 3
        assert (await read(three, everything.where(notes.c.text == "two"))).scalars().all() == ["two"]
        assert (await read(three, everything.limit(1))).scalars().all() == ["one"]


@pytest.mark.parametrize("these", [[], ["one"], ["one", "two"], ["x"] * 100])
async def test_a_list_may_be_of_any_length(three: Installation, these: list[str]) -> None:
    for _ in BOTH:
        found = (await read(three, AMONG, {"these": these})).scalars().all()
        assert sorted(found) == sorted({"one", "two"} & set(these))


async def test_lists_of_a_hundred_lengths_one_after_another(three: Installation) -> None:
    for length in range(100):
        found = await read(three, AMONG, {"these": ["one"] * length})
        assert len(found.all()) == bool(length)


async def test_an_update_tells_how_many_rows_it_changed(three: Installation) -> None:
    assert (await write(three, RENAME, {"was": "ada", "writer": "bob"})).rowcount == 3
    assert (await write(three, RENAME, {"was": "ada", "writer": "bob"})).rowcount == 0
    assert (await write(three, RENAME, {"was": "bob", "writer": "ada", "text": "same"})).rowcount == 3
    assert (await read(three, FIXED, {"who": "ada"})).scalars().all() == ["same"] * 3


async def test_a_delete_tells_how_many_rows_it_removed(three: Installation) -> None:
    forget = sa.delete(notes).where(notes.c.text != sa.bindparam("kept"))
    assert (await write(three, forget, {"kept": "two"})).rowcount == 2
    assert (await read(three, FIXED, {"who": "ada"})).scalars().all() == ["two"]


async def test_rows_are_inserted_one_by_one_or_many_at_once(installation: Installation) -> None:
    one = {"writer": "ada", "text": "alone"}
    many = [{"writer": "ada", "text": f"{number}"} for number in range(20)]
    for _ in BOTH:
        await write(installation, sa.insert(notes), one)
        await write(installation, sa.insert(notes), many)
    found = (await read(installation, FIXED, {"who": "ada"})).scalars().all()
    assert found == ["alone", *map(str, range(20))] * 2


async def test_values_may_come_with_the_statement_or_beside_it(installation: Installation) -> None:
    for _ in BOTH:
        await write(installation, sa.insert(notes).values(writer="ada"), {"text": "beside"})
        await write(installation, sa.insert(notes).values(writer="ada", text="along"))
    assert (await read(installation, FIXED, {"who": "ada"})).scalars().all() == ["beside", "along"] * 2


async def test_values_come_back_as_what_they_were(installation: Installation) -> None:
    row = {"consumer_group": "ears", "event": named("it"), "heard_at": START}
    for _ in BOTH:
        await write(installation, insert_or_ignore(tables.inbox), row)
        kept = (await read(installation, HEARD)).one()
        assert kept._asdict() == row
        assert (await read(installation, HEARD)).mappings().one() == row
        assert isinstance(kept.event, UUID)
    assert (
        await read(installation, IS_HEARD, {"events": [named("it"), named("other")]})
    ).one().event == named("it")


async def test_times_are_added_and_compared_in_the_same_way(installation: Installation) -> None:
    before = HEARD.where(tables.inbox.c.heard_at < sa.bindparam("then"))
    await write(
        installation,
        sa.insert(tables.inbox),
        {"consumer_group": "e", "event": named("it"), "heard_at": START},
    )
    for _ in BOTH:
        assert (await read(installation, before, {"then": START})).first() is None
        assert (await read(installation, before, {"then": START + timedelta(microseconds=1)})).first()


async def test_one_is_exactly_one(three: Installation) -> None:
    for _ in BOTH:
        assert (await read(three, FIXED.limit(1), {"who": "ada"})).scalar_one() == "one"
        assert (await read(three, FIXED, {"who": "bob"})).one_or_none() is None
        assert (await read(three, FIXED, {"who": "bob"})).scalar_one_or_none() is None
        with pytest.raises(sa.exc.NoResultFound):
            (await read(three, FIXED, {"who": "bob"})).one()
        for verb in ("one", "one_or_none", "scalar_one", "scalar_one_or_none"):
            with pytest.raises(sa.exc.MultipleResultsFound):
                getattr(await read(three, FIXED, {"who": "ada"}), verb)()


async def test_functions_and_text_give_a_value(three: Installation) -> None:
    for _ in BOTH:
        assert (await read(three, sa.select(sa.func.count()).select_from(notes))).scalar() == 3
        counted = sa.text("SELECT count(*) FROM notes WHERE writer = :who")
        assert (await read(three, counted, {"who": "ada"})).scalar_one() == 3


async def test_a_key_that_is_taken_is_the_same_error(installation: Installation) -> None:
    row = {"consumer_group": "ears", "event": named("it"), "heard_at": START}
    await write(installation, sa.insert(tables.inbox), row)
    for _ in BOTH:
        with pytest.raises(sa.exc.IntegrityError):
            await write(installation, sa.insert(tables.inbox), row)


async def test_a_mistake_in_a_statement_is_a_programming_error_or_an_operational_one(
    installation: Installation,
) -> None:
    with pytest.raises((sa.exc.ProgrammingError, sa.exc.OperationalError)):
        await read(installation, sa.text("SELECT nothing FROM nowhere"))
