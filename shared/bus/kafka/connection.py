"""What every client of the brokers is given: addresses, and who we are."""

import ssl
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError
from faststream.security import (
    BaseSecurity,
    SASLPlaintext,
    SASLScram256,
    SASLScram512,
)

from shared.bus.kafka.settings import KafkaSettings
from shared.faults import Refused

REQUEST_SECONDS = 10.0  # until a broker that says nothing counts as away
MESSAGE_BYTES_MAX = 16 * 1024 * 1024  # of one message, also said to the topics
METADATA_SECONDS = 30.0  # how late topics and leaders that nobody stumbled upon are found

_SASL = {
    "PLAIN": SASLPlaintext,
    "SCRAM-SHA-256": SASLScram256,
    "SCRAM-SHA-512": SASLScram512,
}


def client_arguments(settings: KafkaSettings, client: str) -> dict[str, Any]:
    """Return what aiokafka's clients take; Refused where a file of ours cannot be used."""
    return {
        "bootstrap_servers": settings.addresses,
        "client_id": client,
        "request_timeout_ms": int(REQUEST_SECONDS * 1000),
        "metadata_max_age_ms": int(METADATA_SECONDS * 1000),
        "security_protocol": settings.kafka_security.upper(),
        "ssl_context": _ssl_context(settings),
        **_sasl_arguments(settings),
    }


async def why_unreachable(settings: KafkaSettings) -> str:
    """Ask the first broker alone, and return what stands in the way; empty when nothing does.

    The client that asks all of them only says that none has answered.
    """
    given = client_arguments(settings, "windlass-why")
    address = given.pop("bootstrap_servers")[0]
    host, _, port = address.rpartition(":")
    del given["metadata_max_age_ms"]
    try:
        connection = await create_conn(host.strip("[]"), int(port), **given)
    except (KafkaError, OSError, TimeoutError) as error:
        return f"{address}: {str(error) or type(error).__name__}"
    await connection.close()
    return ""


def security(settings: KafkaSettings) -> BaseSecurity:
    """Return the same as FastStream takes it."""
    context = _ssl_context(settings)
    encrypted = context is not None
    if not settings.kafka_security.startswith("sasl"):
        return BaseSecurity(ssl_context=context, use_ssl=encrypted)
    mechanism = _SASL[settings.kafka_sasl_mechanism]
    password = settings.kafka_password.get_secret_value()
    return mechanism(settings.kafka_username, password, ssl_context=context, use_ssl=encrypted)


def _sasl_arguments(settings: KafkaSettings) -> dict[str, str]:
    if not settings.kafka_security.startswith("sasl"):
        return {}
    return {
        "sasl_mechanism": settings.kafka_sasl_mechanism,
        "sasl_plain_username": settings.kafka_username,
        "sasl_plain_password": settings.kafka_password.get_secret_value(),
    }


def _ssl_context(settings: KafkaSettings) -> ssl.SSLContext | None:
    if not settings.kafka_security.endswith("ssl"):
        return None
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ca_file)
        if settings.kafka_cert_file is not None:
            context.load_cert_chain(settings.kafka_cert_file, settings.kafka_key_file)
    except OSError as error:  # an ssl.SSLError too
        raise Refused(f"a certificate or key for Kafka cannot be used: {error}") from error
    return context
