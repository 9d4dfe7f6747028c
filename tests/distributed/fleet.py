"""Every service as its own process, on a broker and a database: started, killed, frozen, started again."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.demo.ending import end_everything
from tests.ports import free_port
from tests.server_process import WINDLASS, NotReady, ServerProcess

ROSTER = {
    "ingest": 1,
    "synthesizer": 1,
    "builder": 2,
    "deployer": 2,
    "verifier": 2,
    "classifier": 1,
    "status": 1,
}
READY_SECONDS_MAX = 120.0  # ten interpreters start on two cores that others use as well
END_SECONDS_MAX = 40.0  # above the product's own shutdown_seconds
COMMAND_SECONDS_MAX = 60.0
SESSION_SECONDS = 3  # of silence until the brokers give a replica's partitions to another
PARTITIONS = 6
LOG_LINES_SHOWN = 15
ENDED_WELL = (0, -signal.SIGTERM)  # the latter: it was still loading, and had nothing to end


@dataclass(frozen=True)
class Ground:
    """What a fleet stands on."""

    database: str  # postgresql://…
    kafka: str  # host:port,host:port
    prefix: str  # of topics and groups
    replication: int = 1

    @property
    def environ(self) -> Mapping[str, str]:
        return {
            "WINDLASS_DATABASE": self.database,
            "WINDLASS_KAFKA": self.kafka,
            "WINDLASS_KAFKA_PREFIX": self.prefix,
            "WINDLASS_KAFKA_SESSION_SECONDS": str(SESSION_SECONDS),
            "WINDLASS_KAFKA_PARTITIONS": str(PARTITIONS),
            "WINDLASS_KAFKA_REPLICATION": str(self.replication),
        }


@dataclass(frozen=True)
class Replica:
    """One of the processes of a service, through all its lives."""

    service: str
    number: int
    process: ServerProcess

    @property
    def name(self) -> str:
        return f"{self.service}-{self.number}"


@dataclass
class Fleet:
    """All processes."""

    folder: Path
    ground: Ground
    roster: Mapping[str, int] = field(default_factory=lambda: ROSTER)
    token: str = field(default="", repr=False)
    replicas: list[Replica] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def environ(self) -> Mapping[str, str]:
        return {**self.ground.environ, "WINDLASS_DATA": str(self.data)}

    def url(self, service: str) -> str:
        """Return where the first replica of a service answers."""
        return self.of(service)[0].process.url

    def of(self, service: str) -> list[Replica]:
        """Return a service's replicas that were ever started."""
        return [replica for replica in self.replicas if replica.service == service]

    @property
    def running(self) -> list[Replica]:
        return [replica for replica in self.replicas if replica.process.running]

    async def launch(self) -> None:
        """Make schema, topics and token, then start everybody."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data.mkdir(mode=0o700, exist_ok=True)
        await asyncio.gather(self.command("migrate"), self.command("topics", "create"))
        self.token = (await self.command("token", "owner")).split()[-1]
        for service, count in self.roster.items():
            for number in range(1, count + 1):
                self.add(service, number).process.launch()
        await self.ready()

    def add(self, service: str, number: int) -> Replica:
        """Return a new replica, not yet started."""
        port = free_port()
        name = f"{service}-{number}"
        environ = {
            **self.environ,
            "WINDLASS_REPLICA": name,
            "WINDLASS_HOST": "127.0.0.1",
            "WINDLASS_PORT": str(port),
        }
        process = ServerProcess(("serve", service), self.folder, port, environ, f"{name}.log")
        self.replicas.append(Replica(service, number, process))
        return self.replicas[-1]

    async def ready(self, seconds_max: float = READY_SECONDS_MAX) -> None:
        """Wait until everybody who runs is ready."""
        await asyncio.gather(*(replica.process.ready(seconds_max) for replica in self.running))

    async def command(self, *words: str) -> str:
        """Run a command of the operator's."""
        process = await asyncio.create_subprocess_exec(
            WINDLASS,
            *words,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        async with asyncio.timeout(COMMAND_SECONDS_MAX):
            output, errors = await process.communicate()
        if process.returncode:
            raise NotReady(f"windlass {' '.join(words)} ended with {process.returncode}: {errors.decode()}")
        return output.decode()

    async def end(self) -> Sequence[str]:
        """End everybody as an operator would; return who did not end well."""
        ended = await asyncio.gather(*(end(replica) for replica in self.running))
        return [complaint for complaint in ended if complaint]

    async def clear(self) -> None:
        """End everybody, whatever state they are in, and everything that outlives them by design."""
        for replica in self.running:
            replica.process.signal(signal.SIGKILL)
        for replica in self.replicas:
            if replica.process.started:
                await replica.process.died()
        await end_everything(self.data)

    def last_words(self) -> str:
        """Return the end of everybody's log, for whoever looks at a failure."""
        told = []
        for replica in self.replicas:
            if replica.process.started:
                lines = replica.process.log.splitlines()[-LOG_LINES_SHOWN:]
                told.append("\n".join([f"--- {replica.name}, {replica.process.exit_code=}", *lines]))
        return "\n".join(told)


async def end(replica: Replica) -> str:
    """End one as an operator would; return in what that went wrong, or the empty string."""
    try:
        code = await replica.process.end(END_SECONDS_MAX)
    except TimeoutError:
        await replica.process.kill()
        return f"{replica.name} did not end within {END_SECONDS_MAX:g} s of SIGTERM"
    return "" if code in ENDED_WELL else f"{replica.name} ended with {code} after SIGTERM"
