"""The servers that a trial stands on: those of the whole run, or its own where it breaks them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deploy.kafka.cluster import Cluster
from tests.distributed.fleet import Ground
from tests.servers import kafka, postgres
from tests.servers.postgres import OwnPostgres


@dataclass
class Servers:
    """A ground, and what may be done to it."""

    ground: Ground
    own_cluster: Cluster | None = None
    own_postgres: OwnPostgres | None = None

    @property
    def cluster(self) -> Cluster:
        assert self.own_cluster is not None, "the scenario asks for brokers of its own"
        return self.own_cluster

    @property
    def postgres(self) -> OwnPostgres:
        assert self.own_postgres is not None, "the scenario asks for a database server of its own"
        return self.own_postgres


@contextmanager
def shared_servers() -> Iterator[Servers]:
    """Stand on the run's broker and database server."""
    with postgres.fresh_database() as database, _prefix(kafka.address()) as prefix:
        yield Servers(Ground(database, kafka.address(), prefix))


@contextmanager
def own_broker() -> Iterator[Servers]:
    """Have a broker to stop."""
    with postgres.fresh_database() as database, kafka.own_cluster() as cluster:
        yield Servers(Ground(database, cluster.bootstrap, ""), own_cluster=cluster)


@contextmanager
def own_brokers() -> Iterator[Servers]:
    """Have three brokers, one of which may be lost."""
    with postgres.fresh_database() as database, kafka.own_cluster(3) as cluster:
        yield Servers(Ground(database, cluster.bootstrap, "", replication=3), own_cluster=cluster)


@contextmanager
def own_database() -> Iterator[Servers]:
    """Have a database server to stop."""
    with OwnPostgres() as server, _prefix(kafka.address()) as prefix:
        yield Servers(Ground(server.url, kafka.address(), prefix), own_postgres=server)


@contextmanager
def _prefix(address: str) -> Iterator[str]:
    prefix = kafka.fresh_prefix()
    try:
        yield prefix
    finally:
        asyncio.run(kafka.forget(address, prefix))
