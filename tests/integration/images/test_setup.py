"""What `docker compose up` does once, on real servers: repeated, it changes nothing that is in use."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.images import setup
from deploy.migrations import HEAD
from deploy.migrations.postgres import current
from services.cli.connection import find
from services.cli.faults import CommandFault
from shared.access import Access
from shared.bus.kafka import KafkaSettings
from shared.bus.kafka.topics import missing_topics
from shared.clock import SystemClock
from shared.db.postgres import PostgresDatabase
from shared.faults import TryAgain

pytestmark = pytest.mark.timeout(240)  # whoever comes first waits for a broker to start
SECONDS = 100.0


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[PostgresDatabase]:
    database = PostgresDatabase(postgres_url, SystemClock())
    yield database
    await database.close()


@pytest.fixture
def kafka(kafka_address: str, kafka_prefix: str) -> KafkaSettings:
    return KafkaSettings(kafka=kafka_address, kafka_prefix=kafka_prefix, kafka_partitions=1)


async def test_the_first_start_makes_everything_and_the_second_keeps_it(
    database: PostgresDatabase,
    kafka: KafkaSettings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await setup.set_up(database, kafka, tmp_path, SECONDS)
    assert await current(database) == HEAD
    assert await missing_topics(kafka) == []
    client = tmp_path / "client.json"
    token = json.loads(client.read_text())["token"]
    assert await Access(database).holder(token) == "owner"
    assert client.stat().st_mode & 0o777 == 0o600

    await setup.set_up(database, kafka, tmp_path, SECONDS)
    assert json.loads(client.read_text())["token"] == token
    assert await Access(database).holder(token) == "owner"
    assert token not in capsys.readouterr().out

    monkeypatch.delenv("WINDLASS_TOKEN", raising=False)
    found = find(tmp_path, None)
    assert (found.url, found.ingest_url, found.token) == (setup.STATUS_URL, setup.INGEST_URL, token)


async def test_a_database_that_was_deleted_gets_the_token_that_is_known(
    database: PostgresDatabase, kafka: KafkaSettings, tmp_path: Path
) -> None:
    known = {"url": setup.STATUS_URL, "token": "wl_from_before"}
    (tmp_path / "client.json").write_text(json.dumps(known))
    await setup.set_up(database, kafka, tmp_path, SECONDS)
    assert await Access(database).holder("wl_from_before") == "owner"


async def test_the_owners_token_is_shown_to_no_other_address(tmp_path: Path) -> None:
    known = {"url": setup.STATUS_URL, "ingest_url": setup.INGEST_URL, "token": "wl_secret"}
    (tmp_path / "client.json").write_text(json.dumps(known))
    with pytest.raises(CommandFault, match=r"no token for http://elsewhere\.example"):
        find(tmp_path, "http://elsewhere.example")


async def test_servers_that_stay_away_end_the_setup(tmp_path: Path) -> None:
    nobody = PostgresDatabase("postgresql://windlass@127.0.0.1:1/windlass", SystemClock())
    try:
        with pytest.raises(TryAgain):
            await setup.set_up(nobody, KafkaSettings(), tmp_path, seconds=0)
    finally:
        await nobody.close()
    assert not (tmp_path / "client.json").exists()
