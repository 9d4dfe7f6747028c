"""One `windlass up` that many repositories share: a healthy one, and those that a test makes bad.

Everything is seen from outside: through the HTTP API, the addresses of what was deployed, the log.
"""

import asyncio
import hmac
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx

from deploy.demo.forge import Hook
from tests.contract.git.repository import WorkingCopy, new_repository
from tests.e2e.program import Program
from tests.ports import free_port

NOTHING = "0" * 40
LOOK_SECONDS = 0.03
ANSWER_SECONDS_MAX = 60.0  # for any state to come about: it only ends a test that hangs
MEBIBYTE = 1024 * 1024

SITE = """\
version: "1"
pipeline:
  stages: [{name: live}]
  artifacts:
    Site:
      type: BUNDLE:BUILD
      rebuild_when_changed: [/site]
      params: {file_path: /site}
  steps:
    - name: show
      type: LOCAL:STATIC:DEPLOY
      params: {artifact: Site, port: %d, verify: {interval_seconds: 0.05}}
"""

Document = dict[str, Any]
T = TypeVar("T")


def signature(secret: str, body: bytes) -> str:
    """Return the header that a forge signs a body with."""
    return f"sha256={hmac.new(secret.encode(), body, sha256).hexdigest()}"


def push_body(commit: str, branch: str = "main", **changed: object) -> bytes:
    """Return GitHub's push event as far as it says something."""
    told: Document = {
        "ref": f"refs/heads/{branch}",
        "before": NOTHING,
        "after": commit,
        "deleted": False,
        "repository": {"full_name": "acme/shop"},
        "pusher": {"name": "ada"},
    }
    return json.dumps(told | changed).encode()


@dataclass
class Tenant:
    """A registered repository."""

    quay: "Quay"
    name: str
    copy: WorkingCopy
    hook: Hook

    async def deliver(
        self, body: bytes, event: str = "push", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Post a signed delivery; `headers` replace or add."""
        signed = {
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": str(uuid4()),
            "X-Hub-Signature-256": signature(self.hook.secret, body),
            "Content-Type": "application/json",
        }
        told = signed | dict(headers or {})
        raw = [(name.encode(), value.encode("latin-1")) for name, value in told.items()]
        return await self.quay.stranger.post(self.hook.url, content=body, headers=raw)

    async def push(self, commit: str, branch: str = "main") -> Document:
        """Have a commit heard of; return what became of the push once that is known."""
        answer = await self.deliver(push_body(commit, branch))
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        assert "push" in answer.json(), answer.text
        return await self.quay.answer_to(answer.json()["push"])

    async def push_files(self, files: Mapping[str, str], branch: str = "main") -> Document:
        """Commit exactly these files and have that heard of."""
        content = {path: text.encode() for path, text in files.items()}
        return await self.push(self.copy.commit(content, branch=branch), branch)


@dataclass
class Neighbour:
    """A healthy repository whose site is to go out whatever else happens."""

    tenant: Tenant
    port: int
    deployed: int = 0

    async def deploys(self, seconds_max: float = ANSWER_SECONDS_MAX) -> None:
        """Push a change and see it on the site's stable address."""
        await self.pushes()
        await self.shows(seconds_max)

    async def pushes(self) -> None:
        """Push a change; it is acknowledged."""
        self.deployed += 1
        files = {".windlass/site/pipeline.yaml": SITE % self.port, "site/index.html": self._edition}
        commit = self.tenant.copy.commit({path: text.encode() for path, text in files.items()})
        answer = await self.tenant.deliver(push_body(commit))
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text

    async def shows(self, seconds_max: float = ANSWER_SECONDS_MAX) -> None:
        """See the change that was pushed last on the site's stable address."""
        url = f"http://{self.tenant.quay.stable_host}:{self.port}/"

        async def shown() -> str:
            try:
                return (await self.tenant.quay.stranger.get(url)).text
            except httpx.TransportError as error:
                return str(error)

        await self.tenant.quay.until(shown, lambda text: text == self._edition, seconds_max)

    @property
    def _edition(self) -> str:
        return f"edition {self.deployed}"


@dataclass
class Quay:
    """A running installation, its operator's client and a stranger's."""

    program: Program
    ashore: Path | None = None  # where repositories are made, if not beside the data
    stable_host: str = "127.0.0.1"  # where what is deployed is found
    operator: httpx.AsyncClient = field(init=False)
    stranger: httpx.AsyncClient = field(init=False)
    neighbour: Neighbour = field(init=False)

    @asynccontextmanager
    async def at_hand(self) -> AsyncIterator["Quay"]:
        """Have clients that live as long as the running event loop needs them."""
        token = json.loads((self.program.data / "client.json").read_text("utf-8"))["token"]
        authorized = {"Authorization": f"Bearer {token}"}
        timeout = httpx.Timeout(ANSWER_SECONDS_MAX)
        async with (
            httpx.AsyncClient(
                base_url=self.program.url, headers=authorized, timeout=timeout, trust_env=False
            ) as self.operator,
            httpx.AsyncClient(timeout=timeout, trust_env=False) as self.stranger,
        ):
            yield self

    async def moor(self) -> None:
        """Start, and see the healthy repository deploy."""
        await self.program.start()
        async with self.at_hand():
            self.neighbour = Neighbour(await self.tenant("neighbour"), free_port())
            await self.neighbour.deploys()

    async def tenant(self, name: str) -> Tenant:
        """Make a repository and register it."""
        folder = (self.ashore or self.program.folder) / "repositories" / name
        return await self.register(name, new_repository(folder))

    async def register(self, name: str, copy: WorkingCopy) -> Tenant:
        """Register a repository that is there."""
        answer = await self.operator.post("/api/v1/repositories", json={"remote": copy.remote, "name": name})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        told = answer.json()
        return Tenant(self, name, copy, Hook(told["webhook_url"], told["secret"]))

    async def get(self, path: str, **query: str | int) -> Document:
        """Ask the API for something that is there."""
        answer = await self.operator.get(f"/api/v1/{path}", params=query)
        assert answer.status_code == httpx.codes.OK, f"{path}: {answer.text}"
        document: Document = answer.json()
        return document

    async def until(
        self, look: Callable[[], Awaitable[T]], holds: Callable[[T], object], seconds_max: float
    ) -> T:
        """Look until it is as wanted; fail with what was seen last and the end of the log."""
        seen = await look()
        try:
            async with asyncio.timeout(seconds_max):
                while not holds(seen):
                    await asyncio.sleep(LOOK_SECONDS)
                    seen = await look()
        except TimeoutError:
            raise AssertionError(
                f"in {seconds_max} s no more than {seen}; {self.program.log[-3000:]}"
            ) from None
        return seen

    async def answer_to(self, push: str, seconds_max: float = ANSWER_SECONDS_MAX) -> Document:
        """Return a push with its decisions, or with why it was refused."""

        async def look() -> Document:
            answer = await self.operator.get(f"/api/v1/pushes/{push}")
            return dict(answer.json())

        return await self.until(look, lambda p: p.get("refused_code") or p.get("decisions"), seconds_max)

    async def outcome(
        self, pipeline: str, revision: int, seconds_max: float = ANSWER_SECONDS_MAX
    ) -> Document:
        """Return the revision's last run, diagnosed, once nothing more happens with the revision."""

        async def look() -> Document:
            answer = await self.operator.get(f"/api/v1/pipelines/{pipeline}/revisions/{revision}")
            return dict(answer.json())

        shown = await self.until(look, lambda r: r.get("runs") and r.get("over"), seconds_max)
        last = max(shown["runs"], key=lambda run: run["queued_at"])
        failed = last["state"] in {"Failed", "Timed Out"}
        return await self.until(
            lambda: self.get(f"runs/{last['run']}"), lambda run: run["failure"] or not failed, seconds_max
        )

    async def output_of(self, pipeline: str, revision: int) -> list[str]:
        """Return the whole output of a revision that is over, page by page."""
        path = f"pipelines/{pipeline}/revisions/{revision}/logs"
        lines: list[str] = []
        page: Document = {"next": 0, "over": False}
        while not page["over"]:
            page = await self.until(
                partial(self.get, path, cursor=page["next"]),
                lambda page: page["chunks"] or page["over"],
                ANSWER_SECONDS_MAX,
            )
            lines += [line["text"] for chunk in page["chunks"] for line in chunk["lines"]]
        return lines


@contextmanager
def moored_at(quay: Quay) -> Iterator[Quay]:
    """Have it run; whatever it started is ended with it."""
    try:
        asyncio.run(quay.moor())
        yield quay
    finally:
        asyncio.run(quay.program.clear())


def problem_of(answer: httpx.Response) -> Document:
    """Return a problem document; it has a way out in it and nothing of our inside."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem: Document = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["detail"]
    assert problem["next"]
    assert "Traceback" not in answer.text
    return problem


def memory(pid: int, line: str = "VmRSS") -> int:
    """Return how many bytes of memory a process has, or with VmHWM has had at most."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    found = re.search(rf"^{line}:\s+(\d+) kB$", status, re.MULTILINE)
    assert found, f"no {line} of {pid}"
    return int(found[1]) * 1024


def forget_peak(pid: int) -> None:
    """Have the kernel count a process's peak of memory from now on."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", "ascii")
