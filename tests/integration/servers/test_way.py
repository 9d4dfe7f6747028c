"""The order in which a server is looked for, and what is said when there is none."""

from collections.abc import Callable

import pytest

from tests.servers.run import NoServer
from tests.servers.way import Wanted, choose

WANTED = Wanted("Kafka", "WINDLASS_TEST_KAFKA", "127.0.0.1:9092", "Java 17 and Maven", "maven")


def nothing() -> str:
    return ""


def obstacle(sentence: str) -> Callable[[], str]:
    return lambda: sentence


def unasked() -> str:
    raise AssertionError("it was not its turn")


@pytest.mark.parametrize(
    ("given", "docker", "native", "way"),
    [
        pytest.param("there:9092", unasked, unasked, "environment", id="an address that is given"),
        pytest.param("", nothing, unasked, "docker", id="else Docker"),
        pytest.param("", obstacle("no image"), nothing, "native", id="else native"),
    ],
)
def test_the_first_way_that_is_open_is_taken(
    given: str, docker: Callable[[], str], native: Callable[[], str], way: str
) -> None:
    facts = choose(WANTED, given, docker, native)
    assert (facts["way"], facts.get("address", "")) == (way, given)


def test_without_any_way_every_way_is_named_and_what_to_install() -> None:
    with pytest.raises(NoServer) as problem:
        choose(WANTED, "", obstacle("no engine runs"), obstacle("there is no `java` on PATH"))
    for said in ("WINDLASS_TEST_KAFKA", "no engine runs", "no `java` on PATH", "apt install maven"):
        assert said in str(problem.value)
