"""Kafka for tests. One broker for the run; clusters of one's own for tests that stop or kill nodes.

Tests share the run's broker, so each puts a prefix of its own before topics and groups.
"""

import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from deploy.kafka import Cluster, KafkaError
from deploy.kafka import prepare as prepare_native
from deploy.kafka.node import OPTIONS
from deploy.kafka.probe import view
from deploy.kafka.properties import settings
from tests.ports import free_port
from tests.servers.run import Facts, NoServer, begin, hold, note_process, once
from tests.servers.way import Wanted, choose, docker_obstacle

IMAGE = "apache/kafka:4.1.1"  # as in compose.yaml, and the version of deploy/kafka/pom.xml
JAVA_OPTIONS = ("-Xmx384m", *OPTIONS[1:])
OWN = {"offsets.topic.num.partitions": "2"}  # each costs files, and time at the first subscription
LISTENERS = {
    "KAFKA_NODE_ID": "1",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_LISTENERS": "BROKER://:9092,CONTROLLER://:9093",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "KAFKA_INTER_BROKER_LISTENER_NAME": "BROKER",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
}
WANTED = Wanted(
    name="Kafka",
    variable="WINDLASS_TEST_KAFKA",
    example="127.0.0.1:9092",
    programs="Java 17 and Maven",
    packages="openjdk-17-jre-headless maven",
)


def prepare() -> None:
    """Choose the way and fetch what it needs: it may take longer than a test is given."""
    if _way()["way"] == "docker":
        address()


def prepare_own() -> None:
    """Fetch what a cluster of one's own needs: it is native, whatever the run's broker is."""
    once("kafka-own", _native_or_not)


def address() -> str:
    """Return the run's broker as host:port, started if it was not."""
    return once("kafka", _start)["address"]


def own_cluster(nodes: int = 1, own: Mapping[str, str] | None = None) -> Cluster:
    """Return a cluster of native nodes, not started yet, that only the caller uses.

    `own` is for its server.properties. It ends with the run at the latest.
    """
    prepare_own()
    return Cluster(
        Path(tempfile.mkdtemp(prefix="kafka-", dir=begin())),
        [free_port() for _ in range(nodes)],
        {**OWN, **(own or {})},
        options=JAVA_OPTIONS,
        started=note_process,
    )


def fresh_prefix() -> str:
    """Return what a test puts before its topics and groups."""
    return f"t{secrets.token_hex(4)}-"


async def forget(kafka: str, prefix: str) -> None:
    """Delete the topics whose names begin so; partitions that stay would slow the broker down."""
    from aiokafka.admin import AIOKafkaAdminClient  # noqa: PLC0415 - slow to import for those who need none

    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        if topics := [topic for topic in await admin.list_topics() if topic.startswith(prefix)]:
            await admin.delete_topics(topics)
    finally:
        await admin.close()


def _way() -> Facts:
    given = os.environ.get(WANTED.variable, "")
    return once("kafka-way", lambda: choose(WANTED, given, lambda: docker_obstacle(IMAGE), _native_obstacle))


def _native_obstacle() -> str:
    try:
        prepare_native()
    except KafkaError as problem:
        return str(problem)
    return ""


def _native_or_not() -> Facts:
    if obstacle := _native_obstacle():
        raise NoServer(obstacle)
    return {}


def _start() -> Facts:
    way = _way()
    match way["way"]:
        case "environment":
            return way
        case "docker":
            return {"address": _contained()}
    cluster = own_cluster()
    hold(cluster)
    try:
        cluster.start()
    except KafkaError as problem:
        cluster.kill()
        raise NoServer(str(problem)) from problem
    return {"address": cluster.bootstrap}


def _contained() -> str:
    from tests.servers.engine import Contained  # noqa: PLC0415 - see docker_obstacle

    told = {f"KAFKA_{name.replace('.', '_').upper()}": str(v) for name, v in {**settings(1), **OWN}.items()}
    container = Contained(IMAGE, 9092, told | LISTENERS)
    container.environment["KAFKA_ADVERTISED_LISTENERS"] = f"BROKER://127.0.0.1:{container.port}"
    container.start(lambda: bool(view(container.port).nodes))
    return f"127.0.0.1:{container.port}"
