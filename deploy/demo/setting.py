"""Setting the scene: repositories registered with a running Windlass, and those who look on."""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from deploy.demo import telling
from deploy.demo.api import Api
from deploy.demo.board import Board
from deploy.demo.display import FRAME_SECONDS, Display
from deploy.demo.forge import Hook
from deploy.demo.ports import free_ports
from deploy.demo.repository import Repository
from deploy.demo.scene import STAGES, Application, Scene
from deploy.demo.story import Story, Told
from deploy.demo.watch import Address, Watch
from deploy.demo.windlass import Windlass

PORTS = {"greeter": (8501, 8502), "brochure": (8511, 8512)}  # what the samples' pipeline files say
MIGRATED = "greeter"  # it runs a program of its own, and keeps a ledger
PYTHON = Path(sys.executable).resolve()  # one that can do without our virtual environment


@asynccontextmanager
async def scene_of(installation: Windlass, display: Display, board: Board) -> AsyncIterator[Scene]:
    """Register the applications, and have somebody listen, watch and draw for as long as the block lasts."""
    applications = await _applications(installation, display)
    board.addresses = {(each.pipeline, each.stage): each for each in _addresses(applications)}

    def hear(told: Told) -> None:
        if sentence := telling.sentence(told.type, told.body):
            display.progress(telling.place(told.subject, told.body), sentence)

    headers = {"Authorization": f"Bearer {installation.token}"}
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        httpx.AsyncClient(base_url=f"{installation.url}/api/v1", headers=headers, trust_env=False) as own,
    ):
        scene = Scene(
            applications={each.name: each for each in applications},
            windlass=installation,
            http=http,
            api=Api(own),
            story=Story(own, hear),
            watch=Watch(http),
            display=display,
        )
        board.watch = scene.watch
        async with background(scene.story.follow(), _draw(scene, board)):
            yield scene


@asynccontextmanager
async def background(*parts: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _draw(scene: Scene, board: Board) -> None:
    """Keep the board true and on the screen."""
    while True:
        for pipeline in scene.applications:
            with suppress(httpx.HTTPError, KeyError):  # nothing was pushed yet, or it is just ending
                board.lines |= await scene.api.lines(pipeline)
        scene.display.frame()
        await asyncio.sleep(FRAME_SECONDS)


async def _applications(installation: Windlass, display: Display) -> Sequence[Application]:
    ports = free_ports()
    staged = [(name, {stage: next(ports) for stage in STAGES}) for name in PORTS]
    return await asyncio.gather(*(_application(installation, display, *each) for each in staged))


async def _application(
    installation: Windlass, display: Display, name: str, ports: Mapping[str, int]
) -> Application:
    """Make an application's repository for these ports and files, and register it."""
    folder = installation.folder
    repository = Repository(name, folder / "developer" / name, folder / "forge" / f"{name}.git")
    ledgers = {stage: folder / f"{name}-{stage}.ledger" for stage in STAGES if name == MIGRATED}
    usual = dict(zip(STAGES, PORTS[name], strict=True))
    adjusted = {f"port: {usual[stage]}": f"port: {port}" for stage, port in ports.items()}
    if name == MIGRATED:
        adjusted |= {f"/tmp/{name}-{stage}.ledger": str(ledger) for stage, ledger in ledgers.items()}
        adjusted["python: python3"] = f"python: {PYTHON}"
    await repository.create(adjusted)
    added = await installation.command("repo", "add", str(repository.origin))
    display.command(f"windlass repo add {repository.origin}", f"webhook {added['webhook_url']}, signed")
    addresses = {stage: Address(name, stage, f"http://127.0.0.1:{port}") for stage, port in ports.items()}
    return Application(repository, Hook(added["webhook_url"], added["secret"]), addresses, ledgers)


def _addresses(applications: Sequence[Application]) -> list[Address]:
    return [address for each in applications for address in each.addresses.values()]
