"""`python -m tests.servers.keeper FOLDER`: waits until the program that made a run's folder is gone.

That program holds a lock as long as it lives. If it was killed, what it left running is ended here.
"""

import fcntl
import signal
import sys
from pathlib import Path

from tests.servers.run import clear


def keep(folder: Path) -> None:
    """Return when everything of a run has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        held = (folder / "held").open("a")
    except FileNotFoundError:  # it is over already
        return
    with held:
        fcntl.flock(held, fcntl.LOCK_EX)
        clear(folder)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
