"""`windlass serve` as a process: what it waits for, what it survives, how it ends."""

import asyncio
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.migrations import HEAD
from deploy.migrations.postgres import bring_up_to_date
from services.embedded import data_folder
from shared.bus.kafka.settings import KafkaSettings
from shared.bus.kafka.topics import create_topics
from shared.clock import SystemClock
from shared.db.postgres import PostgresDatabase
from tests.integration.distributed.conftest import Serve
from tests.integration.distributed.process import WINDLASS, Passage, environment, missing, passage
from tests.ports import free_port

# Several programs are loaded one after the other, beside whatever else the machine has to do.
pytestmark = pytest.mark.timeout(150)


def through(url: str, way: Passage) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{way.port}")).geturl()


async def test_a_process_waits_for_all_it_needs_says_what_is_missing_and_survives_its_loss(
    postgres_url: str, kafka_address: str, kafka_prefix: str, serve: Serve
) -> None:
    parts = urlsplit(postgres_url)
    async with passage(f"{parts.hostname}:{parts.port}") as to_database, passage(kafka_address) as to_kafka:
        process = serve(
            {
                "WINDLASS_DATABASE": through(postgres_url, to_database),
                "WINDLASS_KAFKA": f"127.0.0.1:{to_kafka.port}",
                "WINDLASS_KAFKA_PREFIX": kafka_prefix,
                "WINDLASS_REPLICA": "one",
            }
        )
        process.start("classifier", "ingest")

        await process.until("/healthz", lambda answer: answer.status_code == 200)
        nothing = await process.until("/readyz", lambda answer: "database" in missing(answer))
        assert nothing.status_code == 503
        assert nothing.headers["content-type"] == "application/problem+json"
        assert set(missing(nothing)) == {"database", "start"}  # the bus was not tried yet
        closed = await process.get("/api/v1/repositories")
        assert (closed.status_code, closed.json()["title"]) == (503, "Not possible now")
        assert "windlass_database_up 0.0" in (await process.get("/metrics")).text

        await to_database.open()
        no_schema = await process.until("/readyz", lambda answer: set(missing(answer)) == {"start"})
        wanted = f"the schema is at nothing, this release needs {HEAD}: run windlass migrate"
        if missing(no_schema)["start"] != wanted:  # it has not looked again yet
            await process.until("/readyz", lambda answer: missing(answer)["start"] == wanted)

        await _bring_up_to_date(postgres_url)
        await process.until("/readyz", lambda answer: set(missing(answer)) == {"bus"})
        await to_kafka.open()
        await process.until("/readyz", lambda answer: "windlass topics create" in missing(answer)["bus"])
        assert (await process.get("/api/v1/repositories")).status_code == 401  # its routes are open

        await create_topics(KafkaSettings(kafka=kafka_address, kafka_prefix=kafka_prefix, kafka_partitions=1))
        await process.until("/readyz", lambda answer: answer.status_code == 200)

        await to_database.close()
        await process.until("/readyz", lambda answer: "database" in missing(answer))
        await to_database.open()
        await process.until("/readyz", lambda answer: answer.status_code == 200)

        process.tell(signal.SIGTERM)
        assert await process.ended() == 0
    assert "Traceback" not in process.log
    assert process.log.count("this release needs") == 1  # each reason is said once


async def test_a_folder_in_which_a_deployer_serves_is_neither_taken_nor_ended_by_others(
    serve: Serve, tmp_path: Path
) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    process = serve(
        {
            "WINDLASS_DATABASE": f"postgresql://windlass@{nobody}/windlass",
            "WINDLASS_KAFKA": nobody,
            "WINDLASS_REPLICA": "vm",
        }
    )
    process.start("deployer")
    await process.until("/healthz", lambda answer: answer.status_code == 200)
    for verb in ("down", "up"):
        refused = await asyncio.create_subprocess_exec(
            WINDLASS,
            verb,
            "--data",
            tmp_path / "data",
            env=environment(tmp_path, {"WINDLASS_PORT": "0"}),
            stderr=subprocess.PIPE,
        )
        said = (await refused.communicate())[1].decode()
        assert refused.returncode == 1, said
        assert said.startswith("windlass: `windlass serve deployer` (replica vm) uses the data folder"), said
    process.tell(signal.SIGTERM)
    assert await process.ended() == 0
    with data_folder.held(tmp_path / "data"):
        process.start("verifier", "builder")
        assert await process.ended() == 1
    assert "windlass: `windlass up` or `windlass down` (process" in process.log.splitlines()[-1]


async def test_what_nobody_but_a_person_can_mend_ends_it_with_one_sentence(
    schema_url: str, kafka_address: str, serve: Serve, tmp_path: Path
) -> None:
    process = serve(
        {
            "WINDLASS_DATABASE": schema_url,
            "WINDLASS_KAFKA": kafka_address,
            "WINDLASS_KAFKA_SECURITY": "ssl",
            "WINDLASS_KAFKA_CA_FILE": str(tmp_path / "none"),
            "WINDLASS_LOG_LEVEL": "error",
        }
    )
    process.start("classifier")
    assert await process.ended() == 1
    lines = process.log.splitlines()
    assert len(lines) == 2, process.log
    assert lines[1].startswith("windlass: a certificate or key for Kafka cannot be used")


async def _bring_up_to_date(url: str) -> None:
    database = PostgresDatabase(url, SystemClock())
    await bring_up_to_date(database)
    await database.close()
