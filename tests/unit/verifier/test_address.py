"""Which addresses may be probed."""

import pytest

from services.verifier.address import port_refusal, redirect_refusal, refusal, url_refusal

NEVER = [
    pytest.param("169.254.169.254", id="metadata of most clouds"),
    pytest.param("169.254.170.2", id="credentials of ECS tasks"),
    pytest.param("fd00:ec2::254", id="metadata of AWS over IPv6"),
    pytest.param("fd20:ce::254", id="metadata of Google over IPv6"),
    pytest.param("fd00:42::42", id="metadata of Scaleway over IPv6"),
    pytest.param("192.0.0.192", id="metadata of Oracle"),
    pytest.param("100.100.100.200", id="metadata of Alibaba"),
    pytest.param("::ffff:100.100.100.200", id="metadata of Alibaba, mapped"),
    pytest.param("::ffff:0:a9fe:a9fe", id="metadata, translated"),
    pytest.param("64:ff9b:1::a9fe:a9fe", id="metadata, behind a local NAT64"),
    pytest.param("2002:6464:64c8::", id="metadata of Alibaba, in 6to4"),
    pytest.param("64:ff9b::a83f:8110", id="Azure's host, behind NAT64"),
    pytest.param("::ffff:0.0.0.0", id="unspecified, mapped"),
    pytest.param("::ffff:224.0.0.1", id="multicast, mapped"),
    pytest.param("fe80::a9fe:a9fe", id="metadata of OpenStack over IPv6"),
    pytest.param("2130706433", id="a number is no address"),
    pytest.param("0x7f.1", id="nor are hexadecimal parts"),
    pytest.param("0177.0.0.1", id="nor octal ones"),
    pytest.param("127.0.0.1.", id="nor one with a dot too much"),
    pytest.param("168.63.129.16", id="Azure's host"),
    pytest.param("169.254.0.1", id="link-local"),
    pytest.param("fe80::1", id="link-local over IPv6"),
    pytest.param("fe80::1%eth0", id="link-local with a zone"),
    pytest.param("224.0.0.1", id="multicast"),
    pytest.param("ff02::1", id="multicast over IPv6"),
    pytest.param("0.0.0.0", id="unspecified, which reaches this host"),
    pytest.param("::", id="unspecified over IPv6"),
    pytest.param("255.255.255.255", id="broadcast"),
    pytest.param("240.0.0.1", id="reserved"),
    pytest.param("192.0.2.1", id="documentation"),
    pytest.param("::ffff:169.254.169.254", id="metadata, mapped"),
    pytest.param("::169.254.169.254", id="metadata, in the deprecated compatible form"),
    pytest.param("64:ff9b::a9fe:a9fe", id="metadata, behind NAT64"),
    pytest.param("2002:a9fe:a9fe::1", id="metadata, in 6to4"),
    pytest.param("2001:0:4136:e378:8000:63bf:5601:5601", id="metadata, in Teredo"),
    pytest.param("fec0::1", id="site-local"),
    pytest.param("localhost", id="a name is no address"),
    pytest.param("", id="nothing"),
]
WHEN_LOCAL = [
    pytest.param("127.0.0.1", id="loopback"),
    pytest.param("127.8.8.8", id="all of loopback"),
    pytest.param("::1", id="loopback over IPv6"),
    pytest.param("::ffff:127.0.0.1", id="loopback, mapped"),
    pytest.param("10.1.2.3", id="private ten"),
    pytest.param("172.16.0.1", id="private 172"),
    pytest.param("192.168.1.1", id="private 192"),
    pytest.param("100.64.0.1", id="shared with carriers"),
    pytest.param("fd12::1", id="unique local"),
    pytest.param("64:ff9b::7f00:1", id="loopback, behind NAT64"),
]
ALWAYS = [
    pytest.param("93.184.216.34", id="public"),
    pytest.param("2606:2800:220:1::1", id="public over IPv6"),
    pytest.param("::ffff:93.184.216.34", id="public, mapped"),
    pytest.param("172.15.255.255", id="beside the private 172"),
]


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_probed(address: str) -> None:
    assert refusal(address, private_addresses=True)
    assert refusal(address, private_addresses=False)


@pytest.mark.parametrize("address", WHEN_LOCAL)
def test_private_addresses_are_probed_for_a_local_target_only(address: str) -> None:
    assert refusal(address, private_addresses=True) == ""
    assert refusal(address, private_addresses=False)


@pytest.mark.parametrize("address", ALWAYS)
def test_public_addresses_are_probed(address: str) -> None:
    assert refusal(address, private_addresses=False) == ""
    assert refusal(address, private_addresses=True) == ""


@pytest.mark.parametrize(
    ("parts", "refused"),
    [
        pytest.param(("http", "a.example", ""), False, id="http"),
        pytest.param(("https", "a.example", ""), False, id="https"),
        pytest.param(("file", "a.example", ""), True, id="a file"),
        pytest.param(("gopher", "a.example", ""), True, id="gopher"),
        pytest.param(("", "a.example", ""), True, id="no scheme"),
        pytest.param(("http", "", ""), True, id="no host"),
        pytest.param(("http", "a.example", "me:secret"), True, id="credentials"),
    ],
)
def test_only_plain_web_addresses_are_probed(parts: tuple[str, str, str], refused: bool) -> None:
    assert bool(url_refusal(*parts)) is refused


@pytest.mark.parametrize(
    ("port", "refused"), [(1, False), (65_535, False), (0, True), (-1, True), (65_536, True), (10**9, True)]
)
def test_only_ports_that_there_are_are_probed(port: int, refused: bool) -> None:
    assert bool(port_refusal(port)) is refused


@pytest.mark.parametrize(
    ("schemes", "refused"),
    [
        pytest.param(("http", "http"), False, id="http stays http"),
        pytest.param(("http", "https"), False, id="http becomes https"),
        pytest.param(("https", "https"), False, id="https stays https"),
        pytest.param(("https", "http"), True, id="https may not fall back"),
    ],
)
def test_a_redirect_never_gives_up_tls(schemes: tuple[str, str], refused: bool) -> None:
    assert bool(redirect_refusal(*schemes)) is refused
