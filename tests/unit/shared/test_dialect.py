import pytest
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

from shared.db import tables
from shared.db.dialect import insert_or_ignore


@pytest.mark.parametrize(
    "dialect",
    [pytest.param(sqlite.dialect(), id="sqlite"), pytest.param(postgresql.dialect(), id="postgresql")],  # type: ignore[no-untyped-call]
)
def test_a_taken_key_is_ignored_in_the_words_of_both_databases(dialect: Dialect) -> None:
    statement = insert_or_ignore(tables.inbox)
    sql = str(statement.compile(dialect=dialect))
    assert sql.startswith("INSERT INTO inbox (consumer_group, event, heard_at) VALUES (")
    assert sql.endswith(") ON CONFLICT DO NOTHING")
