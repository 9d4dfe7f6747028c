"""The servers that tests stand on, for all suites. Whoever does not ask for one does not start it."""

import gc
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from deploy.kafka import Cluster
from tests.servers import kafka, postgres, run

# Every machine tries the same examples, and how long one takes is the machine's affair. Others are tried with
# `pytest --hypothesis-profile=default`.
settings.register_profile(
    "same", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")

NEEDS = {"kafka_address": kafka.prepare, "own_kafka": kafka.prepare_own, "postgres_url": postgres.prepare}


def pytest_configure(config: pytest.Config) -> None:
    """Open the run, before xdist starts its workers."""
    run.begin()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch what the chosen tests stand on: within a test there might not be the time for it.

    What was collected stays to the end, so it is not looked through again and again for garbage.
    """
    gc.collect()
    gc.freeze()
    wanted = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    for fixture, prepare in NEEDS.items():
        if fixture in wanted:
            try:
                prepare()
            except run.NoServer:
                continue  # each test that needs it says so


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how much was explored: a proof that looked at nothing must not pass for one."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "explored":
                terminalreporter.write_line(f"explored: {value}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End every server of the run; also after an interrupt."""
    run.end()


@pytest.fixture(scope="session")
def kafka_address() -> str:
    """Give the run's broker, as host:port."""
    return kafka.address()


@pytest.fixture
async def kafka_prefix(kafka_address: str) -> AsyncIterator[str]:
    """Give what this test puts before its topics and groups; its topics are deleted afterwards."""
    prefix = kafka.fresh_prefix()
    yield prefix
    await kafka.forget(kafka_address, prefix)


@pytest.fixture
def own_kafka() -> Iterator[Callable[[int], Cluster]]:
    """Give clusters of as many nodes as asked for, not started yet, that this test may stop and kill."""
    made: list[Cluster] = []

    def make(nodes: int = 1) -> Cluster:
        made.append(kafka.own_cluster(nodes))
        return made[-1]

    yield make
    for cluster in made:
        cluster.kill()


@pytest.fixture
async def postgres_url() -> AsyncIterator[str]:
    """Give the address of a fresh, empty database, dropped afterwards whoever is connected to it."""
    url = await postgres.create_database(postgres.address())
    yield url
    await postgres.drop_database(url)


@pytest.fixture
def own_postgres() -> Iterator[postgres.OwnPostgres]:
    """Give a server, started, that this test may stop and kill."""
    server = postgres.OwnPostgres()
    try:
        server.start()
        yield server
    finally:
        server.stop()
