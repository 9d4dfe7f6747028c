"""Bringing a release's process up on a port of its own, and telling whether it listens."""

import asyncio
from dataclasses import dataclass
from typing import Any

from services.deployer.adapters.local.host import Host
from services.deployer.adapters.local.listening import who_answers
from services.deployer.adapters.local.ports import noted, port_of
from services.deployer.adapters.local.release import Launch, Life, Release
from shared.crash import point
from shared.process import Exit, Lost, ProcessSpec

LOOK_SECONDS_MIN = 0.005  # between looks whether it listens; they grow with the time it takes
LOOK_SECONDS_MAX = 0.1
LOOK_GROWTH = 1.3


@dataclass(frozen=True, slots=True)
class Listens:
    """It takes connections."""

    port: int


@dataclass(frozen=True, slots=True)
class Ended:
    """It was over before it listened."""

    end: Exit | Lost


@dataclass(frozen=True, slots=True)
class Silent:
    """Its time passed and it did not listen."""

    port: int
    taken: bool  # another process does, on its port


@dataclass(frozen=True, slots=True)
class CalledOff:
    """Nobody wants it any more."""


Rise = Listens | Ended | Silent | CalledOff


async def begin(host: Host, release: Release, launch: Launch, life: Life) -> None:
    """Start a process of the release, on a port noted before; safe to repeat. Under the place's lock."""
    port = await port_of(host, life.port_file)
    release.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    point("deployer.service.port_noted")
    spec = ProcessSpec(
        argv=tuple(launch.command),
        cwd=release.files,
        env={**launch.env, "HOST": "127.0.0.1", "PORT": str(port)},
        grace_seconds=launch.grace_seconds,
        keep_alive=True,
    )
    await host.processes.start(life.process, spec)
    point("deployer.service.started")


async def rise(host: Host, life: Life, called_off: asyncio.Event, seconds: float) -> Rise:
    """Wait until a process that was begun listens, or will not."""
    port = noted(life.port_file) or 0
    ended = asyncio.ensure_future(host.processes.wait(life.process))
    heard = asyncio.ensure_future(_until_listening(host, life, port))
    called = asyncio.ensure_future(called_off.wait())
    late = asyncio.ensure_future(host.clock.sleep(seconds))
    try:
        await asyncio.wait({ended, heard, called, late}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            return Ended(ended.result())
        if called.done():
            return CalledOff()
        if heard.done():
            return Listens(port)
        return await _last_look(life, port)
    finally:
        await _end(ended, heard, called, late)


async def listens(life: Life) -> bool:
    """Tell whether it does at this moment."""
    return await who_answers(life.process, noted(life.port_file) or 0) == "the process"


async def _last_look(life: Life, port: int) -> Rise:
    """Judge one whose time has passed; perhaps we were frozen meanwhile, and it listens by now."""
    answers = await who_answers(life.process, port)
    if answers == "the process":
        return Listens(port)
    return Silent(port, taken=answers == "another process")


async def _until_listening(host: Host, life: Life, port: int) -> None:
    pause = LOOK_SECONDS_MIN
    while await who_answers(life.process, port) != "the process":
        await host.clock.sleep(pause)
        pause = min(pause * LOOK_GROWTH, LOOK_SECONDS_MAX)


async def _end(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
