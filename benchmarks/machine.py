"""What it ran on, and how fast that was before and after: noise is seen, and what physics leaves.

Never what would name the machine, its place or its user.
"""

import asyncio
import os
import platform
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.figures import quantile

ROOT = Path(__file__).resolve().parents[1]
BLOCK = b"\0" * 4096
NOTHING = ("/bin/true",)
BARE = (sys.executable, "-I", "-S", "-c", "pass")  # no site, no packages: what every Python costs
# What publishing writes; everything else in the tree may have moved a figure.
NOT_THE_RESULTS = ("--", ".", ":(exclude)docs/benchmarks", ":(exclude)docs/benchmarks.md")


@dataclass(frozen=True, slots=True)
class Machine:
    """What does not change while it is measured."""

    processor: str
    processors: int  # that may be used
    memory_mb: int
    system: str
    kernel: str
    python: str
    sqlite: str
    windlass: str  # its version
    commit: str  # empty where there is no repository
    changed: bool  # the tree was not what the commit says


@dataclass(frozen=True, slots=True)
class Tries:
    """How often each is tried: one or two seconds in all."""

    syncs: int = 200
    spawns: int = 50
    starts: int = 9


@dataclass(frozen=True, slots=True)
class Conditions:
    """How fast the machine was at a moment, in milliseconds."""

    load: float  # mean number of processes that ran or waited, over the last minute
    sync_p50: float  # 4 KB written and on the disk (fdatasync)
    sync_p95: float
    spawn_p50: float  # /bin/true started and ended
    python_p50: float  # an interpreter that does nothing, started and ended


async def machine() -> Machine:
    """Return what it runs on."""
    return Machine(
        processor=_after("model name", _text("/proc/cpuinfo")) or platform.machine(),
        processors=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_mb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6),
        system=_after("PRETTY_NAME", _text("/etc/os-release"), "=").strip('"') or platform.system(),
        kernel=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        sqlite=sqlite3.sqlite_version,
        windlass=version("windlass"),
        commit=await _git("rev-parse", "HEAD"),
        changed=bool(await _git("status", "--porcelain", *NOT_THE_RESULTS)),
    )


async def conditions(folder: Path, tries: Tries = Tries()) -> Conditions:
    """Return how fast it is now; `folder` lies on the disk that is measured."""
    load = os.getloadavg()[0]
    syncs = _syncs(folder / "sync-probe", tries.syncs)
    spawns = [await _run(NOTHING) for _ in range(tries.spawns)]
    starts = [await _run(BARE) for _ in range(tries.starts)]
    return Conditions(
        load=load,
        sync_p50=quantile(syncs, 0.5),
        sync_p95=quantile(syncs, 0.95),
        spawn_p50=statistics.median(spawns),
        python_p50=statistics.median(starts),
    )


def _syncs(file: Path, times: int) -> Sequence[float]:
    """Return how long each of some writes took, one behind the other in a file, as a journal grows."""
    descriptor = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    try:
        return [_milliseconds(lambda: _write(descriptor)) for _ in range(times)]
    finally:
        os.close(descriptor)
        file.unlink()


def _write(descriptor: int) -> None:
    os.write(descriptor, BLOCK)
    getattr(os, "fdatasync", os.fsync)(descriptor)


def _milliseconds(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


async def _run(command: Sequence[str]) -> float:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(*command)
    await process.wait()
    return (time.perf_counter() - began) * 1000


async def _git(*words: str) -> str:
    """Return what git says, nothing where it has no answer; it writes nothing, not even its index."""
    try:
        process = await asyncio.create_subprocess_exec(
            "git", "--no-optional-locks", *words, cwd=ROOT,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError:
        return ""
    said, _ = await process.communicate()
    return said.decode().strip()


def _text(path: str) -> str:
    file = Path(path)
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _after(name: str, text: str, mark: str = ":") -> str:
    """Return what stands behind a name in the first line that has it."""
    for line in text.splitlines():
        key, found, rest = line.partition(mark)
        if found and key.strip() == name:
            return rest.strip()
    return ""
