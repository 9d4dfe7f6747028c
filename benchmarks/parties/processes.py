"""Processes seen from outside, as Linux shows them: who descends from whom, CPU time, memory."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
BYTES_A_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Seen:
    """A process at one moment."""

    pid: int
    parent: int
    own_seconds: float  # CPU
    reaped_seconds: float  # CPU of the children that it waited for, and of theirs


@dataclass(frozen=True, slots=True)
class Memory:
    """What processes occupy, in MB."""

    proportional: float  # PSS: a page that several share counts once in all
    resident: float  # RSS: it counts in each


def parsed(stat: str) -> Seen:
    """Read a process's line; its name, in brackets, may hold anything."""
    before, _, after = stat.rpartition(")")
    fields = after.split()
    user, system, reaped_user, reaped_system = (int(each) / TICKS_A_SECOND for each in fields[11:15])
    pid = int(before.partition(" ")[0])
    return Seen(pid, int(fields[1]), user + system, reaped_user + reaped_system)


def all_seen() -> Iterator[Seen]:
    """Yield every process of this machine that can be looked at."""
    for entry in os.scandir(PROC):
        if entry.name.isdecimal():
            with suppress(OSError):  # it ended meanwhile
                yield parsed((PROC / entry.name / "stat").read_text("utf-8", "replace"))


def descendants(of: int, among: Iterable[Seen]) -> list[Seen]:
    """Return the children of a process, their children and so on."""
    by_parent: dict[int, list[Seen]] = {}
    for each in among:
        by_parent.setdefault(each.parent, []).append(each)
    found, look = [], [of]
    while look:
        children = by_parent.get(look.pop(), [])
        found += children
        look += [each.pid for each in children]
    return found


def cpu_seconds(of: int) -> float:
    """Return the CPU time of everything below a process, of what has ended too; not its own."""
    seen = list(all_seen())
    below = sum(each.own_seconds + each.reaped_seconds for each in descendants(of, seen))
    return below + sum(each.reaped_seconds for each in seen if each.pid == of)


def memory(of: int) -> Memory:
    """Return what everything below a process occupies now."""
    kept = [rollup(each.pid) for each in descendants(of, all_seen())]
    return Memory(sum(each["Pss"] for each in kept), sum(each["Rss"] for each in kept))


def rollup(pid: int) -> Mapping[str, float]:
    """Return a process's sums over its pages in MB; nothing where it ended meanwhile."""
    sums = {"Pss": 0.0, "Rss": 0.0}
    with suppress(OSError):
        for line in (PROC / str(pid) / "smaps_rollup").read_text("utf-8").splitlines():
            name, _, value = line.partition(":")
            if name in sums:
                sums[name] = int(value.split()[0]) * 1024 / BYTES_A_MEGABYTE
    return sums
