"""The whole evening: the acts are played one after the other, and what they showed is put on record."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx

from deploy.demo.acts import broken, burst, first_push, fix, reuse
from deploy.demo.board import Board
from deploy.demo.display import Display
from deploy.demo.forge import NotTaken
from deploy.demo.report import Act, Report, Unmet
from deploy.demo.repository import GitFailed
from deploy.demo.scene import Scene
from deploy.demo.setting import background, scene_of
from deploy.demo.windlass import NotWorking, Windlass

TROUBLES = (Unmet, NotWorking, NotTaken, GitFailed, httpx.HTTPError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Script:
    """One act as it is written."""

    number: int
    title: str
    about: str
    play: Callable[[Scene], Awaitable[None]]


SCRIPTS = [
    Script(number, module.TITLE, module.ABOUT, module.play)
    for number, module in enumerate((first_push, reuse, burst, broken, fix), 1)
]


async def perform(installation: Windlass, display: Display, board: Board) -> Report:
    """Play all acts, or as many as there is a point in playing."""
    report, began = Report(len(SCRIPTS)), time.monotonic()
    try:
        display.title("Windlass, from a push to production", f"Everything lies in {installation.folder}")
        await installation.start()
        display.command(installation.came_by, f"ready at {installation.url}")
        async with scene_of(installation, display, board) as scene:
            await _play(scene, SCRIPTS[:1], report)
            addresses = [each for app in scene.applications.values() for each in app.addresses.values()]
            async with background(*(scene.watch.keep_asking(each) for each in addresses)):
                await _play(scene, SCRIPTS[1:], report)
    except TROUBLES as trouble:
        said = str(trouble) or trouble.__class__.__name__
        report.trouble = "; ".join(each for each in (said, installation.obituary()) if each)
    report.seconds = time.monotonic() - began
    return report


async def _play(scene: Scene, scripts: Sequence[Script], report: Report) -> None:
    for script in scripts:
        scene.act = Act(script.number, script.title)
        report.acts.append(scene.act)
        scene.display.act(scene.act, script.about)
        began = time.monotonic()
        try:
            await script.play(scene)
        finally:
            scene.act.seconds = time.monotonic() - began
