"""Where shims come from: a process that has everything imported, and forks one for each folder.

It is told folders on standard input, each ended by NUL, and reports on standard output how each of their
shims ended: `<number> <wait status>` a line, numbered from 0 in the order of telling. It ends when it can
be told nothing more, that is when its worker dies; its shims go on.
"""

import _signal as signal  # type: ignore[import-not-found]  # see child.py
import gc
import os
import select

from .program import listen

READ_BYTES = 64 * 1024
NOT_FORKED = -1  # no wait status: there is no room for a process
FDS_MAX = 1 << 16


def serve() -> str:
    """Fork until there is nothing more to be told, then return nothing; in a shim return its folder."""
    os.chdir("/")  # to keep no folder in use that has nothing to do with us
    redirect("/dev/null", os.O_WRONLY, 2)  # until here it was the log of the first folder
    os.closerange(3, FDS_MAX)  # nothing of the worker's stays open here for hours
    wake = listen()
    gc.freeze()  # what is never looked at again by the collector stays shared with the shims
    shims: dict[int, int] = {}
    told, number = b"", 0
    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(wake, select.POLLIN)
    while True:
        ready = [fd for fd, _ in poll.poll()]
        if wake in ready:
            os.read(wake, READ_BYTES)
            reap(shims)
        if 0 not in ready:
            continue
        piece = os.read(0, READ_BYTES)
        if not piece:
            return ""
        *folders, told = (told + piece).split(b"\0")
        for folder in folders:
            if not fork(shims, number):
                return become_shim(os.fsdecode(folder))
            number += 1


def fork(shims: dict[int, int], number: int) -> bool:
    """Fork a shim; return False in it."""
    try:
        pid = os.fork()
    except OSError:
        report(number, NOT_FORKED)
        return True
    if pid:
        shims[pid] = number
    return pid > 0


def become_shim(folder: str) -> str:
    """Leave all that is the server's, be as if started for the folder, and return it."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    redirect("/dev/null", os.O_RDONLY, 0)
    redirect("/dev/null", os.O_WRONLY, 1)
    redirect(f"{folder}/shim.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 2)
    os.closerange(3, FDS_MAX)
    return folder


def redirect(path: str, flags: int, descriptor: int) -> None:
    """Have the descriptor be that file."""
    opened = os.open(path, flags, 0o600)
    os.dup2(opened, descriptor)
    os.close(opened)


def reap(shims: dict[int, int]) -> None:
    """Report the shims that have ended."""
    while shims:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        report(shims.pop(pid), status)


def report(number: int, status: int) -> None:
    """Tell the worker; if it has gone, standard input says so, too."""
    try:
        os.write(1, b"%d %d\n" % (number, status))
    except BrokenPipeError:
        pass
