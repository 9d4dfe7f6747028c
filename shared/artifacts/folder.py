"""Folders that are there as a whole or not at all, and the names of what a disk can refuse.

Knows nothing of archives.
"""

import ctypes
import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.crash import point
from shared.faults import Refused, TryAgain

ARRIVAL = "arriving-"  # begins the name of what is being put together
GONE = ".gone-"  # begins the name of what is being removed

# What passes without anybody asking differently: space is freed, other work ends.
_PASSING = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.EBUSY,
        errno.ESTALE,
        errno.EIO,
        errno.ENOTEMPTY,  # somebody writes into what is being removed
    }
)


@contextmanager
def disk_faults(doing: str) -> Iterator[None]:
    """Turn what the operating system refuses into our faults; `doing` reads "packing dist"."""
    try:
        yield
    except OSError as exc:
        # The error's own text would print absolute paths of this machine.
        sentence = f"{doing}: {exc.strerror or type(exc).__name__}"
        raise (TryAgain if exc.errno in _PASSING else Refused)(sentence) from exc


@contextmanager
def made_whole(destination: Path) -> Iterator[Path]:
    """Give an empty folder that becomes `destination` on leaving, durably; on an error it is gone.

    Only one at a time makes a destination; after a kill -9 the next one starts afresh.
    """
    part = destination.with_name(f".{destination.name}.part")
    destination.parent.mkdir(parents=True, exist_ok=True)
    with _claimed(part, destination) as descriptor:
        _empty(part)
        try:
            yield part
            _flush(descriptor)
            point("artifacts.folder.flushed")
            part.rename(destination)
        except BaseException:
            remove(part)
            raise
    flush_folder(destination.parent)


@contextmanager
def arrival(parent: Path) -> Iterator[Path]:
    """Give an empty folder in `parent` that nobody else uses; on leaving, what is left in it is removed.

    What killed processes left there goes first.
    """
    for left in list(parent.glob(f"{ARRIVAL}*")):
        _remove_alone(left)
    folder = Path(tempfile.mkdtemp(prefix=ARRIVAL, dir=parent))
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    except BlockingIOError as exc:  # taken for a leftover between its making and its lock
        raise TryAgain(f"another worker tidied {parent.name} up just then") from exc
    finally:
        remove(folder)
        os.close(descriptor)


def settle(part: Path, destination: Path) -> None:
    """Rename a complete folder to `destination`, durably; one that is there already stays."""
    descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _flush(descriptor)
    finally:
        os.close(descriptor)
    try:
        part.rename(destination)
    except OSError as exc:
        if exc.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
        remove(part)
    flush_folder(destination.parent)


def write_whole(file: Path, content: bytes) -> None:
    """Write a small file of ours that is there as a whole or not, power cuts aside.

    Of several who write it at once, the last one wins.
    """
    descriptor, part = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        os.replace(part, file)  # noqa: PTH105 - a name, not a path
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def flush_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(folder: Path) -> None:
    """Remove a folder however deep, or whatever else bears the name. Safe to repeat.

    Recursion would run out of stack or of descriptors in a hostile tree, so folders found are moved
    up to lie side by side before they are looked into.
    """
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink(missing_ok=True)
        return
    _open_up(folder)
    found = 0
    while inner := _folders_in(folder):
        for one in inner:
            found = _hoist(one, folder, found)
            one.rmdir()
    folder.rmdir()


def remove_aside(folder: Path) -> None:
    """Remove a folder that nobody finds any more from one moment to the next, however large it is.

    Safe to repeat, and to be done by several processes at once.
    """
    gone = folder.with_name(f"{GONE}{folder.name}")
    _remove_alone(gone)
    try:
        folder.rename(gone)
    except FileNotFoundError:
        return
    except OSError as exc:
        if exc.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
        raise TryAgain(f"one called {folder.name} is just being removed by another worker") from exc
    _remove_alone(gone)


def remove_left_aside(parent: Path) -> None:
    """Remove what a killed process was about to remove; what a living one is removing is left to it."""
    for gone in list(parent.glob(f"{GONE}*")):
        _remove_alone(gone)


def _remove_alone(gone: Path) -> None:
    """Remove a folder that was set aside, unless another process is at it; that one may be killed yet."""
    try:
        descriptor = os.open(gone, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    except OSError:  # it is no folder, or one that we may not look into
        remove(gone)
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(gone)
    except (BlockingIOError, FileNotFoundError):
        pass  # another is removing it, or just has
    finally:
        os.close(descriptor)


def _folders_in(folder: Path) -> list[Path]:
    """Unlink everything in a folder that is not a folder; return the folders."""
    folders: list[Path] = []
    with os.scandir(folder) as entries:  # never as a list: a hostile build may have made millions
        for entry in entries:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            else:
                path.unlink(missing_ok=True)
    return folders


def _hoist(folder: Path, top: Path, found: int) -> int:
    """Empty a folder, moving the folders in it to `top` under fresh numbers; return the last."""
    _open_up(folder)
    for child in _folders_in(folder):
        _open_up(child)  # its entry for the parent changes, which needs leave to write
        found += 1
        while (place := top / f".removed-{found}").exists():
            found += 1
        child.rename(place)
    return found


def _open_up(folder: Path) -> None:
    """Let us list and change it: Go's module cache, for one, is made read-only."""
    folder.chmod(0o700)


@contextmanager
def _claimed(part: Path, destination: Path) -> Iterator[int]:
    """Hold `part`, made if need be, against other processes for as long as this one lives."""
    if part.is_symlink() or (part.exists() and not part.is_dir()):
        part.unlink()
    part.mkdir(exist_ok=True)
    descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _lock(descriptor, part, destination)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, part: Path, destination: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise TryAgain(f"{destination.name} is being made by another worker") from exc
    if not part.exists() or not os.path.samestat(os.fstat(descriptor), part.stat()):
        raise TryAgain(f"{destination.name} was just being made by another worker")
    if destination.exists():
        remove(part)
        raise TryAgain(f"{destination.name} was just made by another worker")


def _empty(folder: Path) -> None:
    for entry in list(folder.iterdir()):
        remove(entry)


def _flush(descriptor: int) -> None:
    """Write everything on this folder's file system to the disk: one call for 100 000 files."""
    syncfs = getattr(ctypes.CDLL(None), "syncfs", None)
    if syncfs is None:  # not Linux
        os.sync()
    elif syncfs(descriptor) != 0:
        raise OSError(errno.EIO, "flushing to the disk failed")
