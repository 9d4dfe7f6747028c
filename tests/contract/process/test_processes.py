"""What both `LocalProcesses` and `FakeProcesses` promise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.clock import ManualClock
from shared.faults import Refused
from shared.process import Absent, Exit, Exited, Lost, ProcessSpec, Running
from shared.process.fakes import FakeProcesses
from tests.contract.process.hosts import PATH, FakeHost, Host, LocalHost, spec


@pytest.fixture(params=["local", "fake"])
async def host(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Host]:
    if request.param == "fake":
        yield FakeHost(tmp_path, FakeProcesses(ManualClock(datetime(2025, 1, 1, tzinfo=UTC))))
        return
    local = LocalHost(tmp_path)
    yield local
    await local.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "attempts" / "7"


async def texts(host: Host, folder: Path, first_line: int = 0) -> list[str]:
    batches = host.processes.output(folder, first_line)
    return [line.text async for batch in batches for line in batch]


async def first_text(host: Host, folder: Path) -> str:
    """Wait for the first line, so that the program is known to run."""
    async with aclosing(host.processes.output(folder, 0)) as batches:
        async for batch in batches:
            return batch[0].text
    return ""


async def ended(host: Host, folder: Path) -> Exit:
    outcome = await host.processes.wait(folder)
    assert isinstance(outcome, Exit)
    return outcome


async def test_what_a_program_says_and_how_it_ends_can_be_seen(host: Host, folder: Path) -> None:
    await host.processes.start(folder, spec(host, "fail"))
    outcome = await ended(host, folder)
    assert (outcome.code, outcome.signal, outcome.reason) == (3, "", "exited")
    assert not outcome.succeeded
    assert outcome.started_at <= outcome.finished_at
    assert host.processes.observe(folder) == Exited(outcome)
    assert await texts(host, folder) == ["one", "two"]


async def test_where_nothing_was_started_there_is_nothing(host: Host, folder: Path) -> None:
    assert host.processes.observe(folder) == Absent()
    assert await texts(host, folder) == []
    assert host.processes.tail(folder, 10) == ()
    with pytest.raises(LookupError):
        await host.processes.wait(folder)


async def test_starting_again_starts_nothing(host: Host, folder: Path) -> None:
    for _ in range(3):
        await host.processes.start(folder, spec(host, "note"))
    first = await ended(host, folder)
    assert first.succeeded
    await host.processes.start(folder, spec(host, "note"))
    assert await ended(host, folder) == first
    assert (host.root / "notes").read_text() == "ran\n"


async def test_of_many_starts_at_once_one_counts(host: Host, folder: Path) -> None:
    starts = [host.processes.start(folder, spec(host, "note")) for _ in range(6)]
    await asyncio.gather(*starts)
    assert (await ended(host, folder)).succeeded
    assert (host.root / "notes").read_text() == "ran\n"


async def test_a_stopped_process_says_so_however_often_it_is_stopped(host: Host, folder: Path) -> None:
    await host.processes.start(folder, spec(host, "run on"))
    await first_text(host, folder)
    assert host.processes.observe(folder) == Running()
    waiting = asyncio.create_task(ended(host, folder))
    await asyncio.gather(host.processes.stop(folder), host.processes.stop(folder))
    outcome = await waiting
    assert (outcome.code, outcome.signal, outcome.reason) == (None, "SIGTERM", "stopped")
    await host.processes.stop(folder)
    assert await ended(host, folder) == outcome


async def test_stopping_what_is_over_changes_nothing(host: Host, folder: Path) -> None:
    await host.processes.start(folder, spec(host, "fail"))
    outcome = await ended(host, folder)
    await host.processes.stop(folder)
    assert host.processes.observe(folder) == Exited(outcome)


async def test_what_is_stopped_before_its_start_never_runs(host: Host, folder: Path) -> None:
    await host.processes.stop(folder)
    assert host.processes.observe(folder) == Absent()
    await host.processes.start(folder, spec(host, "note"))
    outcome = await ended(host, folder)
    assert (outcome.code, outcome.signal, outcome.reason) == (None, "", "stopped")
    assert not (host.root / "notes").exists()


async def test_output_goes_on_from_any_line(host: Host, folder: Path) -> None:
    await host.processes.start(folder, spec(host, "count"))
    assert await texts(host, folder) == [str(number) for number in range(5000)]
    assert await texts(host, folder, 4998) == ["4998", "4999"]
    assert await texts(host, folder, 5000) == []


async def test_batches_are_bounded_and_numbered(host: Host, folder: Path) -> None:
    await host.processes.start(folder, spec(host, "count"))
    following = 100
    async for batch in host.processes.output(folder, 100):
        assert batch.first_line == following
        assert 0 < len(batch) <= 1000
        assert batch[0].text == str(batch.first_line)
        following += len(batch)
    assert following == 5000


async def test_output_is_given_while_it_comes_and_ends_with_the_process(host: Host, folder: Path) -> None:
    await host.processes.start(folder, spec(host, "wait"))
    followers = [asyncio.create_task(texts(host, folder, first)) for first in (0, 0, 1)]
    waiting = asyncio.create_task(ended(host, folder))
    assert await first_text(host, folder) == "ready"
    assert not any(task.done() for task in (*followers, waiting))
    host.let_end(folder)
    assert await asyncio.gather(*followers) == [["ready", "done"], ["ready", "done"], ["done"]]
    assert (await waiting).succeeded


async def test_the_tail_is_the_last_lines(host: Host, folder: Path) -> None:
    await host.processes.start(folder, spec(host, "count"))
    await ended(host, folder)
    assert [line.text for line in host.processes.tail(folder, 2)] == ["4998", "4999"]
    assert [line.text for line in host.processes.tail(folder, 0)] == []
    assert len(host.processes.tail(folder, 10_000)) == 5000


async def test_what_its_host_took_down_is_lost_for_ever(host: Host, folder: Path) -> None:
    await host.processes.start(folder, spec(host, "run on"))
    await first_text(host, folder)
    following = asyncio.create_task(texts(host, folder))
    host.take_down(folder)
    assert await host.processes.wait(folder) == Lost()
    assert await following == ["ready"]
    await host.processes.start(folder, spec(host, "note"))
    await host.processes.stop(folder)
    assert host.processes.observe(folder) == Lost()
    assert not (host.root / "notes").exists()


async def test_a_service_that_was_not_promoted_ends_as_anything_does(host: Host, folder: Path) -> None:
    await host.processes.start(folder, spec(host, "wait", keep_alive=True))
    host.let_end(folder)
    assert (await ended(host, folder)).succeeded


@pytest.mark.parametrize("early", [True, False])
async def test_a_promoted_service_is_started_again_and_can_be_stopped(
    host: Host, folder: Path, early: bool
) -> None:
    if early:
        host.processes.promote(folder)
    await host.processes.start(folder, spec(host, "wait", keep_alive=True))
    host.processes.promote(folder)
    host.let_end(folder)
    async with aclosing(host.processes.output(folder, 2)) as batches:
        async for batch in batches:
            assert batch[0].text.startswith("windlass: the service exited with 0")
            break
    assert host.processes.observe(folder) == Running()
    await host.processes.stop(folder)
    assert (await ended(host, folder)).reason == "stopped"


@pytest.mark.parametrize(
    ("argv", "env"),
    [
        pytest.param((), {}, id="no program"),
        pytest.param(("",), {}, id="a program without a name"),
        pytest.param(("echo", "a\0b"), {}, id="a NUL in an argument"),
        pytest.param(("echo",), {"A": "a\0b"}, id="a NUL in a variable"),
        pytest.param(("echo",), {"A=B": "c"}, id="a variable with an equals sign in its name"),
        pytest.param(("echo",), {"": "c"}, id="a variable without a name"),
        pytest.param(("echo", "\ud800"), {}, id="half a character"),
    ],
)
async def test_what_no_program_can_be_given_is_refused(
    host: Host, folder: Path, argv: tuple[str, ...], env: dict[str, str]
) -> None:
    with pytest.raises(Refused):
        await host.processes.start(folder, ProcessSpec(argv, host.root, {"PATH": PATH, **env}))
    assert host.processes.observe(folder) == Absent()
