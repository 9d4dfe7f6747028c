"""An embedded Windlass that is set to work and looked at."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.load.runs import Runs, in_file
from benchmarks.load.spent import Cpu, own_cpu
from benchmarks.parties.held import Held
from benchmarks.parties.party import answering
from benchmarks.parties.windlass import PROGRAM
from tests.ports import free_port

DATABASE_FILE = "windlass.db"


@dataclass(frozen=True, slots=True)
class Installation:
    """One that runs, and its operator's client."""

    data: Path
    held: Held
    operator: httpx.AsyncClient
    runs: Runs

    def cpu(self) -> Cpu:
        """Return what it has used so far, and what all has that came of it."""
        own = own_cpu(self.held.pid)
        return Cpu(own, self.held.cpu_seconds - own)


@asynccontextmanager
async def installed(folder: Path, program: Path = PROGRAM) -> AsyncIterator[Installation]:
    """Start it in a folder of its own below; end it and all that outlives it."""
    home, port = folder / "home", free_port()
    data = home / "data"
    words = (str(program), "up", "--data", str(data), "--port", str(port))
    held = Held(home, words, {"PATH": os.environ["PATH"], "HOME": str(home)})
    try:
        await held.start()
        await answering(held, port, "/readyz")
        token = json.loads((data / "client.json").read_text("utf-8"))["token"]
        headers, url = {"Authorization": f"Bearer {token}"}, f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as operator:
            yield Installation(data, held, operator, in_file(data / DATABASE_FILE))
    finally:
        await held.end()
