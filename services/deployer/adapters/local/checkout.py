"""The files of the commit that is deployed, in a folder of an attempt's own.

What a hostile repository may not do is seen to by `shared.git`: no hook and no program of its choosing is
run, no file or program transport is used, and no link of it leads out of its folder.
"""

import os
from pathlib import Path

from services.deployer.adapters.local.host import Host
from services.deployer.step_order import StepOrder
from shared.artifacts.blocking import beside_the_loop
from shared.artifacts.folder import arrival, settle
from shared.crash import point
from shared.faults import Refused


class SourceRefused(Refused):
    """The commit cannot be had."""


async def check_out(host: Host, order: StepOrder, destination: Path) -> None:
    """Put the files of the order's commit there; a folder that exists is complete already."""
    if _is_there(destination):
        return
    with arrival(destination.parent) as arriving:
        part = arriving / destination.name
        try:
            await host.mirrors.fetch_commit(order.remote, order.commit)
            await host.mirrors.checkout(order.remote, order.commit, part)
        except Refused as fault:
            raise SourceRefused(f"commit {order.commit} could not be checked out: {fault}") from fault
        point("deployer.checkout.arrived")
        await beside_the_loop(lambda _: settle(part, destination))


def inside(top: Path, path: str) -> Path:
    """Return a folder of a checkout, wherever links in it lead, as long as that is inside."""
    root = Path(os.path.realpath(top))
    found = Path(os.path.realpath(root / path.lstrip("/")))  # `Path.resolve` raises for links in a circle
    if not found.is_relative_to(root):
        raise SourceRefused(f"the folder {path!a} leads out of the repository")
    if not found.is_dir():
        raise SourceRefused(f"the repository has no folder {path!a} at this commit")
    return found


def _is_there(folder: Path) -> bool:
    return folder.is_dir()
