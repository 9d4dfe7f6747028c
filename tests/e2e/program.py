"""A real `windlass up` for tests: started, killed, ended and cleaned up after, on free ports."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.demo.ending import end_everything
from tests.server_process import WINDLASS, NotReady, ServerProcess

__all__ = ["WINDLASS", "NotReady", "Program"]


@dataclass
class Program:
    """One installation on one data folder, through any number of lives."""

    folder: Path
    port: int
    environ: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        words = ("up", "--data", str(self.data), "--port", str(self.port))
        self._server = ServerProcess(words, self.folder, self.port, self.environ)
        self.start, self.launch = self._server.start, self._server.launch
        self.died, self.kill, self.end = self._server.died, self._server.kill, self._server.end

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def log(self) -> str:
        return self._server.log

    @property
    def pid(self) -> int:
        return self._server.pid

    @property
    def started(self) -> bool:
        return self._server.started

    @property
    def exit_code(self) -> int | None:
        """Return how it ended, None while it runs."""
        return self._server.exit_code

    async def clear(self) -> None:
        """End it and everything that outlives it by design."""
        await self.kill()
        await end_everything(self.data)

    def cli(self, *words: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run the command line against it."""
        return subprocess.run(
            [WINDLASS, *words, "--data", str(self.data)],
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
