"""The topics as they are on the brokers: made, looked for, brought in line."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from shared.bus.kafka.connection import MESSAGE_BYTES_MAX, client_arguments, why_unreachable
from shared.bus.kafka.settings import KafkaSettings
from shared.clock import Clock, SystemClock
from shared.events.topics import TOPICS, Topic
from shared.faults import Refused, TryAgain

# Longer than a consumer may be down, shorter than the inbox remembers (relay.INBOX_KEPT) by more than
# a segment: a segment goes when its newest message is that old. None is compacted: each message is a
# fact of its own, and the newest of a key does not say what the older ones said.
RETENTION: Mapping[Topic, timedelta] = {
    Topic.PUSHES: timedelta(days=14),
    Topic.REVISIONS: timedelta(days=14),
    Topic.STAGES: timedelta(days=14),
    Topic.BUILDS: timedelta(days=14),
    Topic.LOGS: timedelta(days=7),  # by far the largest; the status service keeps the lines
    Topic.ALARMS: timedelta(days=14),
    Topic.DEAD_LETTERS: timedelta(days=14),
}
SEGMENT = timedelta(days=1)
KNOWN_WITHIN = timedelta(seconds=20)
LOOK_SECONDS = 0.05

Outcome = Literal["created", "there", "grown", "differs"]


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic after `create_topics`."""

    name: str
    partitions: int
    outcome: Outcome
    note: str = ""  # what differs


@dataclass(frozen=True, slots=True)
class _Layout:
    """A topic as the brokers have it."""

    partitions: int
    copies: int  # of the partition that has fewest


async def create_topics(
    settings: KafkaSettings, *, grow: bool = False, clock: Clock | None = None
) -> list[TopicState]:
    """Make the topics that are missing and bring the settings of all in line; safe to repeat.

    More partitions than there are come into being with `grow` only: they send keys elsewhere, so two
    events of a key that are on their way may change places; stop the services first. Fewer never do.
    Raises `TryAgain` when the brokers are away, `Refused` when they will not have it.
    """
    async with _admin(settings) as admin:
        there = await _layouts(admin, settings)
        states = [await _bring_in_line(admin, settings, topic, there, grow) for topic in TOPICS]
        await _until_known(admin, settings, states, clock or SystemClock())
        await admin.alter_configs(
            [
                ConfigResource(ConfigResourceType.TOPIC, settings.topic(topic), _config(settings, topic))
                for topic in TOPICS
            ]
        )
    return states


async def missing_topics(settings: KafkaSettings) -> list[str]:
    """Return which of our topics the brokers do not have; `TryAgain` when they are away."""
    async with _admin(settings) as admin:
        there = await _layouts(admin, settings)
    return [name for topic in TOPICS if (name := settings.topic(topic)) not in there]


async def _bring_in_line(
    admin: AIOKafkaAdminClient,
    settings: KafkaSettings,
    topic: Topic,
    there: Mapping[str, _Layout],
    grow: bool,  # noqa: FBT001 - passed on
) -> TopicState:
    name, wanted = settings.topic(topic), settings.kafka_partitions
    found = there.get(name)
    if found is None:
        return await _create(admin, settings, topic)
    copies = _about_copies(found, settings)
    if found.partitions == wanted:
        return TopicState(name, wanted, "there", copies)
    if found.partitions < wanted and grow:
        await admin.create_partitions({name: NewPartitions(wanted)})
        return TopicState(name, wanted, "grown", _joined(f"from {found.partitions}", copies))
    why = "see --grow" if found.partitions < wanted else "they are never taken away"
    return TopicState(name, found.partitions, "differs", _joined(f"{wanted} wanted: {why}", copies))


def _about_copies(found: _Layout, settings: KafkaSettings) -> str:
    """Return what differs about them, which is the brokers' administrator's to change; often nothing."""
    if found.copies == settings.kafka_replication:
        return ""
    return f"replication is {found.copies}, {settings.kafka_replication} wanted: kafka-reassign-partitions"


def _joined(*notes: str) -> str:
    return "; ".join(each for each in notes if each)


async def _create(admin: AIOKafkaAdminClient, settings: KafkaSettings, topic: Topic) -> TopicState:
    name, partitions = settings.topic(topic), settings.kafka_partitions
    answer = await admin.create_topics(
        [NewTopic(name, partitions, settings.kafka_replication, topic_configs=_config(settings, topic))]
    )
    for _, code, message in answer.topic_errors:
        error = for_code(code)
        if error is TopicAlreadyExistsError:
            raise TryAgain(f"the topic {name} is being made by another: ask again in a moment")
        if code:
            raise Refused(f"the brokers refuse the topic {name}: {message or error.__name__}")
    return TopicState(name, partitions, "created")


async def _until_known(
    admin: AIOKafkaAdminClient, settings: KafkaSettings, states: Sequence[TopicState], clock: Clock
) -> None:
    """Wait for what was decided by the controller to be known to the broker that is asked next."""
    wanted = {each.name: each.partitions for each in states}
    deadline = clock.now() + KNOWN_WITHIN
    while {name: each.partitions for name, each in (await _layouts(admin, settings)).items()} != wanted:
        if clock.now() > deadline:
            raise TryAgain(f"the brokers do not know their new topics after {KNOWN_WITHIN}")
        await clock.sleep(LOOK_SECONDS)


def _config(settings: KafkaSettings, topic: Topic) -> dict[str, str]:
    return {
        "cleanup.policy": "delete",
        "retention.ms": _milliseconds(RETENTION[topic]),
        "segment.ms": _milliseconds(SEGMENT),
        "max.message.bytes": str(MESSAGE_BYTES_MAX),
        "message.timestamp.type": "LogAppendTime",  # a host's wrong clock blocks and expires nothing
        "compression.type": "producer",  # a broker's own choice may be one that clients cannot read
        "unclean.leader.election.enable": "false",
        # One broker of three may die, and what is acknowledged is on two.
        "min.insync.replicas": str(max(settings.kafka_replication - 1, 1)),
    }


def _milliseconds(span: timedelta) -> str:
    return str(int(span.total_seconds() * 1000))


async def _layouts(admin: AIOKafkaAdminClient, settings: KafkaSettings) -> dict[str, _Layout]:
    names = [settings.topic(topic) for topic in TOPICS]
    there = set(await admin.list_topics()) & set(names)
    described = await admin.describe_topics(sorted(there)) if there else []
    return {each["topic"]: _layout(each["partitions"]) for each in described}


def _layout(partitions: Sequence[Mapping[str, Any]]) -> _Layout:
    return _Layout(len(partitions), min((len(each["replicas"]) for each in partitions), default=0))


@asynccontextmanager
async def _admin(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**client_arguments(settings, "windlass-admin"))
    try:
        await admin.start()
        yield admin
    except (KafkaError, OSError) as error:
        why = await why_unreachable(settings) or repr(error)
        raise TryAgain(f"Kafka does not answer as it should: {why}") from error
    finally:
        await admin.close()
