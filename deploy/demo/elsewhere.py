"""A Windlass that was there before the demo, and stays: on this machine, so that it reaches our files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from deploy.demo.windlass import NotWorking, command

ANSWER_SECONDS_MAX = 10.0


@dataclass(slots=True)
class Elsewhere:
    """One whose processes are not ours."""

    folder: Path
    url: str  # where status answers
    ingest_url: str  # where ingest does
    token: str = field(repr=False)

    @property
    def came_by(self) -> str:
        """Return what was typed to have it."""
        return "(somebody else's Windlass)"

    async def start(self) -> None:
        """See that it is there."""
        async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_SECONDS_MAX) as http:
            for url in dict.fromkeys((self.url, self.ingest_url)):
                try:
                    answer = await http.get(f"{url}/readyz")
                except httpx.HTTPError as failure:
                    raise NotWorking(f"nothing answers at {url}: {failure!r}") from failure
                if answer.status_code != httpx.codes.OK:
                    raise NotWorking(f"what answers at {url} is not ready: {answer.text}")

    async def command(self, *words: str) -> Any:
        """Run a `windlass` command and return the JSON it prints."""
        where = {
            "WINDLASS_URL": self.url,
            "WINDLASS_INGEST_URL": self.ingest_url,
            "WINDLASS_TOKEN": self.token,
        }
        return await command(self.folder, where, *words)

    async def end(self) -> None:
        """End nothing: nothing was started."""

    def obituary(self) -> str:
        """Say nothing: whoever runs it knows."""
        return ""

    def last_words(self) -> Sequence[str]:
        """Say where its log is not."""
        return ["(its log is where it was started)"]
