"""What every prober does, the real one and the fake."""

from dataclasses import replace

import pytest

from services.verifier.adapters.fakes import Page
from services.verifier.probe import BODY_BYTES_MAX
from tests.contract.prober.webs import AMPLE, FOR_EVER, Web, connection, probe


async def test_an_answer_is_told_as_it_came(web: Web) -> None:
    web.put("/health", Page(503, "down", release="run-7"))
    answer = await web.prober.ask(probe(f"{web.base}/health"))
    assert (answer.status, answer.body, answer.release, answer.fault) == (503, "down", "run-7", "")
    assert answer.url == f"{web.base}/health"
    assert 0.0 <= answer.latency_seconds < AMPLE


async def test_a_slow_answer_is_told_with_its_time(web: Web) -> None:
    web.put("/", Page(body="late", after_seconds=0.2))
    answer = await web.prober.ask(probe(f"{web.base}/"))
    assert answer.body == "late"
    assert 0.15 <= answer.latency_seconds < AMPLE


async def test_a_hanging_answer_ends_with_the_probes_time(web: Web) -> None:
    web.put("/", Page(after_seconds=FOR_EVER))
    answer = await web.prober.ask(probe(f"{web.base}/", seconds=0.2))
    assert (answer.status, answer.fault) == (None, "timeout")
    assert answer.problem


async def test_a_huge_body_is_read_up_to_its_bound(web: Web) -> None:
    web.put("/", Page(body="x" * 20_000_000))
    answer = await web.prober.ask(probe(f"{web.base}/"))
    assert (answer.status, len(answer.body)) == (200, BODY_BYTES_MAX)


async def test_a_redirect_is_an_answer_of_its_own(web: Web) -> None:
    web.put("/", Page(302, location="/login"))
    web.put("/login", Page(body="please"))
    answer = await web.prober.ask(probe(f"{web.base}/"))
    assert (answer.status, answer.location) == (302, "/login")
    assert web.asked() == ["/"]


async def test_a_redirect_is_followed_where_that_is_asked_for(web: Web) -> None:
    web.put("/", Page(302, location="/a"))
    web.put("/a", Page(307, location=f"{web.base}/b"))
    web.put("/b", Page(body="there", release="run-7"))
    answer = await web.prober.ask(probe(f"{web.base}/", follow=True))
    assert (answer.status, answer.body, answer.release) == (200, "there", "run-7")
    assert answer.url == f"{web.base}/b"


async def test_a_redirect_without_a_place_is_the_answer(web: Web) -> None:
    web.put("/", Page(304))
    answer = await web.prober.ask(probe(f"{web.base}/", follow=True))
    assert (answer.status, answer.fault) == (304, "")


async def test_a_redirect_loop_ends_after_five(web: Web) -> None:
    web.put("/", Page(302, location="/"))
    answer = await web.prober.ask(probe(f"{web.base}/", follow=True))
    assert (answer.status, answer.fault) == (None, "redirect")
    assert len(web.asked()) == 6


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("http://169.254.169.254/latest/meta-data/", id="metadata by its address"),
        pytest.param("//169.254.169.254/latest/meta-data/", id="metadata without a scheme"),
        pytest.param("http://metadata.example/latest/", id="metadata by a name"),
        pytest.param("http://[fd00:ec2::254]/latest/", id="metadata over IPv6"),
        pytest.param("http://[::ffff:169.254.169.254]/", id="metadata, mapped"),
        pytest.param("http://[::ffff:a9fe:a9fe]/", id="metadata, mapped and in hexadecimal"),
        pytest.param("http://[64:ff9b::a9fe:a9fe]/", id="metadata, behind NAT64"),
        pytest.param("http://[2002:a9fe:a9fe::]/", id="metadata, in 6to4"),
        pytest.param("http://[2001:0:4136:e378:8000:63bf:5601:5601]/", id="metadata, in Teredo"),
        pytest.param("http://2852039166/latest/", id="metadata as one number"),
        pytest.param("http://0xa9fea9fe/", id="metadata in hexadecimal"),
        pytest.param("http://0xa9.0xfe.0xa9.0xfe/", id="metadata in hexadecimal parts"),
        pytest.param("http://025177524776/", id="metadata in octal"),
        pytest.param("http://169.254.43518/", id="metadata in three parts"),
        pytest.param("http://100.100.100.200/", id="metadata of Alibaba"),
        pytest.param("http://168.63.129.16/machine", id="Azure's host"),
        pytest.param("http://224.0.0.1/", id="multicast"),
        pytest.param("http://0.0.0.0:1/", id="this host in disguise"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("http://me:secret@127.0.0.1/", id="credentials"),
    ],
)
async def test_a_redirect_is_guarded_like_the_first_address(web: Web, location: str) -> None:
    web.put("/", Page(302, location=location))
    answer = await web.prober.ask(probe(f"{web.base}/", follow=True))
    assert (answer.status, answer.fault, answer.body) == (None, "forbidden", "")
    assert web.asked() == ["/"]


@pytest.mark.parametrize(
    ("url", "private"),
    [
        pytest.param("http://127.0.0.1:{port}/", False, id="loopback for a target that is not local"),
        pytest.param("http://inside.example:{port}/", False, id="a name that leads inside"),
        pytest.param("http://[::ffff:127.0.0.1]:{port}/", False, id="loopback, mapped"),
        pytest.param("http://169.254.169.254/", True, id="metadata, also for a local target"),
        pytest.param("http://metadata.example/", True, id="metadata by a name"),
        pytest.param("ftp://127.0.0.1/", True, id="another scheme"),
        pytest.param("http:///", True, id="no host"),
    ],
)
async def test_a_forbidden_address_is_never_connected_to(web: Web, url: str, private: bool) -> None:
    port = web.base.rpartition(":")[2]
    answer = await web.prober.ask(probe(url.replace("{port}", port), private=private))
    assert (answer.status, answer.fault) == (None, "forbidden")
    assert answer.problem
    assert web.asked() == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "127.1",
        "[::1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ],
)
async def test_loopback_is_private_however_it_is_written(web: Web, host: str) -> None:
    web.put("/", Page(body="inside"))
    port = web.base.rpartition(":")[2]
    answer = await web.prober.ask(probe(f"http://{host}:{port}/", private=False))
    assert (answer.status, answer.fault, answer.body) == (None, "forbidden", "")
    assert web.asked() == []
    joined = await web.prober.connect(connection(host.strip("[]"), int(port), private=False))
    assert joined.fault == "forbidden"
    assert web.asked() == []


async def test_a_path_that_is_not_there_is_told_so(web: Web) -> None:
    web.put("/", Page(body="hello"))
    answer = await web.prober.ask(probe(f"{web.base}/health"))
    assert (answer.status, answer.fault) == (404, "")


async def test_a_header_of_the_services_own_is_told_where_it_is_asked_for(web: Web) -> None:
    web.put("/", Page(headers={"X-Release": "v7", "X-Other": "no"}))
    asked = replace(probe(f"{web.base}/"), marker_header="x-release")
    assert (await web.prober.ask(asked)).marker == "v7"
    assert (await web.prober.ask(probe(f"{web.base}/"))).marker == ""
    assert (await web.prober.ask(replace(asked, marker_header="X-Missing"))).marker == ""


async def test_a_port_takes_a_connection_or_does_not(web: Web, silent_port: int) -> None:
    web.put("/", Page())
    port = int(web.base.rpartition(":")[2])
    taken = await web.prober.connect(connection("127.0.0.1", port))
    assert (taken.fault, taken.status, taken.problem) == ("", None, "")
    named = await web.prober.connect(connection("inside.example", port))
    assert named.fault == ""
    refused = await web.prober.connect(connection("127.0.0.1", silent_port))
    assert (refused.fault, refused.problem) == ("refused", "connection refused")


@pytest.mark.parametrize(
    ("host", "port"),
    [
        pytest.param("169.254.169.254", 80, id="metadata"),
        pytest.param("2852039166", 80, id="metadata as a number"),
        pytest.param("metadata.example", 80, id="metadata by a name"),
        pytest.param("0.0.0.0", 80, id="this host in disguise"),
        pytest.param("127.0.0.1", 0, id="port zero"),
        pytest.param("127.0.0.1", 65_536, id="a port that is none"),
        pytest.param("127.0.0.1", -1, id="a negative port"),
        pytest.param("", 80, id="no host"),
    ],
)
async def test_a_connection_is_guarded_like_a_get(web: Web, host: str, port: int) -> None:
    answer = await web.prober.connect(connection(host, port))
    assert answer.fault == "forbidden"
    assert "may not be probed" in answer.problem


async def test_a_name_is_probed_at_a_permitted_address(web: Web) -> None:
    web.put("/", Page(body="hello"))
    inside = web.base.replace("127.0.0.1", "inside.example")
    answer = await web.prober.ask(probe(f"{inside}/"))
    assert answer.body == "hello"
