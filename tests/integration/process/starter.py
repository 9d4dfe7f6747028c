"""A worker that is killed: `starter.py FOLDER CRASH_AT SCRIPT`, in a process group of its own."""

import asyncio
import sys
from pathlib import Path

from shared import crash
from shared.process import LocalProcesses, ProcessSpec


async def work(folder: Path, script: str) -> None:
    """Start, follow and stop it, as a worker would."""
    processes = LocalProcesses()
    env = {"PATH": "/usr/bin:/bin"}
    await processes.start(folder, ProcessSpec(("sh", "-c", script), folder.parent, env))
    async for batch in processes.output(folder, 0):
        if any(line.text == "stop me" for line in batch):
            await processes.stop(folder)
    await processes.wait(folder)


if __name__ == "__main__":
    crash.arm(sys.argv[2], "")
    asyncio.run(work(Path(sys.argv[1]), sys.argv[3]))
