"""A distributed Windlass that is set to work and looked at, on a broker and a database server of its own.

The database server writes through to the disk before it answers, as one that is in use does; the tests' does
not. The broker is one node as Kafka is delivered: it answers when the message is with the operating system.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.load.runs import Runs, on_server
from benchmarks.load.spent import Cpu, own_cpu
from benchmarks.parties.processes import cpu_seconds
from benchmarks.suite import Unavailable
from deploy.kafka import KafkaError
from deploy.kafka.cluster import Cluster
from tests.distributed.fleet import Fleet, Ground
from tests.ports import free_port
from tests.server_process import ServerProcess
from tests.servers import kafka
from tests.servers.postgres import OwnPostgres
from tests.servers.run import NoServer

SERVICES = ("ingest", "synthesizer", "builder", "deployer", "verifier", "classifier", "status")
DURABLE: Mapping[str, str] = {"fsync": "on", "full_page_writes": "on"}
READY_SECONDS_MAX = 120.0
END_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Distribution:
    """One that runs."""

    processes: Sequence[ServerProcess]
    servers: Sequence[int]  # the processes of broker and database
    operator: httpx.AsyncClient
    runs: Runs

    def cpu(self) -> Cpu:
        """Return what its processes have used so far, and what all has that came of them."""
        return _cpu([each.pid for each in self.processes])

    def servers_cpu(self) -> float:
        """Return what broker and database have used."""
        return _cpu(self.servers).total


def _cpu(pids: Sequence[int]) -> Cpu:
    return Cpu(sum(map(own_cpu, pids)), sum(map(cpu_seconds, pids)))


@contextmanager
def _servers() -> Iterator[tuple[Ground, Sequence[int]]]:
    try:
        with OwnPostgres(DURABLE) as postgres, kafka.own_cluster() as cluster:
            yield Ground(postgres.url, cluster.bootstrap, ""), _pids(postgres, cluster)
    except (NoServer, KafkaError) as problem:
        raise Unavailable(str(problem)) from problem


def _pids(postgres: OwnPostgres, cluster: Cluster) -> Sequence[int]:
    return [*([postgres.pid] if postgres.pid else []), *cluster.running.values()]


@asynccontextmanager
async def distributed(folder: Path, together: Sequence[Sequence[str]]) -> AsyncIterator[Distribution]:
    """Start it, each of `together` as one process; end it and all that outlives it.

    The servers are started and ended while nothing else goes on.
    """
    with _servers() as (ground, pids):
        fleet = Fleet(folder / "fleet", ground, roster={})
        await fleet.launch()
        processes = {services[0]: _process(fleet, services) for services in together}
        try:
            for each in processes.values():
                each.launch()
            await asyncio.gather(*(each.ready(READY_SECONDS_MAX) for each in processes.values()))
            url = next(of.url for name, of in processes.items() if "ingest" in name)
            headers = {"Authorization": f"Bearer {fleet.token}"}
            async with (
                httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as operator,
                on_server(ground.database) as runs,
            ):
                yield Distribution(list(processes.values()), pids, operator, runs)
            await asyncio.gather(*(each.end(END_SECONDS_MAX) for each in processes.values()))
        finally:
            await asyncio.gather(*(each.kill() for each in processes.values()))
            await fleet.clear()


def _process(fleet: Fleet, services: Sequence[str]) -> ServerProcess:
    port, name = free_port(), "-".join(services)
    own = {"WINDLASS_REPLICA": services[0], "WINDLASS_HOST": "127.0.0.1", "WINDLASS_PORT": str(port)}
    environ = {"PATH": os.environ["PATH"], **fleet.environ, **own}
    return ServerProcess(("serve", *services), fleet.folder, port, environ, f"{name}.log")
