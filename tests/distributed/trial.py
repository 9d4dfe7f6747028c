"""One trial: a fleet, repositories that are pushed to, and a seed from which all chance comes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx

from deploy.demo.forge import Hook
from deploy.demo.setting import background
from tests.distributed.asking import Asking, FinishedRuns
from tests.distributed.barge import OWNER, Barge, new_barge
from tests.distributed.fleet import Fleet, Ground
from tests.distributed.forge import Forge
from tests.distributed.servers import Servers

ANSWER_SECONDS_MAX = 15.0
BEHIND_MAX = 5  # commits that wait: a slow machine gets as much as it can bear, and comes to rest


@dataclass(frozen=True)
class Load:
    """How much is going on."""

    barges: int
    pushes_per_second: float
    step_seconds: float = 0.15


@dataclass
class Trial:
    """Everything at hand."""

    fleet: Fleet
    barges: Sequence[Barge]
    load: Load
    servers: Servers
    chance: Random
    forge: Forge
    asking: Asking
    finished: FinishedRuns
    counts: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)  # what went wrong on the way

    @property
    def ground(self) -> Ground:
        return self.fleet.ground

    async def first_pushes(self) -> None:
        """Push to every repository once."""
        await asyncio.gather(*(self.forge.push(barge) for barge in self.barges))

    async def keep_pushing(self, until: asyncio.Event) -> None:
        """Push to one repository after the other, as chance has it; return when all are acknowledged."""
        async with asyncio.TaskGroup() as tasks:
            while not until.is_set():
                barge = self.chance.choice(self.barges)
                if barge.behind < BEHIND_MAX:
                    tasks.create_task(self.forge.push(barge))
                pause = self.chance.expovariate(self.load.pushes_per_second)
                await asyncio.sleep(min(pause, 2.0))

    @asynccontextmanager
    async def under_load(self) -> AsyncIterator[None]:
        """Push for as long as the block lasts."""
        over = asyncio.Event()
        pushing = asyncio.create_task(self.keep_pushing(over))
        try:
            yield
            over.set()
            await pushing
        finally:
            pushing.cancel()
            await asyncio.gather(pushing, return_exceptions=True)


@asynccontextmanager
async def trial(folder: Path, servers: Servers, load: Load, seed: int) -> AsyncIterator[Trial]:
    """Start a fleet and register the repositories; end everything that was started."""
    fleet = Fleet(folder / "fleet", servers.ground)
    barges = [new_barge(folder, number, load.step_seconds) for number in range(load.barges)]
    try:
        await fleet.launch()
        headers = {"Authorization": f"Bearer {fleet.token}"}
        async with (
            httpx.AsyncClient(trust_env=False) as http,
            httpx.AsyncClient(
                base_url=f"{fleet.url('status')}/api/v1",
                headers=headers,
                trust_env=False,
                timeout=ANSWER_SECONDS_MAX,
            ) as own,
        ):
            for barge in barges:
                barge.hook = await _registered(http, fleet, barge)
            asking = Asking(own)
            finished = FinishedRuns(asking)
            async with background(finished.follow()):
                yield Trial(fleet, barges, load, servers, Random(seed), Forge(http), asking, finished)
    finally:
        await fleet.clear()


async def _registered(http: httpx.AsyncClient, fleet: Fleet, barge: Barge) -> Hook:
    answer = await http.post(
        f"{fleet.url('ingest')}/api/v1/repositories",
        json={"remote": barge.repository.remote, "name": f"{OWNER}/{barge.name}"},
        headers={"Authorization": f"Bearer {fleet.token}"},
        timeout=ANSWER_SECONDS_MAX,
    )
    answer.raise_for_status()
    document = answer.json()
    return Hook(document["webhook_url"], document["secret"])
