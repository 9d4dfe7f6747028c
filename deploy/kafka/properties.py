"""What a node is told: small, quick to react, and safe with three of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MESSAGE_BYTES_MAX = 16 * 1024 * 1024


@dataclass(frozen=True)
class Seat:
    """A node's place in its cluster; every node is broker and controller."""

    node: int
    port: int
    controller_port: int


def properties(seat: Seat, seats: Sequence[Seat], log: Path, own: Mapping[str, str]) -> str:
    """Return a node's server.properties; `own` overrules, or adds to a list where its name begins with +."""
    voters = ",".join(f"{each.node}@127.0.0.1:{each.controller_port}" for each in seats)
    place = {
        "process.roles": "broker,controller",
        "node.id": seat.node,
        "listeners": f"BROKER://127.0.0.1:{seat.port},CONTROLLER://127.0.0.1:{seat.controller_port}",
        "advertised.listeners": f"BROKER://127.0.0.1:{seat.port}",
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "BROKER",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": voters,
        "log.dirs": log,
    }
    told = {**place, **settings(len(seats))}
    for name, value in own.items():
        plain = name.removeprefix("+")
        told[plain] = value if plain == name else f"{told[plain]},{value}"
    return "".join(f"{name}={value}\n" for name, value in told.items())


def settings(nodes: int) -> dict[str, str | int]:
    """Return what does not depend on the place; a container takes the same."""
    replicas = min(nodes, 3)
    in_sync = 2 if nodes >= 3 else 1
    return {
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.num.partitions": 10,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.num.partitions": 1,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "message.max.bytes": MESSAGE_BYTES_MAX,
        "replica.fetch.max.bytes": MESSAGE_BYTES_MAX,
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        # How long a killed node counts as alive, and is kept from coming back; with 9 s as Kafka has it,
        # a test waits for nothing else. Shorter, and a busy machine takes the living for dead.
        "broker.session.timeout.ms": 3000 if nodes == 1 else 6000,
        "broker.heartbeat.interval.ms": 500 if nodes == 1 else 1000,
        # Small: one machine carries all of it, and hundreds of partitions of tests.
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 2,
        "log.index.size.max.bytes": 1024 * 1024,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "log.segment.delete.delay.ms": 1000,
    }
