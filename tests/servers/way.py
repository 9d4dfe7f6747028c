"""How a server is had: the first of three ways that is open, or a failure that names what is missing."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.servers.run import Facts, NoServer

SOCKET = Path("/var/run/docker.sock")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """A server, and how to name what its absence calls for."""

    name: str
    variable: str  # of the environment
    example: str  # of an address
    programs: str  # of a native one
    packages: str  # Debian's, that bring them


def choose(wanted: Wanted, given: str, docker: Callable[[], str], native: Callable[[], str]) -> Facts:
    """Return the way: an address that is given, else Docker, else native.

    `docker` and `native` say what stands in their way, or nothing; the latter fetches what it needs. They
    are asked only when it is their turn.
    """
    if given:
        return {"way": "environment", "address": given}
    if not (no_docker := docker()):
        return {"way": "docker"}
    if not (no_native := native()):
        _log.info("%s runs natively: %s", wanted.name, no_docker)
        return {"way": "native"}
    raise NoServer(
        f"Tests need {wanted.name}, and none can be had. One of these is enough:\n"
        f"- an address in {wanted.variable}, as {wanted.example} (not: it is empty)\n"
        f"- Docker (not: {no_docker})\n"
        f"- {wanted.programs} (not: {no_native})\n"
        f"On Debian or Ubuntu: apt install {wanted.packages}"
    )


def docker_obstacle(image: str) -> str:
    """Return why there can be no container of `image`; nothing if there can."""
    if not os.environ.get("DOCKER_HOST") and not SOCKET.exists():
        return "no Docker engine is installed, or none runs"
    from tests.servers import engine  # noqa: PLC0415 - a second to import, and seldom needed

    return engine.obstacle(image)
