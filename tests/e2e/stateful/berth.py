"""One repository with one pipeline of two stages: what can be done to it over HTTP, and its story."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from uuid import UUID, uuid5

import httpx

from deploy.demo.forge import Hook
from tests.contract.git.repository import WorkingCopy, new_repository
from tests.e2e.quay import push_body, signature
from tests.e2e.stateful.expectation import accepted
from tests.e2e.stateful.port import Document, Port
from tests.e2e.stateful.story import STAGES, WHOLE, Story

ROOT = UUID(int=31)
SETTLE_SECONDS_MAX = 60.0  # for all that moves by itself to come to rest: ends a test that hangs
WAIT_SECONDS = 20
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

PIPELINE = """\
version: "1"
pipeline:
  stages:
    - name: staging
      skip: [go-live]
      auto_rollback_alarm_name: %(pipeline)s-5xx
    - name: production
      deployment_time_window: {zone: UTC, hours: [{days: %(days)s}]}
      skip: [%(skipped)s]
  steps:
    - name: prepare
      type: SCRIPT:EXECUTE
      params: {commands: ["true"]}
    - name: go-live
      type: APPROVAL:MANUAL
      params: {message: Is everybody told?}
    - name: work
      type: SCRIPT:EXECUTE
      params:
        env: {HELD: "%(held)s"}
        commands: ['%(command)s']
"""

COMMANDS = {
    "good": "true",
    "bad": "exit 1",
    "bad in production": '[ "$WINDLASS_STAGE" = staging ]',
    "held": 'while [ -e "$HELD" ]; do sleep 0.05; done',
}


@dataclass
class Push:
    """A commit that was told of."""

    commit: str
    kind: str
    answer: Document


@dataclass
class Asked:
    """An operation as it was sent, and what came back."""

    stage: str
    operation: str
    said: Document
    key: str
    answer: Document
    expected: bool | None = None  # whether it must be accepted, as soon as the story comes to it

    @property
    def id(self) -> str:
        return str(self.answer["operation"])


@dataclass
class Berth:
    """The pipeline; `story` is what the server's stream of events told of it so far."""

    port: Port
    pipeline: str
    copy: WorkingCopy
    hook: Hook
    story: Story
    gated: bool  # the last stage has a gate
    held: dict[str, Path] = field(default_factory=dict)  # commit -> the file that its step waits for
    pushes: list[Push] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    commits: int = 0
    alarm_told: str = ""
    position: str = ""  # of the last event that was told
    _lines: Iterator[str] = field(default_factory=lambda: iter(()))
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def api(self) -> str:
        return f"/api/v1/pipelines/{self.pipeline}"

    @property
    def alarm(self) -> str:
        return f"{self.pipeline}-5xx"

    @property
    def held_revisions(self) -> set[int]:
        """Return the revisions whose step waits for us."""
        return {number for number, commit in self.story.revisions.items() if commit in self.held}

    def listen(self) -> None:
        """Follow the events of the pipeline from its first one on."""
        stream = self.port.operator.stream(
            "GET",
            "/api/v1/events",
            params={"pipeline": self.pipeline, "cursor": 0},
            headers={"Accept": "text/event-stream"},
        )
        answer = self._stack.enter_context(stream)
        assert answer.status_code == httpx.codes.OK
        self._lines = answer.iter_lines()

    def close(self) -> None:
        """Let go of the stream, and of what waits for us."""
        for held in self.held.values():
            held.unlink(missing_ok=True)
        self._stack.close()

    def commit(self, kind: str) -> str:
        """Make a commit that is to end so; nobody is told yet."""
        self.commits += 1
        held = self.copy.folder.parent / f"held-{self.pipeline}-{self.commits}"
        today = datetime.now(UTC).weekday()
        far = WEEKDAYS[(today + 3) % len(WEEKDAYS)]
        file = PIPELINE % {
            "pipeline": self.pipeline,
            "days": f"[{far}]" if self.story.windowed else "[mon-sun]",
            "skipped": "prepare" if self.gated else "prepare, go-live",
            "held": held,
            "command": COMMANDS[kind],
        }
        files = {f".windlass/{self.pipeline}/pipeline.yaml": file, "note": f"{kind} {self.commits}"}
        commit = self.copy.commit({path: text.encode() for path, text in files.items()})
        if kind == "held":
            held.touch()
            self.held[commit] = held
        return commit

    def deliver(self, commit: str, delivery: str = "") -> Document:
        """Tell of a commit; the same delivery is byte for byte the same."""
        body = push_body(commit, repository={"full_name": f"acme/{self.pipeline}"})
        answer = self.port.stranger.post(
            self.hook.url,
            content=body,
            headers={
                "X-GitHub-Event": "push",
                "X-GitHub-Delivery": str(uuid5(ROOT, f"{self.pipeline} {commit} {delivery}")),
                "X-Hub-Signature-256": signature(self.hook.secret, body),
                "Content-Type": "application/json",
            },
        )
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        document: Document = answer.json()
        return document

    def push(self, kind: str, commit: str = "") -> Push:
        """Have a commit heard of."""
        commit = commit or self.commit(kind)
        self.pushes.append(Push(commit, kind, self.deliver(commit)))
        return self.pushes[-1]

    def path(self, stage: str, operation: str) -> str:
        return f"{self.api}/{operation}" if stage == WHOLE else f"{self.api}/stages/{stage}/{operation}"

    def ask(self, stage: str, operation: str, said: Document, wait_seconds: int = WAIT_SECONDS) -> Asked:
        """Ask for an operation; it must be taken, and with `wait_seconds` be answered."""
        if operation == "resume":
            self.story.firm.discard(stage)
        key = f"{self.pipeline} {len(self.asked)}"
        taken = self.post(self.path(stage, operation), said, key, wait_seconds)
        assert taken.status_code == httpx.codes.ACCEPTED, f"{operation}: {taken.status_code} {taken.text}"
        self.asked.append(Asked(stage, operation, said, key, taken.json()))
        return self.asked[-1]

    def post(self, path: str, said: Document, key: str, wait_seconds: int = WAIT_SECONDS) -> httpx.Response:
        """Send an operation as it is."""
        return self.port.operator.post(
            path, json=said, params={"wait_seconds": wait_seconds}, headers={"Idempotency-Key": key}
        )

    def tell_alarm(self, state: str) -> None:
        """Have the monitor say how the first stage's alarm stands; return once the pipeline knows."""
        report = {"state": state, "reason": "5xx above 1 %"}
        told = self.port.monitor.post(f"/api/v1/alarms/{self.alarm}", json=report)
        assert told.status_code == httpx.codes.ACCEPTED, told.text
        news, self.alarm_told = state != self.alarm_told, state
        holder = self.story.holder(STAGES[0])
        undone = holder if holder and holder.kind != "rollback" and state == "firing" else None
        if news:
            self.follow(lambda: self._deaf_to(state) or ("" if not undone or undone.final else "an undoing"))

    def _deaf_to(self, state: str) -> str:
        """Return where the alarm's news is not heard of yet."""
        name = f"alarm {self.alarm}"
        ends = {stage: here.blockers.get(name) for stage, here in self.story.stages.items()}
        deaf = {"firing": [s for s, end in ends.items() if end is not False],
                "clear": [s for s, end in ends.items() if end is False]}.get(state, [])  # fmt: skip
        return f"{name} is {state}, and not so in {deaf}" if deaf else ""

    def settle(self) -> None:
        """Follow the story until nothing moves by itself."""
        self.follow(lambda: self._undecided() or self.story.motion(self.held_revisions))
        self.story.firm = set(self.story.stops)

    def follow(self, missing: Callable[[], str]) -> None:
        """Follow the story until nothing of it is missing any more; `missing` says what is."""
        until = monotonic() + SETTLE_SECONDS_MAX
        while what := missing():
            assert monotonic() < until, f"{self.pipeline} does not come to rest: {what}"
            if event := self._next():
                self._tell(event)
        assert not self.story.wrong, self.story.wrong

    def _tell(self, event: Document) -> None:
        """Fold in an event; an operation is judged by what its stage's events told before it."""
        if event["type"].startswith("windlass.operation.requested."):
            asked = next((each for each in self.asked if each.id == event["body"]["operation"]), None)
            if asked is not None:
                asked.expected = accepted(self.story, asked.stage, asked.operation, asked.said)
        self.position = event["id"]
        self.story.tell(event["type"], event["body"], event["time"])

    def _undecided(self) -> str:
        pushes = {push.answer["push"] for push in self.pushes} - self.story.decided.keys()
        answers = {asked.id for asked in self.asked} - self.story.answers.keys()
        return f"no decision of {pushes}, no answer of {answers}" if pushes or answers else ""

    def _next(self) -> Document | None:
        """Return the next event; None when the server says after a while that there is nothing new."""
        for line in self._lines:
            if line.startswith("data: "):
                event: Document = json.loads(line.removeprefix("data: "))
                return event
            if line.startswith(":"):
                return None
        raise AssertionError("the stream of events ended")

    def shown(self) -> dict[str, Document]:
        """Return how the stages are shown, not before all that was told is known there."""
        document = self.port.get(f"pipelines/{self.pipeline}", min_position=self.position)
        return {stage["stage"]: stage for stage in document["now"]}


def new_berth(port: Port, *, gated: bool, windowed: bool) -> Berth:
    """Make the repository and have it registered."""
    pipeline = f"p{next(port.numbers)}"
    copy = new_repository(port.program.folder / "repositories" / pipeline)
    answer = port.operator.post(
        "/api/v1/repositories", json={"remote": copy.remote, "name": f"acme/{pipeline}"}
    )
    assert answer.status_code == httpx.codes.CREATED, answer.text
    hook = Hook(answer.json()["webhook_url"], answer.json()["secret"])
    berth = Berth(port, pipeline, copy, hook, Story(windowed=windowed), gated)
    berth.listen()
    return berth
