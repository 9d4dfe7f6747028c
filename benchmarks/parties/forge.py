"""The forge's part: a push as GitHub tells it, of its usual size, signed, over HTTP/1.1.

The same bytes and the same client for every party.
"""

import asyncio
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid5

ROOT = UUID(int=7)
BODY_BYTES = 4300  # what GitHub sends for one commit to a repository with a description
ANSWER_SECONDS_MAX = 30.0  # the longest that any forge waits
PERSON = {"name": "Ada", "email": "ada@example.test", "username": "ada"}
NAME = "acme/shop"
PAGE = f"https://github.example/{NAME}"
API = f"https://github.example/api/v3/repos/{NAME}"
PARTS = (
    "forks", "keys", "collaborators", "teams", "hooks", "issue_events", "events", "assignees", "branches",
    "tags", "blobs", "git_tags", "git_refs", "trees", "statuses", "languages", "stargazers", "contributors",
    "subscribers", "subscription", "commits", "git_commits", "comments", "issue_comment", "contents",
    "compare", "merges", "archive", "downloads", "issues", "pulls", "milestones", "notifications", "labels",
    "releases", "deployments",
)  # fmt: skip


class NotTaken(Exception):  # noqa: N818 - named for what is the case
    """A push was not answered with a 2xx."""


@dataclass(frozen=True, slots=True)
class Push:
    """One delivery, ready to be sent."""

    commit: str
    wire: bytes  # request line, headers and body


@dataclass(frozen=True, slots=True)
class Hook:
    """Where a party wants pushes, and the secret that they are signed with."""

    port: int  # of 127.0.0.1
    path: str
    secret: str

    def push(self, commit: str, before: str) -> Push:
        """Return the delivery of a commit; the same commit is always the same delivery."""
        body = body_of(commit, before)
        head = [f"POST {self.path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        head += [f"{name}: {value}" for name, value in headers(body, commit, self.secret).items()]
        return Push(commit, "\r\n".join([*head, "", ""]).encode() + body)


def headers(body: bytes, commit: str, secret: str) -> Mapping[str, str]:
    """Return the headers that say something; both signatures, since peers differ in which one they read."""
    key = secret.encode()
    return {
        "User-Agent": "GitHub-Hookshot/044aadd",
        "Accept": "*/*",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": str(uuid5(ROOT, commit)),
        "X-Hub-Signature": f"sha1={hmac.new(key, body, 'sha1').hexdigest()}",
        "X-Hub-Signature-256": f"sha256={hmac.new(key, body, 'sha256').hexdigest()}",
    }


def body_of(commit: str, before: str) -> bytes:
    """Return the event of a push of one commit, filled up to its usual size by the description."""
    short = len(_json(commit, before, ""))
    return _json(commit, before, "x" * (BODY_BYTES - short))


def _json(commit: str, before: str, description: str) -> bytes:
    owner = {"name": "acme", "login": "acme", "id": 1, "type": "Organization"}
    repository = {
        "id": 1, "name": "shop", "full_name": NAME, "private": True, "owner": owner, "html_url": PAGE,
        "description": description, "default_branch": "main", "clone_url": f"{PAGE}.git",
        **{f"{part}_url": f"{API}/{part}" for part in PARTS},
    }  # fmt: skip
    change = _change(commit)
    event = {
        "ref": "refs/heads/main", "before": before, "after": commit, "repository": repository,
        "pusher": PERSON, "sender": {"login": "ada", "id": 2, "type": "User"}, "created": False,
        "deleted": False, "forced": False, "base_ref": None, "compare": f"{PAGE}/compare/main",
        "commits": [change], "head_commit": change,
    }  # fmt: skip
    return json.dumps(event, separators=(",", ":")).encode()


def _change(commit: str) -> dict[str, Any]:
    return {
        "id": commit, "tree_id": commit, "distinct": True, "message": "A change",
        "timestamp": "2025-01-01T00:00:00Z", "url": f"{PAGE}/commit/{commit}", "author": PERSON,
        "committer": PERSON, "added": [], "removed": [], "modified": ["note"],
    }  # fmt: skip


@dataclass
class Line:
    """A connection to a party's port, opened on entering."""

    port: int
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    async def deliver(self, push: Push) -> None:
        """Send a push and wait for the whole answer."""
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            status, body = await self.asked(push.wire)
        if not 200 <= status < 300:
            raise NotTaken(f"the push of {push.commit} was answered {status}: {body[:200]!r}")

    async def asked(self, wire: bytes) -> tuple[int, bytes]:
        """Send a request; return the answer's status and body."""
        assert self._reader is not None, "it was entered"
        assert self._writer is not None, "it was entered"
        self._writer.write(wire)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head.split(b" ", 2)[1])
        if b"transfer-encoding: chunked" in head:
            return status, await self._chunks(self._reader)
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        return status, await self._reader.readexactly(int(length or b"0"))

    @staticmethod
    async def _chunks(reader: asyncio.StreamReader) -> bytes:
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return body


async def answers(port: int, path: str) -> int:
    """Return the status that a GET is answered with, 0 where there is no answer."""
    wire = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
    try:
        async with Line(port) as line:
            return (await line.asked(wire))[0]
    except (OSError, asyncio.IncompleteReadError):
        return 0
