"""The machine as the local carriers see it, and where on it things are."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from services.deployer.adapters.gateway.client import Gateway
from services.deployer.step_order import StepOrder
from shared.artifacts import ArtifactStore
from shared.clock import Clock
from shared.file_lock import held, held_if_free
from shared.git import Mirrors
from shared.process import Processes

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LOCK_SECONDS_MAX = 60.0  # a place is kept at most while a candidate ends, which takes its grace
PART_CHARACTERS_MAX = 60  # three of them and a run make a file's name

_PLAIN = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{PART_CHARACTERS_MAX - 1}}}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one step of one stage keeps its releases, and the name of its route."""

    folder: Path
    name: str

    @property
    def releases(self) -> Path:
        """Return the folder of its releases."""
        return self.folder / "releases"

    @property
    def port_file(self) -> Path:
        """Return where its stable port is noted."""
        return self.folder / "port"

    @property
    def lock_file(self) -> Path:
        """Return the lock of whoever changes the place."""
        return self.folder / "lock"

    def tombstone(self, release: str) -> Path:
        """Return the mark of a release that was removed from here: nothing of that name may start again."""
        return self.folder / "removed" / release


@dataclass(frozen=True, slots=True)
class Host:
    """What every local carrier is given.

    Several deployers may work in one folder at once, and each may be killed, or frozen and woken when
    another has long taken over what it was about. So whatever is decided about a place from what lies
    there, its route, the marks of its releases, whether a process was started, is looked at and acted
    upon under the place's lock, which all of them share.
    """

    folder: Path
    processes: Processes
    gateway: Gateway
    artifacts: ArtifactStore
    clock: Clock
    mirrors: Mirrors
    search_path: str = SEARCH_PATH
    stable_host: str = "127.0.0.1"  # where stable addresses listen; candidates are never seen outside
    removing: asyncio.Lock = field(default_factory=asyncio.Lock)  # one folder of this program's at a time
    _turns: dict[str, asyncio.Lock] = field(default_factory=dict)  # by place, for us to queue in order

    @property
    def local(self) -> Path:
        """Return the folder of all places."""
        return self.folder / "local"

    @property
    def lost_file(self) -> Path:
        """Return where the attempts stand that were under way in a folder which this one replaces."""
        return self.folder / "lost"

    def is_lost(self, order: StepOrder) -> bool:
        """Tell whether the attempt was carried out elsewhere, as far as it was, and may not run again."""
        if order.step.repeatable or not self.lost_file.exists():
            return False
        return order.log in self.lost_file.read_text(encoding="utf-8").splitlines()

    def place(self, order: StepOrder) -> Place:
        """Return an order's place."""
        parts = [path_part(part) for part in (order.pipeline, order.stage, order.step.id)]
        return Place(self.local.joinpath(*parts), "+".join(parts))

    def places(self) -> Iterator[Place]:
        """Yield every place that has releases."""
        for releases in sorted(self.local.glob("*/*/*/releases")):
            folder = releases.parent
            yield Place(folder, "+".join(folder.relative_to(self.local).parts))

    @asynccontextmanager
    async def lock(self, place: Place) -> AsyncIterator[None]:
        """Be the only one, in any program, who changes the place's route or starts a process in it."""
        async with self._turn(place), held(place.lock_file, LOCK_SECONDS_MAX):
            yield

    @asynccontextmanager
    async def lock_if_free(self, place: Place) -> AsyncIterator[bool]:
        """Be the only one unless somebody is; yields which it is."""
        if self._turn(place).locked():
            yield False
            return
        async with self._turn(place):
            with held_if_free(place.lock_file) as ours:
                yield ours

    def _turn(self, place: Place) -> asyncio.Lock:
        return self._turns.setdefault(place.name, asyncio.Lock())


def path_part(name: str) -> str:
    """Return a name as one part of a path: different names, different parts, on any file system."""
    if _PLAIN.fullmatch(name):
        return name
    plain = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip(".-")[: PART_CHARACTERS_MAX - 20]
    return f"{plain or 'x'}~{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
