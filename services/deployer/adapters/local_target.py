"""The local target as a whole: what has to be looked after beside the steps, and its end."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from services.deployer.adapters.approval_testing import ApprovalTesting
from services.deployer.adapters.gateway.route import PART, replace_file
from services.deployer.adapters.local import address
from services.deployer.adapters.local.candidate import candidates, take_away
from services.deployer.adapters.local.host import Host, Place
from services.deployer.adapters.local.release import Release, delete, delete_leftovers, releases_in
from services.deployer.adapters.local.run_to_end import RunToEnd
from services.deployer.adapters.local.succession import Succession
from services.deployer.adapters.local_service import LocalService
from services.deployer.adapters.local_static import LocalStatic
from services.deployer.adapters.script import Script
from services.deployer.step_carrier import StepCarrier
from shared.artifacts.folder import disk_faults
from shared.faults import Refused, TryAgain
from shared.process import Running

RESUME_SECONDS = 2.0
ATTEMPTS_KEPT = timedelta(days=7)  # what scripts said is published long before
PRUNED_EVERY = timedelta(hours=1)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Adopted:
    """A release that has a stable address."""

    place: str
    kind: str
    release: str
    revision: int
    port: int
    problem: str  # why it does not answer there; empty: it should


@dataclass(slots=True)
class LocalTarget:
    """Keeps the gateway and the live releases going, and ends what was replaced."""

    host: Host
    succession: Succession
    _pruned_at: datetime = field(default=datetime.min.replace(tzinfo=UTC))
    _problems: Mapping[str, str] = field(default_factory=dict)

    def carriers(self) -> Mapping[str, StepCarrier]:
        """Return the carriers of the step types that run here."""
        chores = self.succession.chores
        return {
            "SCRIPT:EXECUTE": RunToEnd(self.host, chores, Script(self.host)),
            "APPROVAL:TEST": RunToEnd(self.host, chores, ApprovalTesting(self.host)),
            "LOCAL:SERVICE:DEPLOY": LocalService(self.host, self.succession),
            "LOCAL:STATIC:DEPLOY": LocalStatic(self.host, self.succession),
        }

    async def resume(self) -> datetime:
        """Bring everything to where the disk says it should be; returns when to look again."""
        now = self.host.clock.now()
        try:
            with disk_faults("looking after the local target"):
                await self._resume(now)
        except Refused as fault:
            raise TryAgain(str(fault)) from fault  # nobody asked, so nobody is answered: look again
        return now + timedelta(seconds=RESUME_SECONDS)

    def candidates(self) -> Sequence[str]:
        """Return the releases that wait for their address, by run and attempt: "<run>.<attempt>"."""
        return [release.name for place in self.host.places() for release in candidates(self.host, place)]

    def take_away(self, abandoned: Collection[str]) -> None:
        """See to it that candidates end whose attempt is over, whoever was to discard them could not."""
        for place in self.host.places():
            for release in candidates(self.host, place):
                if release.name in abandoned:
                    name = f"discard {place.name} {release.name}"
                    self.succession.chores.begin(name, partial(self._take_away, place, release))

    def note_lost(self, attempts: Collection[str]) -> None:
        """Note the attempts whose processes were in a folder that is lost: none of them is to run here."""
        with disk_faults("noting what was lost"):
            self.host.lost_file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.host.lost_file, "".join(f"{each}\n" for each in sorted(attempts)).encode())

    def adopted(self) -> Sequence[Adopted]:
        """Return the live releases, as `resume` found them last."""
        routes = self.host.gateway.routes()
        return [
            Adopted(name, r.kind, r.release, r.revision, r.port, self._problems.get(name, ""))
            for name, r in sorted(routes.items())
            if name in self._stable_names()
        ]

    async def close(self) -> None:
        """Let go of everything; it goes on, and a later life adopts it."""
        await self.succession.chores.close()
        await self.host.mirrors.close()

    async def end(self) -> None:
        """End every process of the local target, the gateway too; `resume` would bring all back."""
        await self.close()
        releases = [release for place in self.host.places() for release in releases_in(place)]
        await asyncio.gather(*(self._end_release(release) for release in releases))
        await self.host.gateway.shut_down()

    async def _resume(self, now: datetime) -> None:
        await self.host.gateway.ensure_running()
        for place in self.host.places():
            await self._resume_place(place)
        await self._hear_problems()
        if now - self._pruned_at >= PRUNED_EVERY:
            self._pruned_at = now
            await self._prune_attempts(now - ATTEMPTS_KEPT)
            self._prune_marks(now - ATTEMPTS_KEPT)

    async def _resume_place(self, place: Place) -> None:
        """Look after a place that nobody is changing just now."""
        async with self.host.lock_if_free(place) as free:
            if not free:
                return
            for name in address.stray_routes(self.host, place):
                self.host.gateway.remove_route(name)
        await delete_leftovers(self.host, place.releases)
        self.succession.begin_chores(place)

    async def _hear_problems(self) -> None:
        """Put the routes into force, and tell of a port that was lost or found again."""
        state = await self.host.gateway.sync()
        problems = {name: each.problem for name, each in state.routes.items() if each.problem}
        if problems != self._problems:
            log.warning("routes.changed", problems=problems)
        self._problems = problems

    async def _take_away(self, place: Place, release: Release) -> None:
        log.warning("candidate.abandoned", place=place.name, release=release.name)
        await take_away(self.host, place, release)
        self.succession.begin_tidying(place)

    def _stable_names(self) -> frozenset[str]:
        return frozenset(place.name for place in self.host.places())

    async def _end_release(self, release: Release) -> None:
        for life in release.lives():
            if isinstance(self.host.processes.observe(life.process), Running):
                await self.host.processes.stop(life.process)

    async def _prune_attempts(self, before: datetime) -> None:
        """Remove what scripts of long ago left."""
        for run in sorted((self.host.folder / "attempts").glob("[!.]*")):
            processes = run.glob("*/*/lives/*/process")
            if _is_older(run, before) and not any(self._goes_on(process) for process in processes):
                await delete(self.host, run)

    def _prune_marks(self, before: datetime) -> None:
        """Remove the marks of releases removed long ago, and files that killed programs half wrote."""
        marks = self.host.local.glob("*/*/*/removed/*")
        halves = self.host.folder.glob(f"gateway/routes/.*{PART}")
        for file in [*marks, *halves]:
            if _is_older(file, before):
                file.unlink(missing_ok=True)

    def _goes_on(self, process: Path) -> bool:
        return isinstance(self.host.processes.observe(process), Running)


def _is_older(path: Path, than: datetime) -> bool:
    """Tell whether it has not changed since; what another deployer just removed is not."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) < than
    except FileNotFoundError:
        return False
