"""Our envelope in Kafka's headers, and who we are to the brokers."""

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from shared.bus.kafka.connection import client_arguments
from shared.bus.kafka.envelope import Attributes, NotAnEnvelope, attributes_of, headers_of
from shared.bus.kafka.settings import KafkaSettings
from shared.faults import Refused
from tests.builders import START, named

ROW: Any = SimpleNamespace(
    id=named("a"), type="windlass.push.received.v1", source="ingest", subject="acme/shop", time=START,
    key="acme/shop", correlation="shop@1", causation=named("b"), traceparent="00-1-2-01",
)  # fmt: skip


def test_what_is_written_into_headers_is_read_from_them() -> None:
    assert attributes_of(dict(headers_of(ROW))) == Attributes(
        id=named("a"),
        type="windlass.push.received.v1",
        source="ingest",
        subject="acme/shop",
        time=START,
        correlation="shop@1",
        causation=named("b"),
        traceparent="00-1-2-01",
    )


@pytest.mark.parametrize(
    ("header", "value", "complaint"),
    [
        pytest.param("ce_id", None, "it has no header ce_id", id="no id"),
        pytest.param("ce_type", None, "it has no header ce_type", id="no type"),
        pytest.param("ce_id", b"42", "makes no sense", id="an id that is none"),
        pytest.param("ce_time", b"yesterday", "makes no sense", id="a time that is none"),
        pytest.param("ce_time", b"2026-03-02T09:30:00", "has no zone", id="a time anywhere"),
        pytest.param("ce_source", b"\xff", "makes no sense", id="no text"),
    ],
)
def test_headers_that_are_not_ours_are_refused(header: str, value: bytes | None, complaint: str) -> None:
    headers = dict(headers_of(ROW))
    headers.pop(header)
    if value is not None:
        headers[header] = value
    with pytest.raises(NotAnEnvelope, match=complaint):
        attributes_of(headers)


def test_a_login_reaches_the_client_and_no_print() -> None:
    settings = KafkaSettings(
        kafka="a:1, b:2",
        kafka_security="sasl_ssl",
        kafka_sasl_mechanism="PLAIN",
        kafka_username="windlass",
        kafka_password=SecretStr("sesame"),
    )
    given = client_arguments(settings, "one")
    assert given["bootstrap_servers"] == ["a:1", "b:2"]
    assert (given["security_protocol"], given["sasl_mechanism"]) == ("SASL_SSL", "PLAIN")
    assert (given["sasl_plain_username"], given["sasl_plain_password"]) == ("windlass", "sesame")
    assert given["ssl_context"].check_hostname
    assert "sesame" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"kafka_security": "sasl_plaintext"}, "needs kafka_username"),
        ({"kafka_cert_file": "/c.pem"}, "go together"),
        ({"kafka_security": "tls"}, "kafka_security"),
        ({"kafka_prefix": "a b"}, "kafka_prefix"),
    ],
)
def test_settings_that_cannot_work_are_refused(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(Refused, match=complaint):
        KafkaSettings.read(**given)


def test_a_certificate_that_is_not_there_is_named() -> None:
    settings = KafkaSettings.read(kafka_security="ssl", kafka_ca_file="/no/such/ca.pem")
    with pytest.raises(Refused, match="cannot be used"):
        client_arguments(settings, "one")
