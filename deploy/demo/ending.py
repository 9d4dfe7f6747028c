"""Ending what Windlass started on a data folder and what outlives it by design: releases, the gateway.

Done with the product's own means, so that nothing is ended that merely looks alike.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from services.deployer.adapters.gateway.client import GatewayClient
from services.deployer.adapters.gateway.control import PROCESS_FILE
from shared.clock import SystemClock
from shared.process import LocalProcesses, Running

SHIM_FILES = ("claimed", "lock", "pid")  # what makes a folder that of a process, see shared/process/shim
GATEWAY_FILES = (PROCESS_FILE, "routes", "lock")


async def end_everything(data: Path) -> int:
    """End every process that a Windlass which has ended itself left on its folder; return how many."""
    processes = LocalProcesses()
    running = [each for each in _folders(data, SHIM_FILES) if isinstance(processes.observe(each), Running)]
    await asyncio.gather(*(processes.stop(each) for each in running))
    gateways = list(_folders(data, GATEWAY_FILES))
    await asyncio.gather(*(GatewayClient(each, SystemClock()).shut_down() for each in gateways))
    return len(running) + len(gateways)


def _folders(data: Path, files: tuple[str, ...]) -> Iterator[Path]:
    """Yield the folders that hold all of `files`."""
    for found in sorted(data.rglob(files[0])):
        if all((found.parent / name).exists() for name in files):
            yield found.parent
