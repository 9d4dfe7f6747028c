"""What only a network does: broken answers, names, TLS."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.verifier.adapters.fakes import Page
from services.verifier.adapters.http_prober import HttpProber, resolve_host
from services.verifier.probe import BODY_BYTES_MAX
from shared.clock import SystemClock
from tests.contract.prober.webs import AMPLE, FOR_EVER, RawServer, connection, probe
from tests.hurried_clock import HurriedClock
from tests.integration.process.conftest import until


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        pytest.param(b"", "broken", id="nothing at all"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", "broken", id="another protocol"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01" * 50, "broken", id="bytes"),
        pytest.param(b"HTTP/1.1 abc Said\r\n\r\n", "broken", id="a status that is no number"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "broken", id="half a body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "broken", id="a negative length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "broken",
            id="a chunk without a size",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000, "broken", id="a head without an end"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: y\r\n" % n for n in range(100_000)) + b"\r\n",
            "broken",
            id="a head of a hundred thousand lines",
        ),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000, "broken", id="promises without an answer"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nold", "", id="HTTP/1.0, ended by closing"),
    ],
)
async def test_what_is_not_http_is_an_answer_too(
    server: RawServer, http_prober: HttpProber, raw: bytes, fault: str
) -> None:
    server.pages["/"] = raw
    answer = await http_prober.ask(probe(f"http://127.0.0.1:{server.port}/"))
    assert answer.fault == fault
    assert bool(answer.problem) is bool(fault)


async def test_a_connection_that_is_refused_is_told(http_prober: HttpProber, silent_port: int) -> None:
    answer = await http_prober.ask(probe(f"http://127.0.0.1:{silent_port}/"))
    assert (answer.status, answer.fault, answer.problem) == (None, "refused", "connection refused")


async def test_a_body_without_end_costs_a_bounded_read(server: RawServer, http_prober: HttpProber) -> None:
    server.pages["/"] = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 50_000_000
    answer = await http_prober.ask(probe(f"http://127.0.0.1:{server.port}/"))
    assert len(answer.body) == BODY_BYTES_MAX
    assert server.sent < 20_000_000


async def test_a_compressed_answer_is_not_unpacked(server: RawServer, http_prober: HttpProber) -> None:
    bomb = b"\x1f\x8b\x08\x00" + b"\x00" * 100
    server.pages["/"] = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 104\r\n\r\n" + bomb
    answer = await http_prober.ask(probe(f"http://127.0.0.1:{server.port}/"))
    assert (answer.status, answer.fault, len(answer.body)) == (200, "", 104)


async def test_nothing_is_carried_from_probe_to_probe(server: RawServer, http_prober: HttpProber) -> None:
    server.pages["/"] = Page(body="hello")
    for _ in range(2):
        await http_prober.ask(probe(f"http://127.0.0.1:{server.port}/"))
    assert len(server.requests) == 2
    for head in server.requests:
        assert head.startswith("GET / HTTP/1.1\r\n")
        assert "connection: close" in head.lower()
        assert "cookie" not in head.lower()
        assert "authorization" not in head.lower()


async def test_a_name_is_resolved_once_a_probe_and_asked_for_by_name(
    server: RawServer, trusted: ssl.SSLContext
) -> None:
    server.pages["/"] = Page(body="hello")
    asked: list[str] = []

    async def rebinding(host: str, _: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    prober = HttpProber(SystemClock(), rebinding, trusted)
    first = await prober.ask(probe(f"http://shop.example:{server.port}/"))
    second = await prober.ask(probe(f"http://shop.example:{server.port}/"))
    await prober.close()
    assert (first.status, second.fault) == (200, "forbidden")
    assert asked == ["shop.example", "shop.example"]
    assert f"host: shop.example:{server.port}" in server.requests[0].lower()


async def test_a_name_is_judged_anew_at_each_hop(server: RawServer, trusted: ssl.SSLContext) -> None:
    server.pages["/"] = Page(302, location=f"http://shop.example:{server.port}/inside")
    server.pages["/inside"] = Page(body="credentials")
    asked: list[str] = []

    async def rebinding(host: str, _: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    prober = HttpProber(SystemClock(), rebinding, trusted)
    answer = await prober.ask(probe(f"http://shop.example:{server.port}/", follow=True))
    await prober.close()
    assert (answer.status, answer.fault, answer.body) == (None, "forbidden", "")
    assert (len(server.requests), len(asked)) == (1, 2)


async def test_a_connection_is_made_to_the_address_that_was_judged(
    trusted: ssl.SSLContext, silent_port: int
) -> None:
    asked: list[str] = []

    async def rebinding(host: str, _: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    prober = HttpProber(SystemClock(), rebinding, trusted)
    first = await prober.connect(connection("shop.example", silent_port))
    second = await prober.connect(connection("shop.example", 80))
    await prober.close()
    assert (first.fault, second.fault, len(asked)) == ("refused", "forbidden", 2)


async def test_a_connection_that_nobody_takes_ends_with_its_time(trusted: ssl.SSLContext) -> None:
    async def hanging(_host: str, _port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    prober = HttpProber(SystemClock(), hanging, trusted)
    answer = await prober.connect(connection("shop.example", 80, seconds=0.1))
    await prober.close()
    assert answer.fault == "timeout"


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000, id="a body"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 5000, id="a head"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 5000, id="promises"),
    ],
)
async def test_what_drips_ends_with_the_probes_time(
    server: RawServer, http_prober: HttpProber, page: bytes
) -> None:
    server.pages["/"] = page
    server.pause_seconds = 0.01
    answer = await http_prober.ask(probe(f"http://127.0.0.1:{server.port}/", seconds=0.3))
    assert (answer.status, answer.fault) == (None, "timeout")
    assert answer.latency_seconds < AMPLE  # all of it takes longer


async def test_the_next_address_is_tried_where_one_refuses(
    server: RawServer, trusted: ssl.SSLContext
) -> None:
    server.pages["/"] = Page(body="hello")

    async def several(_host: str, _port: int) -> Sequence[str]:
        return ["169.254.169.254", "127.0.0.9", "127.0.0.1"]

    prober = HttpProber(SystemClock(), several, trusted)
    answer = await prober.ask(probe(f"http://shop.example:{server.port}/"))
    await prober.close()
    assert answer.body == "hello"


async def test_a_name_without_an_address_is_told(trusted: ssl.SSLContext) -> None:
    async def nowhere(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    prober = HttpProber(SystemClock(), nowhere, trusted)
    answer = await prober.ask(probe("http://shop.example/"))
    await prober.close()
    assert (answer.status, answer.fault) == (None, "unresolved")
    assert answer.problem.startswith("the name shop.example has no address")


async def test_a_resolver_that_hangs_ends_with_the_probes_time(trusted: ssl.SSLContext) -> None:
    async def hanging(_host: str, _port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    prober = HttpProber(SystemClock(), hanging, trusted)
    answer = await prober.ask(probe("http://shop.example/", seconds=0.1))
    await prober.close()
    assert answer.fault == "timeout"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://[::1", id="half an address"),
        pytest.param("http://127.0.0.1:99999/", id="a port that is none"),
        pytest.param("http://127.0.0.1:0/", id="port zero"),
        pytest.param("http://\x00/", id="a control character"),
        pytest.param("http://" + "a" * 300 + "/", id="a label that is too long"),
        pytest.param("http://xn--/", id="a broken international name"),
        pytest.param("", id="nothing"),
        pytest.param("http://[fe80::1%25lo]/", id="a zone"),
        pytest.param("http://[fe80::a9fe:a9fe%25eth0]/", id="metadata with a zone"),
        pytest.param("http://169.254.169.254./", id="a trailing dot"),
        pytest.param("http://0251.0376.0251.0376/", id="octal parts"),
        pytest.param("http://①⑥⑨.②⑤④.①⑥⑨.②⑤④/", id="digits that are none"),
        pytest.param("http://169。254。169。254/", id="dots that are none"),
        pytest.param("http://\uff11\uff16\uff19.254.169.254/", id="wide digits"),
        pytest.param("http://user:pw@127.0.0.1/", id="credentials"),
        pytest.param("http://shop.example@169.254.169.254/", id="a host in the place of credentials"),
        pytest.param("http://@127.0.0.1:0/", id="empty credentials"),
        pytest.param("unix:///var/run/docker.sock", id="a socket"),
        pytest.param("HTTP+UNIX://%2Fvar%2Frun/", id="a socket in disguise"),
        pytest.param("tcp://127.0.0.1:22/", id="another protocol"),
        pytest.param("http://0x7f.1.example\\@127.0.0.1/", id="a backslash"),
    ],
)
async def test_an_address_that_is_none_is_an_answer_too(url: str, trusted: ssl.SSLContext) -> None:
    prober = HttpProber(SystemClock(), resolve_host, trusted)
    answer = await prober.ask(probe(url, seconds=5.0))
    await prober.close()
    assert answer.status is None
    assert answer.fault in {"forbidden", "unresolved"}


async def test_the_machines_own_names_are_resolved() -> None:
    assert "127.0.0.1" in await resolve_host("localhost", 80)


@pytest.mark.parametrize(
    ("host", "fault"),
    [
        pytest.param("shop.example", "", id="the certificate's name"),
        pytest.param("other.example", "tls", id="another name"),
    ],
)
async def test_a_certificate_is_held_against_the_name_not_the_address(
    tmp_path: Path, server: RawServer, host: str, fault: str
) -> None:
    server.pages["/"] = Page(body="secret")
    chain, key = certificate_for("shop.example", tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]

    async def here(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    prober = HttpProber(SystemClock(), here, ssl.create_default_context(cafile=str(chain)))
    answer = await prober.ask(probe(f"https://{host}:{port}/"))
    await prober.close()
    listening.close()
    assert (answer.fault, answer.body) == (fault, "" if fault else "secret")


async def test_a_certificate_nobody_vouches_for_is_told(
    tmp_path: Path, server: RawServer, trusted: ssl.SSLContext
) -> None:
    chain, key = certificate_for("localhost", tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]
    prober = HttpProber(SystemClock(), resolve_host, trusted)
    answer = await prober.ask(probe(f"https://localhost:{port}/"))
    await prober.close()
    listening.close()
    assert answer.fault == "tls"
    assert answer.problem.startswith("its certificate is not trusted")


async def test_a_redirect_never_leaves_tls(tmp_path: Path, server: RawServer) -> None:
    server.pages["/"] = Page(302, location=f"http://localhost:{server.port}/plain")
    chain, key = certificate_for("localhost", tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]
    prober = HttpProber(SystemClock(), resolve_host, ssl.create_default_context(cafile=str(chain)))
    answer = await prober.ask(probe(f"https://localhost:{port}/", follow=True))
    await prober.close()
    listening.close()
    assert answer.fault == "redirect"
    assert len(server.requests) == 1


def certificate_for(name: str, folder: Path) -> tuple[Path, Path]:
    """Write a certificate that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return chain, secret


async def test_waiting_for_a_connection_is_no_part_of_a_probes_time(
    server: RawServer, trusted: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, clock, ahead = asyncio.get_running_loop(), HurriedClock(), 2 * AMPLE
    present = loop.time
    prober = HttpProber(clock, resolve_host, trusted, connections_max=1)
    server.pages |= {"/hangs": Page(after_seconds=FOR_EVER), "/": Page()}
    base = f"http://127.0.0.1:{server.port}"
    hanging = asyncio.ensure_future(prober.ask(probe(f"{base}/hangs")))
    await until(lambda: bool(server.requests))
    asking = asyncio.ensure_future(prober.ask(probe(f"{base}/")))
    taking = asyncio.ensure_future(prober.connect(connection("127.0.0.1", server.port)))
    await asyncio.sleep(0)  # they wait
    clock.put_on(ahead)
    monkeypatch.setattr(loop, "time", lambda: present() + ahead)  # whoever waits for a time has waited
    taken = await taking
    assert hanging.done(), "there is one connection for all"
    asked = await asking
    await prober.close()
    assert (await hanging).fault == "timeout"
    assert (asked.status, asked.fault, taken.fault) == (200, "", "")
    assert max(asked.latency_seconds, taken.latency_seconds) < AMPLE


async def test_whoever_is_called_off_while_waiting_takes_no_connection_along(
    server: RawServer, trusted: ssl.SSLContext
) -> None:
    prober = HttpProber(SystemClock(), resolve_host, trusted, connections_max=1)
    server.pages |= {"/hangs": Page(after_seconds=FOR_EVER), "/": Page()}
    base = f"http://127.0.0.1:{server.port}"
    asking = [asyncio.ensure_future(prober.ask(probe(f"{base}/hangs"))) for _ in range(2)]
    await until(lambda: bool(server.requests))
    for each in reversed(asking):
        each.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    assert (await prober.ask(probe(f"{base}/"))).status == 200
    await prober.close()
