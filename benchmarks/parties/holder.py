"""Holds one program and whatever comes of it: `python -m benchmarks.parties.holder FOLDER LOG WORDS…`.

Orphans become its children, wherever they put themselves, so that their CPU time is counted when they
end, and nothing is left when it is asked to end or its own parent is gone. Says the program's process id, and
by the clock that all processes share when it was started.
"""

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from types import FrameType

from benchmarks.parties.processes import all_seen, descendants

TELL_OF_PARENTS_END, ADOPT_ORPHANS = 1, 36  # of Linux's prctl


def main(folder: str, log: str, *words: str) -> int:
    """Start the program in the folder; wait for all there is to wait for."""
    kernel = ctypes.CDLL(None, use_errno=True)
    kernel.prctl(ADOPT_ORPHANS, 1, 0, 0, 0)
    kernel.prctl(TELL_OF_PARENTS_END, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGTERM, end_all)
    os.chdir(folder)
    words_to = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    to_log = [(os.POSIX_SPAWN_DUP2, words_to, 1), (os.POSIX_SPAWN_DUP2, words_to, 2)]
    begun = time.monotonic()
    try:
        pid = os.posix_spawnp(words[0], words, os.environ, file_actions=to_log, setpgroup=0)
    except OSError as error:
        os.write(2, f"{error.strerror}\n".encode())
        return 1
    os.write(1, f"{pid} {begun}\n".encode())
    with suppress(ChildProcessError):
        while True:
            os.wait()
    return 0


def end_all(_signal: int, _frame: FrameType | None) -> None:
    """End everything below, then itself."""
    with suppress(ChildProcessError):
        while True:
            for each in descendants(os.getpid(), all_seen()):
                with suppress(ProcessLookupError):
                    os.kill(each.pid, signal.SIGKILL)
            os.wait()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
