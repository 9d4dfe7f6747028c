"""How far an attempt got, and where it goes on from there."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.builder.adapters.fakes import FakeBuildLog
from services.builder.adapters.workspace import Bench
from services.builder.build_run import BuildAnswer, BuildFailed, BuildOrder, BuildStopped, Built
from shared.artifacts import FakeArtifactStore, Stored
from shared.clock import ManualClock
from shared.events import Evidence
from shared.faults import TryAgain
from shared.git.fakes import FakeMirrors, FakeRepository
from shared.ids import BuildKey, Commit, Pipeline
from shared.plan import ArtifactPlan
from shared.process.fakes import FakeProcess, FakeProcesses, run_on

REMOTE = "/repositories/shop"


class Yard:
    """A bench and everything around it, which outlives the bench."""

    def __init__(self, root: Path) -> None:
        self.clock = ManualClock(datetime(2026, 1, 2, tzinfo=UTC))
        self.repository = FakeRepository()
        self.mirrors = FakeMirrors({REMOTE: self.repository})
        self.processes = FakeProcesses(self.clock)
        self.store = FakeArtifactStore()
        self.log = FakeBuildLog()
        self.root = root
        commit = self.repository.commit({"dist/index.html": b"boats"})
        recipe = ArtifactPlan(
            id="web", name="Web", build_key=BuildKey("b" * 64), commands=("make",), path="dist"
        )
        self.order = BuildOrder(1, Pipeline("shop"), 7, REMOTE, commit, recipe)

    @property
    def bench(self) -> Bench:
        """A bench as a new life of the builder would make it."""
        return Bench(self.root, self.mirrors, self.processes, self.store, self.clock)

    @property
    def top(self) -> Path:
        return self.root / self.order.name

    async def build(self) -> BuildAnswer:
        return await self.bench.build(self.order, self.log)


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path / "workspaces")


def evidence(answer: BuildAnswer) -> Evidence:
    assert isinstance(answer, BuildFailed), answer
    return answer.evidence


async def test_a_build_that_is_done_is_answered_again_without_running_again(yard: Yard) -> None:
    first = await yard.build()
    yard.clock.advance(5)
    yard.mirrors.remotes.clear()
    second = await yard.build()

    assert isinstance(first, Built)
    assert isinstance(second, Built)
    assert first.digest == second.digest
    assert second.duration_seconds == 5
    assert len(yard.processes.processes) == 1


async def test_what_needs_no_commands_is_packed_as_it_was_checked_out(yard: Yard) -> None:
    recipe = yard.order.recipe.model_copy(update={"commands": ()})
    yard.order = replace(yard.order, recipe=recipe)

    assert isinstance(await yard.build(), Built)
    assert yard.processes.processes == {}


async def test_a_half_made_checkout_is_thrown_away(yard: Yard) -> None:
    (yard.top / "arriving/dist").mkdir(parents=True)
    (yard.top / "arriving/dist/half").touch()

    await yard.build()

    assert [file.name for file in (yard.top / "source/dist").iterdir()] == ["index.html"]


async def test_an_unknown_commit_is_evidence_about_the_source(yard: Yard) -> None:
    yard.order = replace(yard.order, commit=Commit("0" * 40))
    failure = evidence(await yard.build())

    assert (failure.phase, failure.kind) == ("clone", "source")
    assert "0" * 40 in failure.message


async def test_a_source_that_is_away_can_be_tried_again_and_then_is_built(yard: Yard) -> None:
    yard.repository.unreachable = TryAgain("connection refused")
    with pytest.raises(TryAgain):
        await yard.build()
    yard.repository.unreachable = None

    assert isinstance(await yard.build(), Built)


async def test_a_running_build_is_watched_again_even_while_its_source_is_away(yard: Yard) -> None:
    yard.processes.program = run_on
    first_life = asyncio.create_task(yard.build())
    process = await started(yard)
    process.say("one", "two")
    await until(lambda: len(yard.log.lines) == 2)
    first_life.cancel()
    await asyncio.wait([first_life])
    process.say("three")
    yard.mirrors.remotes.clear()

    second_life = asyncio.create_task(yard.build())
    await until(lambda: len(yard.log.lines) == 3)
    process.exit(0)

    assert isinstance(await second_life, Built)
    assert yard.log.texts == ["one", "two", "three"]


async def test_a_process_that_is_gone_without_a_trace_is_an_interruption(yard: Yard) -> None:
    yard.processes.program = run_on
    building = asyncio.create_task(yard.build())
    process = await started(yard)
    process.say("working")
    process.lose()
    failure = evidence(await building)

    assert failure.kind == "interrupted"
    assert failure.log_tail[-1].text == "working"


async def test_a_host_that_goes_down_interrupts_and_does_not_count_as_stopped(yard: Yard) -> None:
    yard.processes.program = lambda process: process.end(None, "SIGTERM", "stopped")

    assert evidence(await yard.build()).kind == "interrupted"


async def test_a_failed_build_is_not_packed(yard: Yard) -> None:
    yard.processes.program = lambda process: process.exit(2)

    assert evidence(await yard.build()).exit_code == 2
    assert yard.store.puts == 0


async def test_a_build_that_is_stopped_before_it_began_never_runs(yard: Yard) -> None:
    await yard.bench.stop(yard.order)

    assert await yard.build() == BuildStopped()
    assert yard.processes.processes == {}
    assert yard.mirrors.fetches == 0


async def test_a_build_that_is_stopped_while_it_runs_says_so(yard: Yard) -> None:
    yard.processes.program = run_on
    building = asyncio.create_task(yard.build())
    await started(yard)
    await yard.bench.stop(yard.order)
    await yard.bench.stop(yard.order)

    assert await building == BuildStopped()


async def test_a_recipe_that_nothing_can_run_leaves_no_workspace(yard: Yard) -> None:
    recipe = yard.order.recipe.model_copy(update={"env": {"LD_PRELOAD": "x.so"}})
    yard.order = replace(yard.order, recipe=recipe)

    assert "LD_PRELOAD" in evidence(await yard.build()).message
    assert not yard.top.exists()


async def test_a_variable_that_no_program_can_be_given_is_evidence(yard: Yard) -> None:
    recipe = yard.order.recipe.model_copy(update={"env": {"NAME": "\ud800"}})
    yard.order = replace(yard.order, recipe=recipe)

    assert evidence(await yard.build()).kind == "error"


async def test_what_the_store_refuses_is_evidence(yard: Yard) -> None:
    recipe = yard.order.recipe.model_copy(update={"path": "build"})
    yard.order = replace(yard.order, recipe=recipe)
    failure = evidence(await yard.build())

    assert (failure.kind, failure.exit_code) == ("artifact", 0)
    assert "build is not there" in failure.message


async def test_a_place_that_is_no_folder_is_evidence_without_its_address(yard: Yard) -> None:
    yard.root.write_text("not a folder")
    failure = evidence(await yard.build())

    assert failure.kind == "error"
    assert str(yard.root) not in failure.message


async def test_a_beginning_that_a_power_cut_emptied_is_written_anew(yard: Yard) -> None:
    yard.top.mkdir(parents=True)
    (yard.top / "started").touch()

    assert isinstance(await yard.build(), Built)


async def test_a_full_disk_is_no_answer_but_can_be_tried_again(yard: Yard) -> None:
    class Full(FakeArtifactStore):
        async def put(self, root: Path, path: str) -> Stored:
            raise TryAgain("No space left on device")

    healthy, yard.store = yard.store, Full()
    with pytest.raises(TryAgain):
        await yard.build()
    yard.store = healthy

    assert isinstance(await yard.build(), Built)
    assert len(yard.processes.processes) == 1


async def started(yard: Yard) -> FakeProcess:
    """Return the process as soon as it is there."""
    await until(lambda: bool(yard.processes.processes))
    return next(iter(yard.processes.processes.values()))


async def until(holds: Callable[[], bool]) -> None:
    """Let others run until it holds; threads do part of the work, so turns cannot be counted."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - what holds is told by no event
            await asyncio.sleep(0)
