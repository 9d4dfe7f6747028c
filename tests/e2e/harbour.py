"""A repository whose every effect is a line in one file outside of Windlass, and what those lines prove."""

import asyncio
import hmac
import json
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid5

import httpx

from deploy.demo.forge import Hook
from tests.contract.git.repository import WorkingCopy, new_repository
from tests.e2e.program import Program

ROOT = UUID(int=23)

PIPELINE = """\
version: "1"
pipeline:
  stages:
    - name: staging
      vars: {port: %(staging)d}
    - name: production
      vars: {port: %(production)d}
  artifacts:
    App:
      type: BUNDLE:BUILD
      rebuild_when_changed: [/app]
      envs: {EFFECTS: "%(effects)s"}
      params:
        build_commands:
          - mkdir dist
          - cp app/server.py dist
          - echo "build - $WINDLASS_REVISION begin $(date +%%s.%%N)" >> "$EFFECTS"
        file_path: /dist
  steps:
    - name: first
      type: SCRIPT:EXECUTE
      params:
        env: {EFFECTS: "%(effects)s", NAME: first}
        commands:
          - echo "$NAME $WINDLASS_STAGE $WINDLASS_REVISION begin $(date +%%s.%%N)" >> "$EFFECTS"
          - sleep %(pause)s
          - echo "$NAME $WINDLASS_STAGE $WINDLASS_REVISION end $(date +%%s.%%N)" >> "$EFFECTS"
    - name: serve
      type: LOCAL:SERVICE:DEPLOY
      params:
        artifact: App
        command: ["%(python)s", "-I", "-S", server.py]
        port: ${{ vars.port }}
        env: {EFFECTS: "%(effects)s"}
        grace_seconds: 2
        verify: {paths: [{path: /}], interval_seconds: 0.05, deadline_seconds: 60}
    - name: last
      type: SCRIPT:EXECUTE
      params:
        env: {EFFECTS: "%(effects)s", NAME: last}
        commands:
          - echo "$NAME $WINDLASS_STAGE $WINDLASS_REVISION begin $(date +%%s.%%N)" >> "$EFFECTS"
          - echo "$NAME $WINDLASS_STAGE $WINDLASS_REVISION end $(date +%%s.%%N)" >> "$EFFECTS"
"""

SERVER = '''\
"""Serves its revision; starting it is an effect."""
import os
import socket
import time

listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
with open(os.environ["EFFECTS"], "a") as effects:
    stage, revision = os.environ["WINDLASS_STAGE"], os.environ["WINDLASS_REVISION"]
    effects.write(f"serve {stage} {revision} begin {time.time():.9f}\\n")
body = os.environ["WINDLASS_REVISION"].encode()
while True:
    connection, _ = listener.accept()
    connection.settimeout(5)
    try:
        connection.recv(65536)
        head = b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body)
        connection.sendall(head + body)
    except OSError:
        pass
    connection.close()
'''


@dataclass(frozen=True)
class Effect:
    """One line of the file."""

    step: str
    stage: str
    revision: int
    moment: str
    at: float


@dataclass
class Harbour:
    """The repository, its webhook, and the file of effects."""

    program: Program
    repository: WorkingCopy
    effects_file: Path
    ports: dict[str, int]
    pause: str = "0.05"
    hook: Hook | None = None
    pushes: int = 0

    def commit(self, server: str = SERVER, note: str = "") -> str:
        """Commit a change of the application, and return the commit."""
        values = {**self.ports, "effects": self.effects_file, "pause": self.pause, "python": sys.executable}
        self.pushes += 1
        files = {
            ".windlass/shop/pipeline.yaml": PIPELINE % values,
            "app/server.py": server,
            "app/note": f"{note} {self.pushes}",
        }
        return self.repository.commit({path: text.encode() for path, text in files.items()})

    def register(self) -> None:
        """Have the repository registered by the command line."""
        added = self.program.cli("repo", "add", self.repository.remote, "--name", "acme/shop", "--json")
        assert added.returncode == 0, added.stderr
        answer = json.loads(added.stdout)
        self.hook = Hook(answer["webhook_url"], answer["secret"])

    async def post(self, http: httpx.AsyncClient, commit: str) -> httpx.Response:
        """Deliver the push; the same commit is always the same delivery."""
        assert self.hook is not None, "it was registered"
        body = json.dumps(
            {
                "ref": "refs/heads/main",
                "before": "0" * 40,
                "after": commit,
                "deleted": False,
                "repository": {"full_name": "acme/shop"},
                "pusher": {"name": "ada"},
            }
        ).encode()
        headers = {
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": str(uuid5(ROOT, commit)),
            "X-Hub-Signature-256": f"sha256={hmac.new(self.hook.secret.encode(), body, sha256).hexdigest()}",
            "Content-Type": "application/json",
        }
        return await http.post(self.hook.url, content=body, headers=headers, timeout=30)

    async def deployed(self, revision: int, seconds_max: float = 90.0) -> None:
        """Wait until production's run of the revision has ended, well or badly."""
        try:
            async with asyncio.timeout(seconds_max):
                while self._state(revision) not in {"Succeeded", "Failed", "Timed Out", "Superseded"}:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(
                f"revision {revision} is {self._state(revision)}: {self.program.log[-3000:]}"
            ) from None

    def _state(self, revision: int) -> str:
        path = f"file:{self.program.data}/windlass.db?mode=ro"
        with closing(sqlite3.connect(path, timeout=30, uri=True)) as database:
            query = "SELECT state FROM runs WHERE stage = 'production' AND revision = ?"
            row = database.execute(query, (revision,)).fetchone()
        return row[0] if row else "unknown"

    def effects(self) -> list[Effect]:
        """Return every effect so far."""
        if not self.effects_file.exists():
            return []
        rows = (line.split() for line in self.effects_file.read_text("utf-8").splitlines())
        return [
            Effect(step, stage, int(revision), moment, float(at))
            for step, stage, revision, moment, at in rows
        ]


def new_harbour(folder: Path, program: Program, ports: dict[str, int]) -> Harbour:
    """Make the repository; nothing is started."""
    return Harbour(program, new_repository(folder / "shop"), folder / "effects", ports)


def wrongs(
    effects: list[Effect], revision: int, stages: tuple[str, ...] = ("staging", "production")
) -> list[str]:
    """Return every way in which the effects break a promise for a revision that went through both stages."""
    found = []
    expected = [("first", "begin"), ("first", "end"), ("serve", "begin"), ("last", "begin"), ("last", "end")]
    for stage in stages:
        here = [effect for effect in effects if effect.stage == stage]
        mine = [(effect.step, effect.moment) for effect in here if effect.revision == revision]
        if mine != expected:
            found.append(f"{stage}: revision {revision} took effect as {mine}, not once and in order (S4)")
        order = [effect.revision for effect in here]
        if order != sorted(order):
            found.append(f"{stage}: revisions interleave or go backwards: {order} (S1, S5)")
    built = [effect for effect in effects if effect.step == "build" and effect.revision == revision]
    if len(built) != 1:
        found.append(f"revision {revision} was built {len(built)} times")
    return found
