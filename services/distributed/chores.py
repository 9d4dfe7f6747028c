"""What prepares an installation and is done once: its schema, its topics, somebody's token.

Each loads only what it needs: whoever migrates need not wait for a web server to be loaded.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from deploy.migrations.postgres import bring_up_to_date
from services.distributed.connection import connected, is_not_there
from services.distributed.schema import why_unsuitable
from services.distributed.settings import DatabaseSettings
from shared.faults import Refused

if TYPE_CHECKING:
    from shared.bus.kafka.topics import TopicState


def database_settings() -> DatabaseSettings:
    """Return where the database is; Refused when that makes no sense."""
    return DatabaseSettings.read()


def migrate(settings: DatabaseSettings) -> list[str]:
    """Bring the schema up to date; return the revisions applied, in order."""
    return asyncio.run(_migrate(settings))


def way_out(fault: Exception) -> str:
    """Return what to do about a server that could not be used now."""
    if is_not_there(fault):
        return "Make it, owned by the user that WINDLASS_DATABASE names: createdb --owner USER NAME."
    return "Nothing is lost; run it again once that is mended."


def make_topics(*, grow: bool, **given: Any) -> list["TopicState"]:
    """Make the topics that are missing; return all of them."""
    from shared.bus.kafka.settings import KafkaSettings  # noqa: PLC0415
    from shared.bus.kafka.topics import create_topics  # noqa: PLC0415

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the fault that is raised says it all
    return asyncio.run(create_topics(KafkaSettings.read(**given), grow=grow))


def grant_token(holder: str, *, replace: bool) -> str:
    """Return a new token of the holder's; Refused where the name has one that is not to be replaced."""
    return asyncio.run(_grant(holder, DatabaseSettings.read(), replace=replace))


async def _migrate(settings: DatabaseSettings) -> list[str]:
    database = connected(settings, "windlass migrate")
    try:
        return await bring_up_to_date(database)
    finally:
        await database.close()


async def _grant(holder: str, settings: DatabaseSettings, *, replace: bool) -> str:
    from shared.access import Access, Grant, new_token  # noqa: PLC0415

    database = connected(settings, "windlass token")
    try:
        if reason := await why_unsuitable(database):
            raise Refused(reason)
        token = new_token()
        if refusal := await Access(database).give(Grant(holder, replace=replace), token):
            raise Refused(f"{refusal.why} {refusal.next}")
        return token
    finally:
        await database.close()
