"""A Docker engine, if one answers: images that are there or can be had in time, and containers of them.

Containers are started through testcontainers, published on loopback only. They outlive the worker that
started them: the run ends them, not testcontainers' reaper.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from typing import Any

import docker
from docker.errors import DockerException, ImageNotFound, NotFound
from requests.exceptions import RequestException
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from tests.ports import free_port
from tests.servers.run import NoServer, hold, note_container

ANSWER_SECONDS_MAX = 10.0
PULL_SECONDS_MAX = 120.0
START_SECONDS_MAX = 90.0
LOOK_SECONDS = 0.1
COMPLAINT_BYTES = 4000

_log = logging.getLogger(__name__)


def obstacle(image: str) -> str:
    """Return why there can be no container of `image`; nothing if there can."""
    try:
        with closing(docker.from_env(timeout=ANSWER_SECONDS_MAX)) as client:
            client.ping()
            return _lack(client, image)
    except (DockerException, RequestException, OSError) as problem:
        return f"no Docker engine answers: {problem}"


def _lack(client: Any, image: str) -> str:
    """Return why the image cannot be had. An engine may have no way to any registry."""
    with suppress(ImageNotFound):
        client.images.get(image)
        return ""
    _log.info("pulling %s", image)
    repository, _, tag = image.rpartition(":")
    deadline = time.monotonic() + PULL_SECONDS_MAX
    try:
        for told in client.api.pull(repository, tag=tag, stream=True, decode=True):
            if problem := told.get("error"):
                return f"Docker cannot get {image}: {problem}"
            if time.monotonic() > deadline:
                return f"Docker has not got {image} after {PULL_SECONDS_MAX:.0f} s"
        client.images.get(image)
    except (DockerException, RequestException, OSError) as problem:
        return f"Docker cannot get {image}: {problem}"
    return ""


class Contained:
    """A container of a server, published on one port of loopback."""

    def __init__(self, image: str, inside: int, environment: Mapping[str, str], command: str = "") -> None:
        self.port = free_port()
        self._image = image
        self.environment = dict(environment)
        self._container = DockerContainer(image, env=self.environment, command=command or None)
        bindings: dict[str, Any] = self._container.ports
        bindings[f"{inside}/tcp"] = ("127.0.0.1", self.port)

    def start(self, answers: Callable[[], bool]) -> None:
        """Return when it answers."""
        testcontainers_config.ryuk_disabled = True
        self._container.start()
        hold(self._container)
        note_container(self._container.get_container_id())
        deadline = time.monotonic() + START_SECONDS_MAX
        while not answers():
            if time.monotonic() > deadline:
                said = b"".join(self._container.get_logs())[-COMPLAINT_BYTES:].decode("utf-8", "replace")
                raise NoServer(f"{self._image} does not answer after {START_SECONDS_MAX:.0f} s:\n{said}")
            time.sleep(LOOK_SECONDS)


def remove(containers: Sequence[str]) -> None:
    """Remove containers, those too that are gone already."""
    try:
        with closing(docker.from_env(timeout=ANSWER_SECONDS_MAX)) as client:
            for container in containers:
                with suppress(NotFound):
                    client.containers.get(container).remove(force=True, v=True)
    except (DockerException, RequestException, OSError) as problem:
        _log.warning("containers could not be removed: %s", problem)
