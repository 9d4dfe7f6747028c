"""The scenarios by name: what is done, how much goes on meanwhile, and what it stands on."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tests.distributed.scenarios import calm, demo, duplicates, frozen, killing, medley, outages, rebalancing
from tests.distributed.servers import Servers, own_broker, own_brokers, own_database, shared_servers
from tests.distributed.trial import Load, Trial

USUAL = Load(barges=8, pushes_per_second=2.0)


@dataclass(frozen=True)
class Scenario:
    """One row."""

    about: str
    play: Callable[[Trial, float], Awaitable[None]]
    seconds: float  # of faults, in the whole set
    load: Load = USUAL
    servers: Callable[[], AbstractContextManager[Servers]] = shared_servers


PROGRAMME: Mapping[str, Scenario] = {
    "medley": Scenario(
        "a little of each, for every change",
        medley.play,
        32,
        Load(barges=5, pushes_per_second=1.5),
        own_database,
    ),
    "calm": Scenario(
        "pushes, one after the other, and no faults", calm.play, 30, Load(barges=4, pushes_per_second=0.3)
    ),
    "demo": Scenario("the demo's five acts, over HTTP", demo.play, 60, Load(barges=0, pushes_per_second=1.0)),
    "killing": Scenario(
        "a random process is killed every second", killing.play, 120, Load(barges=30, pushes_per_second=3.0)
    ),
    "rebalancing": Scenario("replicas join and leave every two seconds", rebalancing.play, 60),
    "broker-restarted": Scenario("the broker is away", outages.broker_restarted, 30, servers=own_broker),
    "broker-lost": Scenario("one of three brokers dies", outages.broker_lost, 20, servers=own_brokers),
    "connections-cut": Scenario("database connections are cut every second", outages.connections_cut, 30),
    "database-restarted": Scenario(
        "the database restarts, in order and not", outages.database_restarted, 20, servers=own_database
    ),
    "frozen": Scenario(
        "a deployer sleeps through its session", frozen.play, 60, Load(barges=6, pushes_per_second=0.5)
    ),
    "duplicates": Scenario("everything is said twice, and again from the start", duplicates.play, 10),
}
