"""Where a service's processes live: one data folder in an installation, one machine at a time.

What is known of a process lies in its folder, and whether it lives is asked of this kernel. A replica
on another folder would find nothing there and start everything a second time; one on another machine,
or in another PID namespace, with the same folder would see files and no processes. Hence two rules:

1. A service's folder is the one whose identity the database keeps. The identity is a file, made at
   first use. A service with another folder refuses to start, unless it is told which lost one its own
   is to replace; what was under way there then counts as interrupted.
2. All of one service who use a folder at one time see the same processes. Each holds a shared lock on
   the file `<service>/residents`, in which it stands which kernel and PID namespace they belong to;
   another kind of resident gets in only when nobody is left. So a container that was started again takes
   over at once from the one before, with which all its processes ended; two at a time are refused.

The lock needs a file system whose locks reach as far as the folder does: any local one; NFS from
version 4 on. Over a network, end what runs on the machine before (`windlass down`) before another one
takes its place: its last services may outlive its last resident.
"""

import fcntl
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa
import structlog

from shared.artifacts.folder import disk_faults
from shared.db import ServiceDatabase
from shared.db.dialect import insert_or_ignore
from shared.db.tables import data_folders
from shared.faults import Refused, TryAgain
from shared.file_lock import held
from shared.process.shim.child import identity

LOCK_FILE = "lock"  # of the folder: `windlass up` has it alone, replicas share it
AGAIN_SECONDS = 1.0  # after a look that was not possible: the database may be away
GATE_SECONDS_MAX = 20.0  # it is held for milliseconds, unless its holder is frozen
TEXT_BYTES_MAX = 1_000

log = structlog.get_logger()

_ITS_FOLDER = sa.select(data_folders).where(data_folders.c.service == sa.bindparam("its_service"))
_REPLACE = (
    sa.update(data_folders)
    .where(
        data_folders.c.service == sa.bindparam("its_service"),
        data_folders.c.folder == sa.bindparam("its_predecessor"),
    )
    .values(folder=sa.bindparam("its_folder"), host=sa.bindparam("its_host"), noted_at=sa.bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Residence:
    """A service's place in the data folder, taken up before anything is done in it."""

    db: ServiceDatabase
    data: Path
    replaces: str = ""  # the identity of a folder that is lost for good

    @asynccontextmanager
    async def taken_up(self, before_replacing: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
        """Live there for as long as the block lasts; `Refused` says why that cannot be, and the way out.

        `before_replacing` is called, perhaps repeatedly, before this folder takes the place of a lost one.
        """
        async with AsyncExitStack() as stay:
            while True:
                try:
                    async with AsyncExitStack() as trial:
                        await self._agree(await self._enter(trial), before_replacing)
                        stay.push_async_exit(trial.pop_all())
                    break
                except TryAgain as fault:
                    log.warning("residence.delayed", service=self.db.service, reason=str(fault))
                    await self.db.clock.sleep(AGAIN_SECONDS)
            yield

    async def _enter(self, stay: AsyncExitStack) -> str:
        """Become a resident; return the folder's identity."""
        async with held(self.data / "gate.lock", GATE_SECONDS_MAX):
            with disk_faults("taking up the data folder"):
                stay.enter_context(_resident(self.data / self.db.service, self.db.service))
                return _identity(self.data)

    async def _agree(self, ours: str, before_replacing: Callable[[], Awaitable[None]]) -> None:
        """Have the database and the folder agree which one it is."""
        row = {
            "service": self.db.service,
            "folder": ours,
            "host": socket.gethostname(),
            "noted_at": self.db.clock.now(),
        }
        async with self.db.database.begin() as (connection, _):
            await connection.execute(insert_or_ignore(data_folders), row)
            noted = (await connection.execute(_ITS_FOLDER, {"its_service": self.db.service})).one()
        if noted.folder == ours:
            return
        if noted.folder != self.replaces:
            raise Refused(
                f"the {self.db.service} of this installation lives in another data folder "
                f"({noted.folder}, noted on {noted.host} at {noted.noted_at:%Y-%m-%d %H:%M} UTC), where its "
                "processes and releases are: start it there, with WINDLASS_DATA. If that folder is lost for "
                f"good, start it once with WINDLASS_REPLACES_FOLDER={noted.folder}; what was under way there "
                "then counts as interrupted"
            )
        await before_replacing()
        await self._replace(row)

    async def _replace(self, row: dict[str, object]) -> None:
        values = {f"its_{name}": value for name, value in row.items() if name != "noted_at"}
        async with self.db.database.begin() as (connection, _):
            predecessor = {"its_predecessor": self.replaces, "now": row["noted_at"]}
            await connection.execute(_REPLACE, values | predecessor)


@contextmanager
def kept_from_up(data: Path, who: str) -> Iterator[None]:
    """Use the folder beside other replicas, and keep `windlass up` and `windlass down` from it.

    Refused while one of those has it. `who` is what they are told of us.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(data / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Refused(f"the data folder {data} cannot be used: {error.strerror} (WINDLASS_DATA)") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = lock_text(descriptor) or "unknown"
            raise Refused(
                f"`windlass up` or `windlass down` (process {holder}) uses the data folder {data}: "
                "end it first, or name another folder with WINDLASS_DATA"
            ) from None
        with suppress(OSError):  # no room on the disk: the lock holds without a name in it
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{who}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def lock_text(descriptor: int) -> str:
    """Return what the last to lock the folder left in its lock: a process id, or a replica's name."""
    return os.pread(descriptor, TEXT_BYTES_MAX, 0).decode("utf-8", "replace").partition("\n")[0].strip()


def _identity(folder: Path) -> str:
    """Return the folder's identity, made at first use; under the gate, so that there is only one."""
    file = folder / "identity"
    with suppress(FileNotFoundError):
        if found := file.read_text("ascii").strip():
            return found
    made = uuid4().hex  # of no cause: it must differ from that of every folder there ever was
    part = folder / "identity.part"
    with part.open("w", encoding="ascii") as stream:
        stream.write(f"{made}\n")
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(file)
    return made


@contextmanager
def _resident(folder: Path, service: str) -> Iterator[None]:
    """Be one of those who live here; under the gate, so that nobody comes in between."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / "residents", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        kind = identity(os.getpid()).split()[1]
        there, _, host = os.pread(descriptor, TEXT_BYTES_MAX, 0).decode("ascii", "replace").partition(" ")
        if there != kind:
            _take_over(descriptor, service, host.strip())
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{kind} {socket.gethostname()}\n".encode(), 0)
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _take_over(descriptor: int, service: str, host: str) -> None:
    """Make sure that nobody of another kind lives here."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refused(
            f"another {service} ({host or 'unknown'}) uses this data folder from a machine or PID namespace "
            "whose processes cannot be seen from here: run all its replicas in one (containers: one `pid` "
            "setting for all), or end the others first"
        ) from None
