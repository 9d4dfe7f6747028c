"""One installation that was started, and one application that is carried through it."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

import httpx

from deploy.demo.forge import Hook, deliver
from deploy.demo.repository import Repository
from deploy.images.prove.engine import Compose, NotProved
from shared.clock import SystemClock

ONCE = frozenset({"password", "setup"})  # they end, and well
SERVERS = frozenset({"kafka", "postgres"})
REMOTE = "/srv/git/greeter.git"  # where the containers that read it have the repository
SPARED = "import os; os.kill(-1, 9)"  # kills every process of the container but its first, which then ends
SERVED_SECONDS_MAX = 120
HEALTHY_SECONDS_MAX = 180
ANSWER_SECONDS_MAX = 5


class Installation:
    """`compose.yaml`, started."""

    def __init__(
        self, compose: Compose, repository: Repository, webhooks: str, stages: Sequence[str]
    ) -> None:
        self.compose = compose
        self.repository = repository
        self.webhooks = webhooks
        self.stages = stages  # their stable URLs

    def start(self) -> None:
        """Start everything; all of it is healthy, and nothing runs as root."""
        self.compose("up", "--detach", "--wait")
        for service in self.compose.services():
            container, found = self.compose.container(service), self.compose.health(service)
            expected = "exited" if service in ONCE else "healthy"
            if found != expected or (service in ONCE and container["State"]["ExitCode"]):
                raise NotProved(f"{service} is {found}, and was to be {expected}")
            if container["Config"]["User"].partition(":")[0] in {"", "0", "root"}:
                raise NotProved(f"{service} runs as root")

    def register(self) -> Hook:
        """Register the application's repository by the owner's command line, inside."""
        answer = self.compose.windlass("repo", "add", REMOTE, "--name", "greeter")
        return Hook(f"{self.webhooks}/webhooks/github?repository=greeter", answer["secret"])

    async def deploy(self, hook: Hook, word: str) -> None:
        """Push a change, and see every stage serve it."""
        pushed = await self.repository.push(
            f"Say {word}", {"app/greeting.py": f'"""What is said."""\n\nGREETING = "Hello {word}"\n'}
        )
        for path in (self.repository.origin, *self.repository.origin.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)  # the containers' user is another
        async with httpx.AsyncClient() as http:
            await deliver(http, hook, self.repository, pushed)
        await self.served(word)

    async def served(self, word: str) -> None:
        """Wait until every stage says the word."""
        for url in self.stages:
            await _until(SERVED_SECONDS_MAX, partial(_says, url, word), f"{url} says {word}")

    async def kill(self, service: str) -> None:
        """Kill all that runs in a service's container; it comes back by itself."""
        before = self.compose.container(service)["State"]["StartedAt"]
        command = ["bash", "-c", "kill -9 -1"] if service in SERVERS else ["python", "-c", SPARED]
        with suppress(NotProved):  # what was asked to kill was killed with the rest
            self.compose("exec", "--no-TTY", service, *command)
        await _until(HEALTHY_SECONDS_MAX, partial(self._is_back, service, before), f"{service} comes back")

    async def _is_back(self, service: str, before: str) -> bool:
        started = self.compose.container(service)["State"]["StartedAt"]
        return started != before and self.compose.health(service) == "healthy"


async def _says(url: str, word: str) -> bool:
    try:
        async with httpx.AsyncClient() as http:
            answer = await http.get(url, timeout=ANSWER_SECONDS_MAX)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK and word in answer.text


async def _until(seconds: int, holds: Callable[[], Awaitable[bool]], what: str) -> None:
    clock = SystemClock()
    for _ in range(seconds):
        if await holds():
            return
        await clock.sleep(1)
    raise NotProved(f"not within {seconds} s: {what}")
