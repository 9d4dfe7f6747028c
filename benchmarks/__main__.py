"""`python -m benchmarks`: measures suites and tells what they gave; `make bench` calls it.

Exit code 0: each was measured; 1: one was not, or what is checked is out of date; 2: misused;
130: interrupted.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TextIO

from benchmarks.contents import SUITES
from benchmarks.machine import ROOT, Conditions, Machine, conditions, machine
from benchmarks.publishing import Draw, Shelf, drift, publish, write_page
from benchmarks.record import Unreadable, read_all, written
from benchmarks.running import Build, Entry, Outcome, Run, run
from benchmarks.suite import Effort
from benchmarks.telling import told

MISUSED, INTERRUPTED = 2, 130
ROUNDS, BRIEF_ROUNDS, ROUNDS_MAX = 5, 2, 1_000
DESCRIPTION = """\
Measures a real Windlass, beside a peer where one can do the same work.

Each suite runs in a fresh folder under build/bench; what it gives is printed as a table and kept in
build/bench/results. Without names, all suites run, one after the other: that takes an hour
or so.
"""
EXAMPLES = """\
examples:
  python -m benchmarks --list           which suites there are
  python -m benchmarks push --brief     does it work? figures worth little, kept apart in build/bench/brief
  python -m benchmarks push queries     measure two
  python -m benchmarks push --rounds 20 a ratio with a narrower spread
  python -m benchmarks --publish        put what was measured last into docs/benchmarks, with pictures

How to read a ratio, and how to add a suite: docs/howto/benchmarks.md.
"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the command works on; tests have their own."""

    suites: Mapping[str, Entry] = field(default_factory=lambda: SUITES)
    build: Build = field(default_factory=lambda: Build(ROOT / "build" / "bench"))
    shelf: Shelf = field(default_factory=lambda: Shelf(ROOT / "docs"))
    machine: Callable[[], Awaitable[Machine]] = machine
    conditions: Callable[[Path], Awaitable[Conditions]] = conditions
    draw: Draw | None = None  # else plots.py, if its library is installed
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)


def main(arguments: Sequence[str], around: Surroundings) -> int:
    """Return the exit code."""
    options = _options(arguments)
    unknown = [name for name in options.suites if name not in around.suites]
    if unknown:
        return _refuse(around, f"there is no suite {', '.join(unknown)}; --list shows them")
    if not 1 <= options.rounds <= ROUNDS_MAX:
        return _refuse(around, f"--rounds takes 1 to {ROUNDS_MAX}, not {options.rounds}")
    chores: Mapping[str, Callable[[argparse.Namespace, Surroundings], int]] = {
        "list": _list, "publish": _publish, "page": _page, "check": _check,
    }  # fmt: skip
    return chores.get(options.chore, _measure)(options, around)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="measure only these, in this order")
    parser.add_argument("--brief", action="store_true", help="a look whether it works: small, quick")
    parser.add_argument(
        "--rounds",
        type=int,
        metavar="N",
        help=f"rounds of each suite ({ROUNDS}; of a brief look {BRIEF_ROUNDS})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, a line a suite, for programs")
    chores = parser.add_mutually_exclusive_group()
    for name, words in {
        "list": "show the suites, and measure nothing",
        "publish": "measure nothing: put what was measured last, of the named suites or of all, into "
        "docs/benchmarks, draw the pictures, write docs/benchmarks.md; brief looks are refused",
        "page": "measure nothing: write docs/benchmarks.md from the published results",
        "check": "measure nothing: refuse a page or pictures that the published results do not give",
    }.items():
        chores.add_argument(f"--{name}", dest="chore", action="store_const", const=name, help=words)
    options = parser.parse_args(arguments)
    if options.rounds is None:
        options.rounds = BRIEF_ROUNDS if options.brief else ROUNDS
    return options


def _refuse(around: Surroundings, words: str) -> int:
    around.err.write(f"benchmarks: {words}\n")
    return MISUSED


def _list(_: argparse.Namespace, around: Surroundings) -> int:
    width = max(map(len, around.suites))
    around.out.writelines(
        f"{name:<{width}}  {getattr(entry, 'about', '')}\n" for name, entry in around.suites.items()
    )
    return 0


def _measure(options: argparse.Namespace, around: Surroundings) -> int:
    effort = Effort(options.rounds, options.brief)
    chosen = {name: around.suites[name] for name in options.suites or around.suites}
    show = _as_json if options.json else _as_table
    try:
        return asyncio.run(_measure_each(chosen, effort, around, show))
    except (KeyboardInterrupt, asyncio.CancelledError):
        around.err.write("\nbenchmarks: interrupted; what was started has been ended.\n")
        return INTERRUPTED


async def _measure_each(
    chosen: Mapping[str, Entry], effort: Effort, around: Surroundings, show: Callable[[Outcome], str]
) -> int:
    """Measure, showing each result as soon as there is one."""
    _end_on_termination()
    tell = _Progress(around.err, tuple(chosen))
    how = Run(around.build, effort, tell, around.machine, around.conditions)
    amiss = []
    async for outcome in run(chosen, how):
        around.out.write(show(outcome))
        around.out.flush()
        tell.next()
        if not outcome.is_good:
            amiss.append(outcome)
    for outcome in amiss:
        around.err.write(f"benchmarks: {outcome.suite}: {_why(outcome)}\n")
    return 1 if amiss else 0


def _end_on_termination() -> None:
    """Let the suites end what they started when this is told to end, as they do on Ctrl-C."""
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


class _Progress:
    """Says on stderr what goes on, and since when."""

    def __init__(self, err: TextIO, names: Sequence[str]) -> None:
        self._err, self._names = err, names
        self._place = 0
        self._began = time.monotonic()

    def __call__(self, words: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        head = (
            f"{self._names[self._place]} ({self._place + 1} of {len(self._names)}) {minutes:02}:{seconds:02}"
        )
        self._err.write(f"{head} {words}\n")
        self._err.flush()

    def next(self) -> None:
        """Go on to the next suite."""
        self._place = min(self._place + 1, len(self._names) - 1)
        self._began = time.monotonic()


def _as_table(outcome: Outcome) -> str:
    table = told(outcome.result) if outcome.result else f"{outcome.suite}: {outcome.problem}\n"
    return f"{table}\n"


def _as_json(outcome: Outcome) -> str:
    return written(outcome.result).replace("\n", "") + "\n" if outcome.result else ""


def _why(outcome: Outcome) -> str:
    return outcome.problem or (outcome.result.unavailable if outcome.result else "")


def _publish(options: argparse.Namespace, around: Surroundings) -> int:
    draw = around.draw or _drawing()
    if draw is None:
        return _refuse(around, "the library that draws is missing: use `make bench ARGS=--publish`")
    try:
        found = read_all(around.build.results(Effort(brief=options.brief)))
        named = [result for result in found if result.suite in (options.suites or around.suites)]
        missing = set(options.suites) - {result.suite for result in named}
        refused = [
            *(f"{name} is not published: it was not measured yet" for name in sorted(missing)),
            *publish(named, around.shelf, draw),
        ]
    except Unreadable as problem:
        refused = [f"{problem}"]
    around.err.writelines(f"benchmarks: {words}\n" for words in refused)
    return 1 if refused else 0


def _drawing() -> Draw | None:
    try:
        draw: Draw = import_module("benchmarks.plots").drawn
    except ModuleNotFoundError as missing:
        if missing.name != "matplotlib":
            raise
        return None
    return draw


def _page(_: argparse.Namespace, around: Surroundings) -> int:
    write_page(around.shelf)
    return 0


def _check(_: argparse.Namespace, around: Surroundings) -> int:
    outdated = list(drift(around.shelf))
    around.err.writelines(f"{words}\n" for words in outdated)
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Surroundings()))
