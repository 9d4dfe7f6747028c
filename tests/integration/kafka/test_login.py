"""Brokers that ask who is there, over TLS, and those that are asked themselves."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from shared.bus.kafka import KafkaBus, KafkaSettings
from shared.bus.kafka.topics import create_topics
from shared.clock import SystemClock
from shared.db.postgres import PostgresDatabase
from shared.faults import TryAgain
from tests.builders import line
from tests.contract.bus.listener import Listener, say
from tests.integration.kafka.test_consumption import consuming, until_noted
from tests.ports import free_port
from tests.servers import kafka

pytestmark = pytest.mark.timeout(240)  # a broker is started, some of them more than once
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    kafka.prepare_own()


def certificate(folder: Path) -> Path:
    """Write a key with a certificate for it, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a broker")])
    now = SystemClock().now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + made.public_bytes(serialization.Encoding.PEM)
    (folder / "broker.pem").write_bytes(text)
    (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return folder / "broker.pem"


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[KafkaSettings]:
    """A broker with a second door, at which one shows a name and a password under TLS."""
    port = free_port()
    own = {
        "+listeners": f"DOOR://127.0.0.1:{port}",
        "+advertised.listeners": f"DOOR://127.0.0.1:{port}",
        "+listener.security.protocol.map": "DOOR:SASL_SSL",
        "listener.name.door.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.door.plain.sasl.jaas.config": f'{LOGIN} required user_windlass="sesame";',
        "listener.name.door.ssl.keystore.type": "PEM",
        "listener.name.door.ssl.keystore.location": str(certificate(tmp_path)),
    }
    cluster = kafka.own_cluster(own=own)
    await asyncio.to_thread(cluster.start)
    yield KafkaSettings(
        kafka=f"127.0.0.1:{port}",
        kafka_security="sasl_ssl",
        kafka_sasl_mechanism="PLAIN",
        kafka_username="windlass",
        kafka_password=SecretStr("sesame"),
        kafka_ca_file=tmp_path / "ca.pem",
        kafka_partitions=1,
    )
    await asyncio.to_thread(cluster.stop)


async def test_events_pass_a_door_that_asks_for_a_name_under_tls(
    guarded: KafkaSettings, database: PostgresDatabase
) -> None:
    await create_topics(guarded)
    async with consuming(KafkaBus(database, [Listener(database).subscription], guarded, "one")):
        await say(database, line("run/a", 0))
        assert await until_noted(database, 1) == ["run/a 0"]
    wrong = guarded.model_copy(update={"kafka_password": SecretStr("open")})
    with pytest.raises(TryAgain, match="Invalid username or password"):
        await create_topics(wrong)
    doubted = guarded.model_copy(update={"kafka_ca_file": None})
    with pytest.raises(TryAgain, match=r"self.signed certificate"):
        await create_topics(doubted)
