"""What a worker can read from and do to a shim's folder; `shim/__init__.py` says what lies in it.

Whether the shim lives is asked of its lock: a process id may long be somebody else's.
"""

import errno
import fcntl
import os
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from shared.process.attempt import Absent, Exit, Exited, Lost, Observation, Running, decode_exit
from shared.process.shim.child import identity, living


def prepare(folder: Path, spec: bytes) -> None:
    """Make the folder with all a shim needs in it; one that is prepared already is prepared again."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # the shim has it on the disk before it starts
    descriptor, name = tempfile.mkstemp(prefix="spec.", dir=folder)  # another worker may be at it, too
    try:
        if os.write(descriptor, spec) < len(spec):
            raise OSError(errno.ENOSPC, "no room for what is to be run")
    finally:
        os.close(descriptor)
    with suppress(FileNotFoundError):  # a shim that another worker started has the folder, and tidied up
        Path(name).rename(folder / "spec")


def claimed(folder: Path) -> bool:
    """Tell whether a shim has taken the folder, now or ever."""
    return (folder / "claimed").exists()


def observe(folder: Path) -> Observation:
    """Say what is the case; what a lost shim left behind counts as running."""
    if outcome := read_exit(folder):
        return Exited(outcome)
    if not claimed(folder):
        return Absent()
    if locked(folder):
        return Running()
    if outcome := read_exit(folder):  # written between the two looks
        return Exited(outcome)
    return Running() if leftovers(folder) else Lost()


def read_exit(folder: Path) -> Exit | None:
    """Return the outcome if it has been written."""
    try:
        return decode_exit((folder / "exit").read_bytes())
    except FileNotFoundError:
        return None


def locked(folder: Path) -> bool:
    """Tell whether a shim lives here. Only of a claimed folder: looking could hinder a claim."""
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def mark(folder: Path, name: str) -> None:
    """Leave a word for the shim, present or to come."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / name).touch(mode=0o600)


def grace_seconds(folder: Path) -> float:
    """Return the grace the shim gives; claimed folders only."""
    return float((folder / "pid").read_text().split()[1])


def signal_shim(folder: Path, number: signal.Signals) -> None:
    """Send the shim a signal if it lives."""
    pid = int((folder / "pid").read_text().split()[0])
    with suppress(ProcessLookupError):
        if not hasattr(os, "pidfd_open"):
            if locked(folder):
                os.kill(pid, number)
            return
        fd = os.pidfd_open(pid)
        try:
            if locked(folder):  # so it lived when `fd` was opened, and `fd` is it
                signal.pidfd_send_signal(fd, number)
        finally:
            os.close(fd)


def restarts(folder: Path) -> int:
    """Return how often the shim started its promoted service again."""
    with suppress(OSError, ValueError):
        return int((folder / "restarts").read_text(encoding="ascii"))
    return 0


def awaits_restart(folder: Path) -> bool:
    """Tell whether a promoted service has ended, and its shim is about to start it again."""
    if not (folder / "promoted").exists():
        return False
    with suppress(OSError, ValueError):
        leader, started, _ = (folder / "group").read_text(encoding="ascii").split()
        present = identity(int(leader)).split()[0]
        return started not in {"-", present}
    return False


def leftovers(folder: Path) -> list[int]:
    """Return the processes that a shim which was killed left running."""
    try:
        leader, started, boot = (folder / "group").read_text().split()
    except FileNotFoundError:
        return []  # killed before it had a child
    if boot != identity(os.getpid()).split()[1]:
        return []  # another boot, or another container: nothing can be left
    if not sys.platform.startswith("linux"):
        return _if_alive(int(leader))
    if identity(int(leader)).split()[0] not in {started, "-"}:
        return []  # the number went to somebody else
    return [pid for pid, _, session in living() if session == int(leader)]


def end_leftovers(folder: Path) -> None:
    """Kill what a shim which was killed left running."""
    for pid in leftovers(folder):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _if_alive(pid: int) -> list[int]:
    try:
        return [pid] if os.getsid(pid) == pid else []
    except (ProcessLookupError, PermissionError):
        return []
