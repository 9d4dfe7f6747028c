"""A local stage with real processes, and small applications to deploy there."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from services.deployer.adapters.gateway.client import GatewayClient
from services.deployer.adapters.local.host import Host, Place
from services.deployer.adapters.local.release import Release, release_of
from services.deployer.adapters.local.succession import Succession
from services.deployer.adapters.local_target import LocalTarget
from services.deployer.step_carrier import StepCarrier
from services.deployer.step_order import Broke, Done, Launched, StepAnswer, StepOrder
from shared.artifacts import FakeArtifactStore
from shared.clock import SystemClock
from shared.events import Evidence, LogLine
from shared.git import GitMirrors, Mirrors
from shared.ids import Commit, Digest, Pipeline, Stage, Step
from shared.plan import StepPlan
from shared.process import LocalProcesses
from tests.contract.git.repository import WorkingCopy, new_repository
from tests.hurried_clock import HurriedClock

PYTHON = (sys.executable, "-I", "-S")
NAMESPACE = UUID("00000000-0000-0000-0000-00000000feed")

# Answers every request with its own revision; notes each start in the file NOTES.
SERVER = """
import os, socket
with open(os.environ["NOTES"], "a") as notes:
    notes.write(os.environ["WINDLASS_REVISION"] + "\\n")
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])), backlog=128)
print("listening", flush=True)
while True:
    connection, _ = listener.accept()
    request = b""
    while b"\\r\\n\\r\\n" not in request and (part := connection.recv(65536)):
        request += part
    if b" /slow " in request:
        while not os.path.exists(os.environ["GATE"]):
            __import__("time").sleep(0.01)
    body = os.environ["WINDLASS_REVISION"].encode()
    if request:
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body))
    connection.close()
"""


class SharedGateway(GatewayClient):
    """A gateway that the next test goes on with: starting one takes half a second."""

    async def shut_down(self) -> None:
        """Leave it without a route."""
        for name in self.routes():
            self.remove_route(name)
        await self.sync()


@dataclass
class LocalStage:
    """One machine; `restart_windlass` puts a new life in the old one's place, processes go on."""

    folder: Path
    gateway_folder: Path | None = None  # of one that is shared
    artifacts: FakeArtifactStore = field(default_factory=FakeArtifactStore)
    mirrors: Mirrors | None = None  # None: real ones
    clock: HurriedClock = field(default_factory=HurriedClock)
    target: LocalTarget = field(init=False)
    carriers: Mapping[str, StepCarrier] = field(init=False)
    processes: LocalProcesses = field(init=False)

    def __post_init__(self) -> None:
        self.notes.touch()
        self._live()

    @property
    def notes(self) -> Path:
        return self.folder / "notes"

    @property
    def gate(self) -> Path:
        return self.folder / "gate"

    @property
    def started(self) -> list[str]:
        """What was started, in order: one revision a start."""
        return self.notes.read_text().split()

    def _live(self) -> None:
        self.processes = LocalProcesses()
        gateway = GatewayClient(self.folder / "deployer" / "gateway", SystemClock())
        if self.gateway_folder:
            gateway = SharedGateway(self.gateway_folder, SystemClock())
        folder, mirrors = self.folder / "deployer", self._mirrors()
        host = Host(folder, self.processes, gateway, self.artifacts, self.clock, mirrors)
        self.target = LocalTarget(host, Succession(host))
        self.carriers = self.target.carriers()

    def _mirrors(self) -> Mirrors:
        return self.mirrors or GitMirrors(self.folder / "mirrors")

    async def restart_windlass(self) -> None:
        await self.target.close()
        self.processes.close()
        self._live()

    async def close(self) -> None:
        self.gate.touch()
        await self.target.end()
        self.processes.close()

    async def pack(self, **files: str) -> Digest:
        """Store an artifact made of these files, `__` standing for the dot in their names."""
        root = self.folder / "source" / str(self.artifacts.puts)
        root.mkdir(parents=True)
        for name, text in files.items():
            (root / name.replace("__", ".")).write_text(text)
        return (await self.artifacts.put(root.parent, root.name)).digest

    def order(self, kind: str, revision: int, digest: Digest | None, **how: Any) -> StepOrder:
        """Return an order of revision `revision`; what is no parameter of the step is of its plan."""
        plan = {key: how.pop(key) for key in ("timeout_seconds", "repeatable", "id") if key in how}
        step = StepPlan(
            id=Step(plan.pop("id", "web")),
            name="the step",
            type=kind,
            params=how,
            goes_after=(),
            timeout_seconds=plan.pop("timeout_seconds", 300.0),
            **plan,
        )
        return StepOrder(
            pipeline=Pipeline("shop"),
            stage=Stage("Staging (EU)"),
            run=uuid5(NAMESPACE, str(revision)),
            revision=revision,
            commit=Commit("c0ffee"),
            branch="main",
            tag="",
            step=step,
            attempt=1,
            repository="shop",
            remote=str(self.folder / "repository"),
            artifacts={"app": digest} if digest else {},
        )

    async def service(self, revision: int, program: str = SERVER, **how: Any) -> StepOrder:
        digest = await self.pack(app__py=program)
        env = {"NOTES": str(self.notes), "GATE": str(self.gate), **how.pop("env", {})}
        how = {"artifact": "app", "command": [*PYTHON, "app.py"], "grace_seconds": 1.0, **how}
        return self.order("LOCAL:SERVICE:DEPLOY", revision, digest, env=env, **how)

    async def static(self, revision: int, **how: Any) -> StepOrder:
        digest = await self.pack(index__html=str(revision))
        return self.order("LOCAL:STATIC:DEPLOY", revision, digest, artifact="app", **how)

    def script(self, *commands: str, **how: Any) -> StepOrder:
        env = {"NOTES": str(self.notes), "GATE": str(self.gate), **how.pop("env", {})}
        digest = how.pop("digest", None)
        return self.order("SCRIPT:EXECUTE", 1, digest, commands=list(commands), env=env, **how)

    @property
    def repository(self) -> WorkingCopy:
        folder = self.folder / "repository"
        return WorkingCopy(folder) if folder.exists() else new_repository(folder)

    def testing(self, command: str, files: Mapping[str, bytes] | None = None, **how: Any) -> StepOrder:
        """Return an order to run a test command in a commit of these files."""
        commit = self.repository.commit({"README": b"a shop", **(files or {})})
        return self.testing_at(commit, command, **how)

    def testing_at(self, commit: Commit, command: str, **how: Any) -> StepOrder:
        env = {"NOTES": str(self.notes), "GATE": str(self.gate), **how.pop("env", {})}
        order = self.order("APPROVAL:TEST", 1, None, testCommand=command, environmentVariables=env, **how)
        return replace(order, commit=commit)

    async def run(self, order: StepOrder, called_off: asyncio.Event | None = None) -> StepAnswer:
        return await self.carriers[order.step.type].run(order, called_off or asyncio.Event())

    async def switch(self, order: StepOrder) -> StepAnswer:
        return await self.carriers[order.step.type].switch(order)

    async def discard(self, order: StepOrder) -> StepAnswer:
        return await self.carriers[order.step.type].discard(order)

    async def lines(self, order: StepOrder, first_line: int = 0) -> list[str]:
        output = self.carriers[order.step.type].output(order, first_line)
        return [line.text async for batch in output for line in batch]

    async def deploy(self, order: StepOrder) -> str:
        """Run and switch; returns the stable URL."""
        assert isinstance(await self.run(order), Launched)
        answer = await self.switch(order)
        assert isinstance(answer, Done)
        return answer.outputs["url"]

    async def settled(self) -> None:
        """Wait until every replaced release has ended."""
        async with asyncio.timeout(45):
            for chores in ("retire", "tidy", "clear"):
                await self.target.succession.chores.settled(chores)

    def place(self, order: StepOrder) -> Place:
        return self.target.host.place(order)

    def release(self, order: StepOrder) -> Release:
        return release_of(self.place(order), order)

    def leader(self, order: StepOrder) -> int:
        """Return the process of a service: of its release's latest life."""
        release = self.release(order)
        group = release.life(release.life_number()).process / "group"
        return int(group.read_text().split()[0])

    def shim(self, order: StepOrder) -> int:
        release = self.release(order)
        return int((release.life(release.life_number()).process / "pid").read_text().split()[0])

    async def kill_gateway(self) -> None:
        os.kill((await self.target.host.gateway.sync()).process, signal.SIGKILL)

    async def until_in_flight(self, order: StepOrder, expected: dict[str, int]) -> None:
        gateway, name = self.target.host.gateway, self.place(order).name
        async with asyncio.timeout(45):
            while (await gateway.sync()).routes[name].in_flight != expected:
                await SystemClock().sleep(0.01)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(45):
            while not holds():
                await SystemClock().sleep(0.01)


def evidence(answer: StepAnswer) -> Evidence:
    """Return the evidence of an answer that must be `Broke`."""
    assert isinstance(answer, Broke), answer
    return answer.evidence


def target_url(answer: StepAnswer) -> str:
    """Return where the candidate is, of an answer that must be `Launched`."""
    assert isinstance(answer, Launched), answer
    return answer.targets[0].base_url


def texts(lines: tuple[LogLine, ...]) -> list[str]:
    return [line.text for line in lines]


def is_alive(process: int) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return fields.rpartition(")")[2].split()[0] not in {"Z", "X"}
