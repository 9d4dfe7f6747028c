"""Output is published in order, each line once, however often its publisher starts again."""

import json

import sqlalchemy as sa

from shared.attempt_log import BATCH_LINES_MAX, AttemptLog
from shared.db import Cause, ServiceDatabase, tables
from shared.events import LogLine
from tests.builders import START, named
from tests.contract.installation import Installation, rows

LOG = AttemptLog(log="run/a/1", pipeline="shop", revision=7, stage="staging", what="deploy")


def lines(count: int, start: int = 0) -> list[LogLine]:
    return [LogLine(at=START, text=f"line {number}") for number in range(start, start + count)]


async def append(installation: Installation, some: list[LogLine], *, last: bool = False) -> None:
    cause = Cause(named("the step's order"))  # one for all of an attempt
    async with ServiceDatabase(installation.database, "deployer").transaction(cause, "output") as tx:
        await LOG.append(tx, some, last=last)


async def published(installation: Installation) -> list[tuple[int, list[str], bool]]:
    query = sa.select(tables.outbox.c.body).order_by(tables.outbox.c.position)
    bodies = [json.loads(body) for (body,) in await rows(installation.database, query)]
    return [(b["first_line"], [each["text"] for each in b["lines"]], b["last"]) for b in bodies]


async def test_batches_follow_each_other_without_a_gap(installation: Installation) -> None:
    await append(installation, lines(2))
    await append(installation, lines(1, 2))
    await append(installation, lines(1, 3), last=True)
    assert await published(installation) == [
        (0, ["line 0", "line 1"], False),
        (2, ["line 2"], False),
        (3, ["line 3"], True),
    ]


async def test_a_long_output_is_cut_into_batches(installation: Installation) -> None:
    count = 2 * BATCH_LINES_MAX + 1
    await append(installation, lines(count), last=True)
    batches = await published(installation)
    assert [first for first, _, _ in batches] == [0, BATCH_LINES_MAX, 2 * BATCH_LINES_MAX]
    assert [text for _, texts, _ in batches for text in texts] == [f"line {n}" for n in range(count)]
    assert [last for _, _, last in batches] == [False, False, True]


async def test_an_output_of_whole_batches_ends_with_its_last_one(installation: Installation) -> None:
    await append(installation, lines(2 * BATCH_LINES_MAX), last=True)
    assert [last for _, _, last in await published(installation)] == [False, True]


async def test_nothing_to_say_is_not_said(installation: Installation) -> None:
    await append(installation, [])
    assert await published(installation) == []


async def test_an_output_without_a_line_still_ends(installation: Installation) -> None:
    await append(installation, [], last=True)
    assert await published(installation) == [(0, [], True)]


async def test_what_is_closed_is_closed(installation: Installation) -> None:
    await append(installation, lines(1), last=True)
    await append(installation, [], last=True)
    await append(installation, lines(1, 1))
    assert await published(installation) == [(0, ["line 0"], True)]


async def test_an_end_without_lines_follows_what_was_said(installation: Installation) -> None:
    await append(installation, lines(1))
    await append(installation, [], last=True)
    assert await published(installation) == [(0, ["line 0"], False), (1, [], True)]


async def test_a_publisher_that_starts_again_knows_where_it_was(installation: Installation) -> None:
    db = ServiceDatabase(installation.database, "deployer")
    async with db.transaction(Cause(named("later")), "look") as tx:
        assert await LOG.next_line(tx) == 0
    await append(installation, lines(3))
    async with db.transaction(Cause(named("later")), "look") as tx:
        assert await LOG.next_line(tx) == 3
