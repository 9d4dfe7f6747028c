"""The floor under every party: the same five lines for the shell with nothing between but an fsync.

What a system must at least do for a step: start a process, wait for it, have its end on disk.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.parties.work import COMMIT, STEPS, Work

NAME = "bare processes"
NOTE = "posix_spawn of each step's line, wait, one write with fsync; no system at all"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one pass through the steps took."""

    begun: float  # seconds since the epoch
    cpu_seconds: float  # of the steps' processes alone


def passed(work: Work, commit: str, record: Path) -> Cost:
    """Do the five steps one after another; what is on disk of each is a line in `record`."""
    begun, cpu = time.time(), 0.0
    with record.open("ab", buffering=0) as written:
        for step in STEPS:
            cpu += _one(work.script(step), commit)
            written.write(b"done\n")
            os.fsync(written.fileno())
    return Cost(begun, cpu)


def _one(script: str, commit: str) -> float:
    words = ["/bin/sh", "-c", script]
    environ = {"PATH": os.environ["PATH"], COMMIT: commit}
    to_nowhere = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    pid = os.posix_spawn(words[0], words, environ, file_actions=to_nowhere)
    _, status, used = os.wait4(pid, 0)
    assert status == 0, f"the shell ended with {status}"
    return used.ru_utime + used.ru_stime
