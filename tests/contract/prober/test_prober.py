"""What every prober does, the real one and the fake."""

import pytest

from services.verifier.adapters.fakes import Page
from services.verifier.probe import BODY_BYTES_MAX
from tests.contract.prober.webs import FOR_EVER, Web, probe


async def test_an_answer_is_told_as_it_came(web: Web) -> None:
    web.put("/health", Page(503, "down", release="run-7"))
    answer = await web.prober.ask(probe(f"{web.base}/health"))
    assert (answer.status, answer.body, answer.release, answer.fault) == (503, "down", "run-7", "")
    assert answer.url == f"{web.base}/health"
    assert 0.0 <= answer.latency_seconds < 5.0


async def test_a_slow_answer_is_told_with_its_time(web: Web) -> None:
    web.put("/", Page(body="late", after_seconds=0.2))
    answer = await web.prober.ask(probe(f"{web.base}/"))
    assert answer.body == "late"
    assert 0.15 <= answer.latency_seconds < 3.0


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


async def test_a_name_is_probed_at_a_permitted_address(web: Web) -> None:
    web.put("/", Page(body="hello"))
    inside = web.base.replace("127.0.0.1", "inside.example")
    answer = await web.prober.ask(probe(f"{inside}/"))
    assert answer.body == "hello"
