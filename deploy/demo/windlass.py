"""A Windlass as the demo sees it, whoever runs it, and its command line."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[2]
COMMAND_SECONDS_MAX = 60.0


class NotWorking(Exception):  # noqa: N818 - named for what is the case
    """Windlass did not start, or a command failed."""


class Windlass(Protocol):
    """One Windlass: the demo's own, or one that was there before."""

    folder: Path  # everything of the demo lies in it
    url: str
    token: str

    @property
    def came_by(self) -> str:
        """Return what was typed to have it."""
        ...

    async def start(self) -> None:
        """Return when it is ready."""
        ...

    async def command(self, *words: str) -> Any:
        """Run a `windlass` command and return the JSON it prints."""
        ...

    async def end(self) -> None:
        """End what was started."""
        ...

    def obituary(self) -> str:
        """Say that it has ended before it was told to; empty if it has not."""
        ...

    def last_words(self) -> Sequence[str]:
        """Return the end of its log."""
        ...


async def command(folder: Path, environ: Mapping[str, str], *words: str) -> Any:
    """Run a `windlass` command in a folder and return the JSON it prints."""
    process = await asyncio.create_subprocess_exec(
        *program(),
        *words,
        "--json",
        cwd=folder,
        env={**environment(), **environ},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(COMMAND_SECONDS_MAX):
        output, errors = await process.communicate()
    if process.returncode:
        said = errors.decode("utf-8", "replace").strip()
        raise NotWorking(f"`windlass {' '.join(words)}` ended with {process.returncode}: {said}")
    return json.loads(output)


def program() -> list[str]:
    """Return the command that `make setup` installed, or the module behind it."""
    installed = Path(sys.executable).with_name("windlass")
    return [str(installed)] if installed.exists() else [sys.executable, "-m", "services.cli"]


def environment() -> dict[str, str]:
    """Return the environment without what would configure Windlass, or colour its output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WINDLASS_")}
    return {**kept, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
