"""A build whose failure may pass is attempted again; one that may not is told at once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid5

import pytest
import sqlalchemy as sa

from services.builder.another_attempt import ATTEMPTS_MAX
from services.builder.store import Store
from services.builder.tables import builds
from shared.db import Cause, ServiceDatabase
from shared.events import ArtifactBuilt, ArtifactFailed, BuildBackingOff, BuildRequested, LogAppended
from tests.integration.builder.test_requests import Yard
from tests.integration.scene import ROOT

OFFLINE = "curl: (7) Failed to connect to files.example.com port 443: Connection refused"
UNREACHED = ("mkdir dist", f"echo '{OFFLINE}' >&2", "exit 7")


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    yard = Yard(tmp_path)
    yield yard
    await yard.scene.end()


def fails_times(folder: Path, times: int) -> tuple[str, ...]:
    """Return the commands of a build that cannot reach what it fetches so many times."""
    tried = folder / "tried"
    return (
        "mkdir dist",
        f"echo x >> {tried}",
        f"if [ $(wc -l < {tried}) -le {times} ]; then echo '{OFFLINE}' >&2; exit 7; fi",
        "cp src dist/app",
    )


async def backing_off(yard: Yard, asked: BuildRequested, attempt: int) -> BuildBackingOff:
    said = await yard.scene.hear(
        BuildBackingOff, lambda event: event.request == asked.request and event.attempt == attempt
    )
    return said[0]


async def test_a_network_that_comes_back_costs_attempts_and_no_run(yard: Yard, tmp_path: Path) -> None:
    asked = await yard.ask(1, commands=fails_times(tmp_path, 2))
    for attempt, pause in ((1, 10), (2, 30)):
        told = await backing_off(yard, asked, attempt)
        assert (told.code, told.rule) == ("INFRASTRUCTURE_NETWORK_FAILURE", "network_unreachable")
        assert told.until <= yard.scene.clock.now() + timedelta(seconds=pause)
        assert told.evidence.exit_code == 7
        yard.scene.clock.put_on(pause)
    built = await yard.answer(asked)
    assert isinstance(built, ArtifactBuilt)
    assert built.log.endswith("/3")


async def test_nothing_is_attempted_before_its_pause_is_over(yard: Yard, tmp_path: Path) -> None:
    asked = await yard.ask(1, commands=fails_times(tmp_path, 1))
    told = await backing_off(yard, asked, 1)
    yard.scene.clock.put_on(5)
    await yard.answer(await yard.ask(2, key="b"))  # another build goes on meanwhile
    tried = (tmp_path / "tried").read_text()
    assert tried == "x\n" or yard.scene.clock.now() >= told.until  # the other half passes by itself
    yard.scene.clock.put_on((told.until - yard.scene.clock.now()).total_seconds())
    assert isinstance(await yard.answer(asked), ArtifactBuilt)


async def test_a_network_that_stays_away_fails_the_build_in_the_end(yard: Yard) -> None:
    asked = await yard.ask(1, commands=UNREACHED)
    for attempt in range(1, ATTEMPTS_MAX):
        await backing_off(yard, asked, attempt)
        yard.scene.clock.put_on(60)
    failed = await yard.answer(asked)
    assert isinstance(failed, ArtifactFailed)
    assert len([said for said in yard.scene.said if isinstance(said, BuildBackingOff)]) == ATTEMPTS_MAX - 1


async def test_what_is_wrong_with_the_source_is_told_at_once(yard: Yard) -> None:
    asked = await yard.ask(1, commands=("echo 'src/app.ts(3,1): error TS2304: x'", "exit 2"))
    assert isinstance(await yard.answer(asked), ArtifactFailed)
    assert not [said for said in yard.scene.said if isinstance(said, BuildBackingOff)]


async def test_who_asks_while_a_build_backs_off_shares_its_next_attempt(yard: Yard, tmp_path: Path) -> None:
    first = await yard.ask(1, commands=fails_times(tmp_path, 1))
    await backing_off(yard, first, 1)
    second = await yard.ask(2, commands=fails_times(tmp_path, 1))
    yard.scene.clock.put_on(60)
    answers = [await yard.answer(each) for each in (first, second)]
    assert [answer.built_by for answer in answers] == [1, 1]
    assert (tmp_path / "tried").read_text() == "x\nx\n"


async def test_a_build_that_nobody_wants_any_more_is_not_attempted_again(yard: Yard, tmp_path: Path) -> None:
    asked = await yard.ask(1, commands=fails_times(tmp_path, 1))
    await backing_off(yard, asked, 1)
    await yard.cancel(1)
    await yard.heard_of_the_cancel(1)
    yard.scene.clock.put_on(60)
    await yard.answer(await yard.ask(2, key="b"))
    assert (tmp_path / "tried").read_text() == "x\n"


async def test_a_build_that_nobody_waits_for_by_the_time_it_fails_is_not_begun_again(
    yard: Yard, tmp_path: Path
) -> None:
    go_on = tmp_path / "go-on"
    await yard.ask(
        1, commands=("echo begun", f"while ! test -e {go_on}; do :; done; echo '{OFFLINE}' >&2; exit 7")
    )
    await yard.scene.hear(LogAppended, lambda said: any(line.text == "begun" for line in said.lines))
    db = ServiceDatabase(yard.scene.database, "builder")
    async with db.transaction(Cause(uuid5(ROOT, "dropped")), "test") as tx:
        await Store(tx).drop_requests("shop", 1)
    go_on.touch()
    await yard.scene.hear(LogAppended, lambda said: said.last)
    await yard.answer(await yard.ask(2, key="b"))
    async with db.reading() as reading:
        begun = await reading.execute(sa.select(builds.c.attempt).where(builds.c.build_key == "a" * 64))
        assert begun.scalars().all() == [1]


async def test_a_new_request_has_all_its_attempts(yard: Yard) -> None:
    for revision in (1, 2):
        asked = await yard.ask(revision, commands=UNREACHED)
        first = (revision - 1) * ATTEMPTS_MAX + 1
        for attempt in range(first, first + ATTEMPTS_MAX - 1):
            await backing_off(yard, asked, attempt)
            yard.scene.clock.put_on(60)
        assert isinstance(await yard.answer(asked), ArtifactFailed)
