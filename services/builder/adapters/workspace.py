"""Workspaces: a folder for each attempt, in which its build runs and out of which it is packed.

What is in a workspace tells how far its attempt got, so that after a kill -9 at any point `build`
goes on from there: a checkout that is there is whole, a process that runs is watched again, one
that ended is not run twice. A workspace stays until its answer is safe elsewhere; see `clear`.

Two builders may be in one workspace at once, when one of them was frozen and believed to be dead: so a
checkout arrives in a folder of its own and the first to be there counts, and a process is started once.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from services.builder.build_run import (
    BuildAnswer,
    BuildFailed,
    BuildLimits,
    BuildOrder,
    BuildStopped,
    Built,
    ended_badly,
    impossible,
    lost,
    unpackable,
    unsourced,
)
from services.builder.environment import SEARCH_PATH, Surroundings, environment
from services.builder.recipe import recipe_problem, script
from shared.artifacts import ArtifactStore
from shared.artifacts.blocking import beside_the_loop
from shared.artifacts.folder import arrival, disk_faults, remove_aside, remove_left_aside, settle, write_whole
from shared.clock import Clock
from shared.crash import point
from shared.events import LogLine
from shared.events.evidence import LOG_TAIL_LINES_MAX
from shared.faults import Refused
from shared.git import CommitInfo
from shared.ids import Commit
from shared.process import Exit, Lost, Processes, ProcessSpec


class Source(Protocol):
    """What is asked of repositories; `shared.git.Mirrors` can do this and more."""

    async def fetch_commit(self, remote: str, commit: Commit) -> None:
        """Have this commit, without asking the remote if it is here."""
        ...

    async def commit_info(self, remote: str, commit: Commit) -> CommitInfo:
        """Return what people see of a commit."""
        ...

    async def checkout(self, remote: str, commit: Commit, folder: Path) -> None:
        """Make `folder` with exactly this commit's files."""
        ...


class BuildLog(Protocol):
    """Where an attempt's output goes, and how much of it is there already."""

    async def next_line(self) -> int:
        """Return the number of the first line that is not there yet; raises if it is no longer ours."""
        ...

    async def append(self, first_line: int, lines: Sequence[LogLine]) -> None:
        """Take lines; having some of them already must do no harm."""
        ...


@dataclass(frozen=True, slots=True)
class _Workspace:
    """The places in one workspace."""

    top: Path

    @property
    def started(self) -> Path:
        return self.top / "started"

    @property
    def stopped(self) -> Path:
        return self.top / "stopped"

    @property
    def committed(self) -> Path:
        return self.top / "committed"

    @property
    def source(self) -> Path:
        return self.top / "source"

    @property
    def home(self) -> Path:
        return self.top / "home"

    @property
    def temporary(self) -> Path:
        return self.top / "tmp"

    @property
    def script(self) -> Path:
        return self.top / "script"

    @property
    def process(self) -> Path:
        return self.top / "process"


@dataclass(frozen=True, slots=True)
class Bench:
    """Where builds are made. Every verb is safe to repeat, and to end or be killed at any point.

    Cancelling the task that awaits `build` leaves the process running, to be watched again later;
    `stop` is what ends it.
    """

    root: Path
    source: Source
    processes: Processes
    store: ArtifactStore
    clock: Clock
    search_path: str = SEARCH_PATH
    limits: BuildLimits = field(default_factory=BuildLimits)

    async def build(self, order: BuildOrder, log: BuildLog) -> BuildAnswer:
        """Carry out one attempt, or what is left of it; raises only `TryAgain`."""
        if problem := recipe_problem(order.recipe):
            return BuildFailed(impossible(order, problem))
        try:
            return await self._build(order, log)
        except Refused as exc:
            return BuildFailed(impossible(order, str(exc)))

    async def stop(self, order: BuildOrder) -> None:
        """End the attempt wherever it is; `build` then answers that it was stopped."""
        place = self._place(order.name)
        with disk_faults("stopping the build"):
            place.top.mkdir(parents=True, exist_ok=True)
            place.stopped.touch()
        point("builder.stop.marked")
        await self.processes.stop(place.process)

    async def clear(self, order: BuildOrder) -> None:
        """Remove the attempt's workspace: once its answer is safe, for this forgets it."""
        await self._clear(order.name)

    def workspaces(self) -> frozenset[str]:
        """Return the names of the orders that have a workspace."""
        return frozenset(folder.name for folder in self._folders() if not folder.name.startswith("."))

    async def sweep(self, over: Collection[str]) -> None:
        """Remove the workspaces of these orders, none of which anybody carries out any more."""
        for name in sorted(over):
            await self._clear(name)
        with disk_faults("removing workspaces"):
            await beside_the_loop(lambda _: remove_left_aside(self.root))

    async def _build(self, order: BuildOrder, log: BuildLog) -> BuildAnswer:
        place = self._place(order.name)
        began = self._begin(place)
        if answer := await self._check_out(order, place):
            return answer
        ended = None
        if order.recipe.commands:
            ended = await self._run(order, place, log)
            if answer := self._judge(order, place, ended):
                return answer
        return await self._keep(order, place, ended, began)

    async def _check_out(self, order: BuildOrder, place: _Workspace) -> BuildAnswer | None:
        if place.stopped.exists():
            return BuildStopped()
        if place.source.exists():
            return None
        with disk_faults("keeping the checkout"), arrival(place.top) as arriving:
            try:
                await self.source.fetch_commit(order.remote, order.commit)
                info = await self.source.commit_info(order.remote, order.commit)
                await self.source.checkout(order.remote, order.commit, arriving / "source")
            except Refused as exc:
                return BuildFailed(unsourced(order, str(exc)))
            point("builder.checkout.arrived")
            _write(place.committed, info.committed_at.isoformat())
            await beside_the_loop(lambda _: settle(arriving / "source", place.source))
        point("builder.workspace.made")
        return None

    async def _run(self, order: BuildOrder, place: _Workspace, log: BuildLog) -> Exit | Lost:
        with disk_faults("preparing the workspace"):
            committed_at = datetime.fromisoformat(place.committed.read_text("ascii"))
            around = Surroundings(place.home, place.temporary, committed_at, self.search_path)
            place.home.mkdir(exist_ok=True)
            place.temporary.mkdir(exist_ok=True)
            _write(place.script, script(order.recipe.commands))
        point("builder.script.written")
        spec = ProcessSpec(
            argv=("/bin/sh", str(place.script)),
            cwd=place.source,
            env=environment(order, around),
            output_bytes_max=self.limits.output_bytes_max,
            grace_seconds=self.limits.grace_seconds,
            limit_seconds=order.recipe.timeout_seconds,
            file_bytes_max=self.limits.file_bytes_max,
        )
        first_line = await log.next_line()  # before the start: whoever lost the attempt starts nothing
        await self.processes.start(place.process, spec)
        point("builder.process.started")
        await self._follow(place, log, first_line)
        ended = await self.processes.wait(place.process)
        point("builder.process.ended")
        return ended

    async def _follow(self, place: _Workspace, log: BuildLog, first_line: int) -> None:
        async for batch in self.processes.output(place.process, first_line):
            await log.append(batch.first_line, batch.lines)
            point("builder.log.appended")

    def _judge(self, order: BuildOrder, place: _Workspace, ended: Exit | Lost) -> BuildAnswer | None:
        if place.stopped.exists():
            return BuildStopped()
        if isinstance(ended, Exit) and ended.succeeded:
            return None
        tail = self.processes.tail(place.process, LOG_TAIL_LINES_MAX)
        if isinstance(ended, Lost):
            return BuildFailed(lost(order, tail))
        return BuildFailed(ended_badly(order, ended, tail))

    async def _keep(
        self, order: BuildOrder, place: _Workspace, ended: Exit | Lost | None, began: datetime
    ) -> BuildAnswer:
        try:
            stored = await self.store.put(place.source, order.recipe.path)
        except Refused as exc:
            exit_ = ended if isinstance(ended, Exit) else None
            return BuildFailed(unpackable(order, str(exc), exit_))
        point("builder.artifact.stored")
        duration = (self.clock.now() - began).total_seconds()
        return Built(stored.digest, stored.size_bytes, max(0.0, duration))

    async def _clear(self, name: str) -> None:
        place = self._place(name)
        if not place.top.exists():
            return
        if place.process.exists():
            await self.processes.stop(place.process)
        point("builder.workspace.idle")
        with disk_faults("removing a workspace"):
            await beside_the_loop(lambda _: remove_aside(place.top))

    def _begin(self, place: _Workspace) -> datetime:
        """Return when the attempt first began, whichever life of this program that was in."""
        with disk_faults("making a workspace"):
            place.top.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError, ValueError):  # a power cut may have emptied it
                return datetime.fromisoformat(place.started.read_text("ascii"))
            now = self.clock.now()
            _write(place.started, now.isoformat())
            return now

    def _place(self, name: str) -> _Workspace:
        return _Workspace(self.root.absolute() / name)

    def _folders(self) -> tuple[Path, ...]:
        with disk_faults("looking for workspaces"), suppress(FileNotFoundError):
            return tuple(self.root.iterdir())
        return ()


def _write(path: Path, text: str) -> None:
    """Write a small file that is complete or absent, power cuts aside: `settle` flushes for all."""
    write_whole(path, text.encode("utf-8", "surrogateescape"))
