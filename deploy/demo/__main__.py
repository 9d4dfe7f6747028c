"""`python -m deploy.demo`: plays the demo; exit code 0 only if everything was observed."""

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from deploy.demo import closing, installation
from deploy.demo.board import Board
from deploy.demo.display import Display, LiveDisplay, PlainDisplay
from deploy.demo.elsewhere import Elsewhere
from deploy.demo.installation import Installation
from deploy.demo.performance import perform
from deploy.demo.report import Report
from deploy.demo.windlass import Windlass

INTERRUPTED = 130  # as shells have it
MISUSED = 2
LOG_COLUMNS = 160  # of the table where there is no terminal


def main(arguments: Sequence[str]) -> int:
    """Return the exit code."""
    options = _options(arguments)
    if options.stop:
        return _stop(options.stop)
    if options.data and options.data.exists() and any(options.data.iterdir()):
        print(f"{options.data} is not empty; the demo needs a folder of its own.", file=sys.stderr)
        return MISUSED
    try:
        return asyncio.run(_run(options))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("\nInterrupted; everything that was started has been ended.", file=sys.stderr)
        return INTERRUPTED


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description="Windlass, end to end.")
    parser.add_argument("--data", type=Path, metavar="DIR", help="put everything there, and keep it")
    parser.add_argument("--keep", action="store_true", help="leave everything running at the end")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.add_argument(
        "--stop", type=Path, metavar="DIR", help="end what --keep left running, and remove it"
    )
    parser.add_argument(
        "--url",
        help="play on the Windlass there, which runs on this machine and goes on running; WINDLASS_TOKEN "
        "has its token, WINDLASS_INGEST_URL where ingest answers, if elsewhere",
    )
    options = parser.parse_args(arguments)
    if options.url and options.keep:
        parser.error("--keep is for a Windlass of the demo's own")
    return options


def _stop(folder: Path) -> int:
    if not (folder / "data" / "lock").exists():
        print(f"{folder} is not the folder of a demo.", file=sys.stderr)
        return MISUSED
    ended = asyncio.run(installation.stop(folder))
    shutil.rmtree(folder)
    print(f"{ended} processes were ended, {folder} was removed.")
    return 0


async def _run(options: argparse.Namespace) -> int:
    _on_interrupt(asyncio.current_task())
    installed = _windlass(options)
    end, remove = True, False
    try:
        report = await _perform(installed, options)
        end, remove = not options.keep, report.met
    except asyncio.CancelledError:
        remove = True
        raise
    finally:
        _on_interrupt(None)
        if end:
            await installed.end()
        if end and remove and options.data is None:
            shutil.rmtree(installed.folder)
    return 0 if report.met else 1


def _on_interrupt(task: asyncio.Task[Any] | None) -> None:
    """Cancel the task on Ctrl-C and the like; None: what was begun is brought to its end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel if task else lambda: None)


def _windlass(options: argparse.Namespace) -> Windlass:
    folder = _folder(options.data)
    if not options.url:
        return Installation(folder)
    url, told = options.url.rstrip("/"), os.environ
    return Elsewhere(
        folder, url, told.get("WINDLASS_INGEST_URL", url).rstrip("/"), told.get("WINDLASS_TOKEN", "")
    )


async def _perform(installed: Windlass, options: argparse.Namespace) -> Report:
    console = Console(width=None if sys.stdout.isatty() else LOG_COLUMNS)
    board = Board()
    display = _display(console, board, as_json=options.json)
    try:
        report = await perform(installed, display, board)
    finally:
        display.close()
    addresses = list(board.addresses.values())
    if options.json:
        print(closing.as_json(report, addresses, installed))
        return report
    closing.show(console, report, installed)
    if options.keep and isinstance(installed, Installation):
        closing.show_kept(console, addresses, installed)
    return report


def _folder(wanted: Path | None) -> Path:
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="windlass-demo-")).resolve()
    wanted.mkdir(parents=True, exist_ok=True)
    return wanted.resolve()


def _display(console: Console, board: Board, *, as_json: bool) -> Display:
    if as_json:
        return PlainDisplay(sys.stderr)
    return LiveDisplay(console, board) if console.is_terminal else PlainDisplay()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
