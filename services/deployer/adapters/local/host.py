"""The machine as the local carriers see it, and where on it things are."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from services.deployer.adapters.gateway.client import Gateway
from services.deployer.step_order import StepOrder
from shared.artifacts import ArtifactStore
from shared.clock import Clock
from shared.process import Processes

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
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


@dataclass(frozen=True, slots=True)
class Host:
    """What every local carrier is given."""

    folder: Path
    processes: Processes
    gateway: Gateway
    artifacts: ArtifactStore
    clock: Clock
    search_path: str = SEARCH_PATH
    stable_host: str = "127.0.0.1"  # where stable addresses listen; candidates are never seen outside
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)  # by place
    removing: asyncio.Lock = field(default_factory=asyncio.Lock)  # one folder at a time

    @property
    def local(self) -> Path:
        """Return the folder of all places."""
        return self.folder / "local"

    def place(self, order: StepOrder) -> Place:
        """Return an order's place."""
        parts = [path_part(part) for part in (order.pipeline, order.stage, order.step.id)]
        return Place(self.local.joinpath(*parts), "+".join(parts))

    def places(self) -> Iterator[Place]:
        """Yield every place that has releases."""
        for releases in sorted(self.local.glob("*/*/*/releases")):
            folder = releases.parent
            yield Place(folder, "+".join(folder.relative_to(self.local).parts))

    def lock(self, place: Place) -> asyncio.Lock:
        """Return the lock of whoever changes the place's route or starts a process in it."""
        return self.locks.setdefault(place.name, asyncio.Lock())


def path_part(name: str) -> str:
    """Return a name as one part of a path: different names, different parts, on any file system."""
    if _PLAIN.fullmatch(name):
        return name
    plain = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip(".-")[: PART_CHARACTERS_MAX - 20]
    return f"{plain or 'x'}~{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
