"""Which addresses of brokers are taken."""

import pytest

from shared.bus.kafka.settings import KafkaSettings
from shared.faults import Refused


@pytest.mark.parametrize("given", ["broker:9092", "a.b:1, c_d-e:65535", "[::1]:9092,10.0.0.1:9092"])
def test_hosts_with_their_ports_are_addresses(given: str) -> None:
    assert KafkaSettings.read(kafka=given).kafka == given


@pytest.mark.parametrize(
    "given", ["", "broker", "broker:", ":9092", "b:x", "b:0", "b:65536", "::1:9092", "a:1,,b:2", "a:1,b"]
)
def test_an_address_without_a_port_or_with_a_bad_one_is_refused_by_name(given: str) -> None:
    with pytest.raises(Refused, match=r"WINDLASS_KAFKA\) cannot be .*: it has the form host:port,host:port"):
        KafkaSettings.read(kafka=given)
