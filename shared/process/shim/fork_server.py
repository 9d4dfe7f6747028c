"""Where shims come from: a process that has everything imported, and forks one for each folder.

It is told folders on standard input, each ended by NUL, and reports on standard output how each of their
shims ended: `<number> <wait status>` a line, numbered from 0 in the order of telling. It ends when it can
be told nothing more, that is when its worker dies; its shims go on.

While it has nothing else to do it forks a shim ahead, the spare, which waits for its folder (`program.py`).
"""

import gc
import os
import select

from .child import IGNORABLE, forget_signals, identity
from .disk import FDS_MAX, redirect
from .program import listen

READ_BYTES = 64 * 1024
NOT_FORKED = -1  # no wait status: there is no room for a process
QUIET_MILLISECONDS = 100  # after an order, until a spare is in nobody's way; a shim's end is as good
NOBODY = 0


def serve() -> bool:
    """Fork until there is nothing more to be told, then return False; in a shim return True."""
    os.chdir("/")  # to keep no folder in use that has nothing to do with us
    redirect("/dev/null", os.O_WRONLY, 2)  # until here it was the log of the first folder
    os.closerange(3, FDS_MAX)  # nothing of the worker's stays open here for hours
    forget_signals(IGNORABLE)
    wake = listen()
    identity(os.getpid())  # what is the same in all shims is known from here on
    gc.freeze()  # what is never looked at again by the collector stays shared with the shims
    shims = ForkedShims()
    told = b""
    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(wake, select.POLLIN)
    while True:
        ready = [fd for fd, _ in poll.poll(QUIET_MILLISECONDS if shims.due else None)]
        if wake in ready:
            os.read(wake, READ_BYTES)
            shims.reap()
        if 0 in ready:
            piece = os.read(0, READ_BYTES)
            if not piece:
                return False
            *folders, told = (told + piece).split(b"\0")
            if not all(shims.start(folder) for folder in folders):
                return True
        elif shims.due and not shims.fork():
            return True


class ForkedShims:
    """The shims that have not ended, and the spare."""

    def __init__(self) -> None:
        self.due = False  # there is no spare, and nothing was forked since the last order
        self._numbers: dict[int, int] = {}  # of those that have a folder, by process id
        self._told = 0
        self._spare = NOBODY
        self._telling = -1  # where the spare hears of its folder

    def start(self, folder: bytes) -> bool:
        """Have a shim take the folder; return False in one that was forked for it."""
        number, self._told = self._told, self._told + 1
        if not self._tell(folder, number):
            if not self.fork():
                return False
            if not self._tell(folder, number):
                report(number, NOT_FORKED)
        self.due = True
        return True

    def fork(self) -> bool:
        """Fork the spare; return False in it."""
        self.due = False  # where there is no room now, it need not be tried again at once
        pipe: tuple[int, ...] = ()
        try:
            pipe = orders, telling = os.pipe()
            pid = os.fork()
        except OSError:
            for end in pipe:
                os.close(end)
            return True
        if pid == 0:
            os.dup2(orders, 0)
            return False
        os.close(orders)
        self._spare, self._telling = pid, telling
        return True

    def reap(self) -> None:
        """Report the shims that have ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == NOBODY:
                return
            if pid in self._numbers:
                report(self._numbers.pop(pid), status)
            elif pid == self._spare:
                self._forget_spare()

    def _tell(self, folder: bytes, number: int) -> bool:
        """Tell the spare; return False if there is none, or it has died."""
        if self._spare == NOBODY:
            return False
        try:
            os.write(self._telling, folder + b"\0")  # whole or not at all: PIPE_BUF
        except BrokenPipeError:
            self._forget_spare()
            return False
        self._numbers[self._spare] = number
        self._forget_spare()
        return True

    def _forget_spare(self) -> None:
        os.close(self._telling)
        self._spare = NOBODY


def report(number: int, status: int) -> None:
    """Tell the worker; if it has gone, standard input says so, too."""
    try:
        os.write(1, b"%d %d\n" % (number, status))
    except BrokenPipeError:
        pass
