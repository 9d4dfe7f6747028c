"""`python -m deploy.images.setup`: what `docker compose up` does before any service starts.

The tables, the topics, and the owner's way in: `client.json` on a volume that only the containers of
this program and of `status` have, where `docker compose exec status windlass ...` finds it. The token
is not printed: what a container prints is kept in logs, and carried elsewhere. Everything is safe to
repeat, and is repeated at each `docker compose up`.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from deploy.images.settings import ImageSettings
from deploy.migrations.postgres import bring_up_to_date
from services.distributed.settings import DatabaseSettings
from services.embedded.client_file import write_client_file
from shared.access import Access
from shared.bus.kafka.settings import KafkaSettings
from shared.bus.kafka.topics import create_topics
from shared.clock import Clock, SystemClock
from shared.db.postgres import PostgresDatabase, PostgresSettings
from shared.faults import Refused, TryAgain

STATUS_URL = "http://127.0.0.1:8400"  # as the container sees them in which the owner's commands run
INGEST_URL = "http://ingest:8400"
LOOK_SECONDS = 1.0

Answer = TypeVar("Answer")


async def set_up(database: PostgresDatabase, kafka: KafkaSettings, folder: Path, seconds: float) -> None:
    """Make what is missing; servers that do not answer yet are waited for, no longer than `seconds`."""
    once_there = partial(until_answered, clock=database.clock, seconds=seconds)
    applied = await once_there(lambda: bring_up_to_date(database))
    _say(f"tables: {', '.join(applied) or 'up to date'}")
    topics = await once_there(lambda: create_topics(kafka))
    _say("topics: " + ", ".join(f"{each.name} {each.outcome}" for each in topics))
    await once_there(lambda: write_client_file(folder, STATUS_URL, Access(database), ingest_url=INGEST_URL))
    _say(f"the owner's token: in {folder}; try: docker compose exec status windlass status")


async def until_answered(ask: Callable[[], Awaitable[Answer]], *, clock: Clock, seconds: float) -> Answer:
    """Ask until there is an answer; raise the last fault when the time is over."""
    until = clock.now() + timedelta(seconds=seconds)
    while True:
        try:
            return await ask()
        except TryAgain as fault:
            if clock.now() >= until:
                raise
            _say(f"waiting: {fault}")
        await clock.sleep(LOOK_SECONDS)


async def _run() -> None:
    settings, own = DatabaseSettings.read(), ImageSettings.read()
    url = settings.database.get_secret_value()
    database = PostgresDatabase(url, SystemClock(), PostgresSettings(application_name="windlass setup"))
    try:
        await set_up(database, KafkaSettings.read(), settings.data, own.setup_seconds)
    finally:
        await database.close()


def _say(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201


def main() -> int:
    """Set up, and say in a sentence why if that is not possible."""
    try:
        asyncio.run(_run())
    except (Refused, TryAgain) as fault:
        print(f"setup: {fault}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
