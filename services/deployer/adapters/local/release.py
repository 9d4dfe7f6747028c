"""One release on the disk: its files, how it is started, how far it has come."""

import json
import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Literal

from services.deployer.adapters.gateway.route import as_json, replace_file
from services.deployer.adapters.local.host import Host, Place
from services.deployer.step_order import StepOrder
from shared.artifacts.blocking import beside_the_loop
from shared.artifacts.folder import remove_aside, remove_left_aside
from shared.faults import Refused

REMOVED_AT_ONCE_BYTES_MAX = 64 * 1024  # of a file: a large one takes the file system a while

Mark = Literal[
    "switched",  # it was given the stable address, or is just being given it
    "retired",  # another one has it since: its process is to end
    "ended",  # retired, and its process has ended
    "discarded",  # it never got the address and is not to
]


@dataclass(frozen=True, slots=True)
class Launch:
    """How a release is started, the same way every time, and what it is."""

    release: str
    revision: int
    commit: str
    command: Sequence[str] = ()  # empty: a static release
    env: Mapping[str, str] = field(default_factory=dict)  # without PORT
    grace_seconds: float = 0.0


LAUNCH_KEYS = frozenset(each.name for each in fields(Launch))  # a later Windlass may write more


@dataclass(frozen=True, slots=True)
class Life:
    """One process of a release."""

    folder: Path

    @property
    def port_file(self) -> Path:
        """Return where its port is noted."""
        return self.folder / "port"

    @property
    def process(self) -> Path:
        """Return the folder of its process."""
        return self.folder / "process"

    @property
    def silent_file(self) -> Path:
        """Return the mark of one that was stopped because it never listened."""
        return self.folder / "silent"


@dataclass(frozen=True, slots=True)
class Release:
    """A release's folder."""

    folder: Path

    @property
    def name(self) -> str:
        """Return the name by which routes refer to it."""
        return self.folder.name

    @property
    def marker(self) -> str:
        """Return what its answers carry: the run, whichever attempt it was."""
        return self.name.rpartition(".")[0]

    @property
    def files(self) -> Path:
        """Return the unpacked artifact."""
        return self.folder / "files"

    @property
    def home(self) -> Path:
        """Return its processes' HOME."""
        return self.folder / "home"

    @property
    def port_file(self) -> Path:
        """Return where the port of its candidate address is noted."""
        return self.folder / "port"

    def has(self, mark: Mark) -> bool:
        """Tell whether it has come that far."""
        return (self.folder / mark).exists()

    def put(self, mark: Mark) -> None:
        """Note that it has come that far."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / mark).touch()

    def put_if_there(self, mark: Mark) -> None:
        """Note it unless the release was removed meanwhile, by another deployer perhaps."""
        with suppress(FileNotFoundError):
            (self.folder / mark).touch()

    def launch(self) -> Launch | None:
        """Return how it is started; None when it was never made ready."""
        document = as_json(self.folder / "launch.json")
        if not document:
            return None
        return Launch(**{key: value for key, value in document.items() if key in LAUNCH_KEYS})

    def note_launch(self, launch: Launch) -> None:
        """Keep how it is started."""
        replace_file(self.folder / "launch.json", json.dumps(asdict(launch)).encode())

    @property
    def lives_folder(self) -> Path:
        """Return where its processes are, by number; a static release has none."""
        return self.folder / "lives"

    def life(self, number: int) -> Life:
        """Return its process of that number, from 1."""
        return Life(self.lives_folder / str(number))

    def life_number(self) -> int:
        """Return the number of its latest process; 0 when there was none."""
        return max(self._life_numbers(), default=0)

    def lives(self) -> Sequence[Life]:
        """Return its processes, the latest last."""
        return [self.life(number) for number in sorted(self._life_numbers())]

    def _life_numbers(self) -> Sequence[int]:
        with suppress(FileNotFoundError):
            return [int(each.name) for each in self.lives_folder.iterdir() if each.name.isdecimal()]
        return []


def release_of(place: Place, order: StepOrder) -> Release:
    """Return the release that an order makes."""
    return Release(place.releases / f"{order.release}.{order.attempt}")


class ArtifactRefused(Refused):
    """The artifact is not there, or is none."""


async def unpack(host: Host, order: StepOrder, artifact: str, destination: Path) -> None:
    """Put an artifact of the order's revision there; a folder that exists is complete already."""
    digest = order.artifacts.get(artifact)
    if not digest:
        raise ArtifactRefused(f"revision {order.revision} has no artifact called {artifact!r}")
    try:
        await host.artifacts.unpack(digest, destination)
    except Refused as fault:
        raise ArtifactRefused(str(fault)) from fault


def releases_in(place: Place) -> Sequence[Release]:
    """Return a place's releases, the newest last."""
    with suppress(FileNotFoundError):
        folders = [each for each in place.releases.iterdir() if not each.name.startswith(".")]
        return [Release(folder) for folder in sorted(folders, key=_made_at)]
    return []


async def delete(host: Host, folder: Path) -> None:
    """Remove a folder: from one moment to the next nobody finds it any more, however large it is."""
    if _is_there(folder) and not _removed_at_once(folder):
        async with host.removing:
            await beside_the_loop(lambda _: remove_aside(folder))


async def delete_leftovers(host: Host, parent: Path) -> None:
    """Remove what a killed life was about to remove."""
    async with host.removing:
        await beside_the_loop(lambda _: remove_left_aside(parent))


async def delete_release(host: Host, place: Place, release: Release) -> None:
    """Remove a release that is over, and see to it that nobody who comes late brings it back.

    The mark it leaves is there for as long as an order of its could still be carried out.
    """
    async with host.lock(place):
        tombstone = place.tombstone(release.name)
        tombstone.parent.mkdir(exist_ok=True)
        tombstone.touch()
    await delete(host, release.folder)


def is_over(place: Place, release: Release) -> bool:
    """Tell whether nothing of the release may be started or shown any more."""
    return release.has("discarded") or release.has("ended") or place.tombstone(release.name).exists()


def _is_there(folder: Path) -> bool:
    return os.path.lexists(folder)


def _removed_at_once(folder: Path) -> bool:
    """Remove an empty folder, or a small file, and tell whether it was one: no thread is worth that."""
    with suppress(OSError):
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode):
            folder.rmdir()
            return True
        if found.st_size <= REMOVED_AT_ONCE_BYTES_MAX:
            folder.unlink()
            return True
    return False


def _made_at(folder: Path) -> tuple[int, str]:
    with suppress(FileNotFoundError):
        return (folder / "launch.json").stat().st_mtime_ns, folder.name
    return 0, folder.name
