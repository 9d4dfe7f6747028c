"""After a switch: the release that had the address ends, the one that has it is kept alive.

Both are chores beside everything else. What they are about stands on the disk, so that `begin_chores`
takes up after a crash what a killed life was about.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from services.deployer.adapters.gateway.route import Route
from services.deployer.adapters.local import lives
from services.deployer.adapters.local.host import Host, Place
from services.deployer.adapters.local.ports import noted
from services.deployer.adapters.local.release import (
    Life,
    Release,
    delete,
    delete_leftovers,
    delete_release,
    releases_in,
)
from shared.artifacts.folder import disk_faults
from shared.crash import point
from shared.faults import Refused, TryAgain
from shared.process import Absent, Running

DRAIN_SECONDS_MAX = 30.0  # for the last answers of a release that was replaced
REVIVE_SECONDS_MAX = 60.0  # from a new process to its port
BACKOFF_SECONDS_MIN = 0.5
BACKOFF_SECONDS_MAX = 30.0
BACKOFF_RESETS_SECONDS = 60.0  # a process that lived this long starts over with the shortest pause
DISCARDED_KEPT = 5  # releases that never went live whose output is kept in a place
DEAD_LIVES_KEPT = 3  # processes of a live release whose output is kept
TURNS_LEFT_TO_OTHERS = 25  # of the loop, before a chore: what an end brings about, the next step, goes first

log = structlog.get_logger()


@dataclass(slots=True)
class Chores:
    """Work beside everything else, one of each name at a time."""

    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def begin(self, name: str, chore: Callable[[], Coroutine[None, None, None]]) -> None:
        """See to it that it is being done."""
        if name not in self._tasks:
            task = asyncio.create_task(self._do(name, chore))
            self._tasks[name] = task
            task.add_done_callback(lambda _: self._tasks.pop(name, None))

    async def settled(self, prefix: str) -> None:
        """Wait until no chore whose name begins so is left."""
        while tasks := [task for name, task in self._tasks.items() if name.startswith(prefix)]:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Leave everything as it is; a later life goes on with it."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _do(self, name: str, chore: Callable[[], Coroutine[None, None, None]]) -> None:
        for _ in range(TURNS_LEFT_TO_OTHERS):
            await asyncio.sleep(0)
        try:
            with disk_faults(name):
                await chore()
        except (TryAgain, Refused) as fault:  # `resume` begins it again
            log.warning("chore.failed", chore=name, reason=str(fault))
        except LookupError:  # another replica has done it meanwhile, and cleared the place
            log.info("chore.done_elsewhere", chore=name)


@dataclass(frozen=True, slots=True)
class Succession:
    """Sees to releases once they have been switched to."""

    host: Host
    chores: Chores = field(default_factory=Chores)

    def note_replaced(self, place: Place) -> None:
        """Put down on the replaced release itself what so far only the route says."""
        route = self.host.gateway.route(place.name)
        replaced = Release(place.releases / route.replaces) if route and route.replaces else None
        if replaced:
            replaced.put_if_there("retired")

    def begin_chores(self, place: Place) -> None:
        """Do what the place's state on the disk asks for."""
        self.note_replaced(place)
        route = self.host.gateway.route(place.name)
        for release in releases_in(place):
            if release.has("retired") and not release.has("ended"):
                name = f"retire {place.name} {release.name}"
                self.chores.begin(name, partial(self._retire, place, release))
        if any(release.has("ended") or release.files.exists() for release in self._spare(place)):
            self.begin_tidying(place)
        if route and route.kind == "server":
            self.chores.begin(f"keep {place.name} {route.folder}", partial(self._keep, place, route.folder))

    async def _retire(self, place: Place, release: Release) -> None:
        """Let a replaced release give its last answers, end it, and tidy the place up."""
        async with self.host.lock(place):  # nobody is just starting a process in it
            processes = [life.process for life in release.lives()]
        await self.host.gateway.drained(place.name, release.marker, DRAIN_SECONDS_MAX)
        point("deployer.release.drained")
        for process in processes:
            await self.host.processes.stop(process)
        release.put_if_there("ended")
        point("deployer.release.ended")
        log.info("release.ended", place=place.name, release=release.marker)
        self.begin_tidying(place)

    def begin_tidying(self, place: Place) -> None:
        """Remove, beside everything else, the releases that nothing needs any more."""
        self.chores.begin(f"tidy {place.name}", partial(self._tidy, place))

    async def _tidy(self, place: Place) -> None:
        """Keep the live release, the one before, and what the last discarded ones said."""
        spare = self._spare(place)
        discarded = [release for release in spare if release.has("discarded")]
        ended = [release for release in spare if release.has("ended")]
        for release in discarded:
            await delete(self.host, release.files)
            await delete(self.host, release.home)
        for release in [*ended, *discarded[:-DISCARDED_KEPT]]:
            await delete_release(self.host, place, release)
        await delete_leftovers(self.host, place.releases)

    def _spare(self, place: Place) -> Sequence[Release]:
        """Return the releases that are over and have no place in the route, the newest last."""
        route = self.host.gateway.route(place.name)
        kept = {route.folder, route.replaces} if route else set()
        over = (r for r in releases_in(place) if r.has("ended") or r.has("discarded"))
        return [release for release in over if release.name not in kept]

    async def _keep(self, place: Place, name: str) -> None:
        """Start the live release again whenever its process is gone, for as long as it is live."""
        release = Release(place.releases / name)
        pause = BACKOFF_SECONDS_MIN
        while self._live(place, name):
            began = self.host.clock.now()
            await self._connect(place, release)
            await self._until_gone(release)
            if not self._live(place, name):
                return
            if (self.host.clock.now() - began).total_seconds() >= BACKOFF_RESETS_SECONDS:
                pause = BACKOFF_SECONDS_MIN
            log.warning("release.gone", place=place.name, release=release.marker, again_in_seconds=pause)
            await self.host.clock.sleep(pause)
            pause = min(pause * 2, BACKOFF_SECONDS_MAX)
            await self._begin_life(place, release)

    async def _connect(self, place: Place, release: Release) -> None:
        """Have the address lead to the release's latest process, or end that if it never listens."""
        life = release.life(release.life_number())
        if self._leads_to(place, release, life) or self._is_over(life):
            return
        risen = await lives.rise(self.host, life, asyncio.Event(), REVIVE_SECONDS_MAX)
        async with self.host.lock(place):
            if self._leads_to(place, release, life):  # another deployer's doing
                return
            route = self._live(place, release.name)
            if route is None or not (isinstance(risen, lives.Listens) or await lives.listens(life)):
                await self.host.processes.stop(life.process)
                return
            port = noted(life.port_file) or 0
            self.host.gateway.set_route(replace(route, upstream_port=port))
            await self.host.gateway.sync()
        log.info("release.revived", place=place.name, release=release.marker, port=port)
        await self._forget_dead_lives(release)

    def _leads_to(self, place: Place, release: Release, life: Life) -> bool:
        route = self._live(place, release.name)
        return route is not None and route.upstream_port == noted(life.port_file)

    async def _until_gone(self, release: Release) -> None:
        life = release.life(release.life_number())
        if not isinstance(self.host.processes.observe(life.process), Absent):
            await self.host.processes.wait(life.process)

    async def _begin_life(self, place: Place, release: Release) -> None:
        """Start another process of the live release; one that was about to be is started now.

        Every deployer saw the process go. The first to have the lock starts the next one.
        """
        async with self.host.lock(place):
            number = release.life_number()
            seen = self.host.processes.observe(release.life(number).process)
            if not self._live(place, release.name) or isinstance(seen, Running):
                return
            launch = release.launch()
            if launch is None:
                raise Refused(f"release {release.name} of {place.name} was damaged on the disk")
            life = release.life(max(number + (not isinstance(seen, Absent)), 1))
            await lives.begin(self.host, release, launch, life)
            self.host.processes.promote(life.process)

    def _is_over(self, life: Life) -> bool:
        return not isinstance(self.host.processes.observe(life.process), Running)

    async def _forget_dead_lives(self, release: Release) -> None:
        for life in release.lives()[: -1 - DEAD_LIVES_KEPT]:
            await delete(self.host, life.folder)

    def _live(self, place: Place, name: str) -> Route | None:
        """Return the route if it leads to this release."""
        route = self.host.gateway.route(place.name)
        return route if route and route.folder == name else None
