"""The data folder: made readable by its owner only, and used by one Windlass at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.residence import LOCK_FILE, lock_text
from shared.web.faults import CannotStart

OWNER_ONLY = 0o700


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """Hold the folder; the kernel lets go of it when this process ends, however that is."""
    try:
        folder.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
        folder.chmod(OWNER_ONLY)
        handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(folder, error) from error
    try:
        _lock(handle, folder)
        _leave_name(handle, folder)
        yield folder
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner = lock_text(handle) or "unknown"
        if owner.startswith("`"):  # replicas, which share the lock; the last to come left its name
            raise CannotStart(
                f"{owner} uses the data folder {folder}: end it first, and all others that serve there."
            ) from None
        raise CannotStart(
            f"Another Windlass (process {owner}) uses {folder}. Stop it first, or give this one a folder of "
            "its own with --data and a port of its own with --port."
        ) from None


def _leave_name(handle: int, folder: Path) -> None:
    """Say in the lock whose it is, for the next who wants it."""
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    except OSError as error:
        raise _unusable(folder, error) from error


def _unusable(folder: Path, error: OSError) -> CannotStart:
    return CannotStart(
        f"The data folder {folder} cannot be used: {error.strerror}. Make that possible, or name another "
        "with --data."
    )
