"""The forge's part: after each push, a webhook as GitHub sends it, signed with the repository's secret."""

import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx

from deploy.demo.repository import AUTHOR, BRANCH, EMAIL, Pushed, Repository

OWNER = "acme"
ANSWER_SECONDS_MAX = 10.0


class NotTaken(Exception):  # noqa: N818 - named for what is the case
    """A webhook was not answered with 202."""


@dataclass(frozen=True, slots=True)
class Hook:
    """Where a repository's pushes are told, and the secret they are signed with."""

    url: str
    secret: str


async def deliver(http: httpx.AsyncClient, hook: Hook, repository: Repository, pushed: Pushed) -> str:
    """Tell of a push; return the id under which Windlass keeps it."""
    body = json.dumps(_payload(repository, pushed)).encode()
    answer = await http.post(
        hook.url,
        content=body,
        headers={
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/demo",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": str(uuid4()),
            "X-Hub-Signature-256": f"sha256={hmac.new(hook.secret.encode(), body, sha256).hexdigest()}",
        },
        timeout=ANSWER_SECONDS_MAX,
    )
    if answer.status_code != httpx.codes.ACCEPTED:
        raise NotTaken(f"the webhook of {repository.name} was answered {answer.status_code}: {answer.text}")
    return str(answer.json()["push"])


def _payload(repository: Repository, pushed: Pushed) -> dict[str, Any]:
    """Return the parts of GitHub's push event that say something."""
    person = {"name": AUTHOR, "email": EMAIL, "username": "ada"}
    commit = {
        "id": pushed.after,
        "message": pushed.title,
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "author": person,
        "committer": person,
        "added": [],
        "removed": [],
        "modified": list(pushed.files),
    }
    full_name = f"{OWNER}/{repository.name}"
    return {
        "ref": f"refs/heads/{BRANCH}",
        "before": pushed.before,
        "after": pushed.after,
        "created": not pushed.before.strip("0"),
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "repository": {
            "id": 1,
            "name": repository.name,
            "full_name": full_name,
            "private": True,
            "owner": {"name": OWNER, "login": OWNER},
            "html_url": f"https://github.com/{full_name}",
            "clone_url": f"https://github.com/{full_name}.git",
            "default_branch": BRANCH,
        },
        "pusher": {"name": "ada", "email": EMAIL},
        "sender": {"login": "ada", "type": "User"},
        "commits": [commit],
        "head_commit": commit,
    }
