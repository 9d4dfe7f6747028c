"""`docs/asyncapi.json`: the topics, what is on them, who says it and who hears it.

FastStream describes the messages, from the models that are published; the wiring of the services says
who hears them. What its generator does not know is added here: one channel a topic, keys, the
CloudEvents headers of `shared/bus/kafka/envelope.py`, and who says what.
"""

import inspect
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI

from deploy.docs.speakers import said_by
from deploy.docs.wiring import wired
from shared.bus.kafka.settings import KafkaSettings
from shared.delivery import TYPES
from shared.events import TOPICS, Event, Topic
from shared.service import Service

EVENTS: tuple[type[Event], ...] = tuple(TYPES.values())
BINDING = "0.5.0"  # of AsyncAPI's Kafka binding
ENVELOPE = "CloudEvent"  # the schema of the headers

Json = dict[str, Any]

HEADERS: Mapping[str, Json] = {
    "content-type": {"const": "application/json"},
    "ce_specversion": {"const": "1.0"},
    "ce_id": {"format": "uuid", "description": "Derived: the same thing said twice has the same id."},
    "ce_type": {},
    "ce_source": {"description": "The service that said it."},
    "ce_subject": {"description": "What it is about."},
    "ce_time": {"format": "date-time", "description": "When it was committed."},
    "ce_partitionkey": {"description": "The key, as it is beside the message."},
    "ce_correlationid": {"description": "The deployment it belongs to: pipeline@revision."},
    "ce_causationid": {"format": "uuid", "description": "The event that brought it about."},
    "ce_traceparent": {"description": "W3C trace context."},
}
OPTIONAL = frozenset({"ce_subject", "ce_correlationid", "ce_causationid", "ce_traceparent"})


def render() -> str:
    """Return the AsyncAPI document of the whole installation."""
    with wired() as (_, services):
        return json.dumps(document(services), indent=2, sort_keys=True) + "\n"


def document(services: Iterable[Service]) -> Json:
    """Return the document as a dictionary."""
    described = _described_by_faststream()
    return {
        "asyncapi": described["asyncapi"],
        "info": described["info"],
        "defaultContentType": described["defaultContentType"],
        "channels": {topic.value: _channel(topic) for topic in TOPICS},
        "operations": dict(pair for service in services for pair in _operations(service)),
        "components": {
            "messages": {event.type: _message(event, described) for event in EVENTS},
            "schemas": {**described["components"]["schemas"], ENVELOPE: _envelope()},
        },
    }


def _described_by_faststream() -> Json:
    broker = KafkaBroker(ack_policy=AckPolicy.MANUAL)
    for event in EVENTS:
        broker.publisher(event.topic.value, title=event.type, description=_sentence(event), schema=event)
    spec = AsyncAPI(
        broker,
        title="Windlass",
        version="1",
        description="Events between the services; topics and groups carry WINDLASS_KAFKA_PREFIX in front.",
    )
    described: Json = spec.to_specification().to_jsonable()
    return described


def _channel(topic: Topic) -> Json:
    events = [event for event in EVENTS if event.topic is topic]
    return {
        "address": topic.value,
        "description": f"In order by {_keys(events)}.",
        "messages": {event.type: {"$ref": f"#/components/messages/{event.type}"} for event in events},
        "bindings": {"kafka": {"topic": topic.value, "bindingVersion": BINDING}},
    }


def _message(event: type[Event], described: Json) -> Json:
    made: Json = described["components"]["messages"][f"{event.type}:Message"]
    return {
        "name": event.type,
        "title": event.__name__,
        "summary": _sentence(event),
        "payload": made["payload"],
        "headers": {
            "allOf": [
                {"$ref": f"#/components/schemas/{ENVELOPE}"},
                {"type": "object", "properties": {"ce_type": {"const": event.type}}},
            ]
        },
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "bindings": {
            "kafka": {"key": {"type": "string", "description": _keys([event])}, "bindingVersion": BINDING}
        },
    }


def _operations(service: Service) -> Iterable[tuple[str, Json]]:
    name, group = service.name, KafkaSettings.model_construct(kafka_prefix="").group(service.name)
    for topic, events in _by_topic(said_by(name)).items():
        yield f"{name} says on {topic.value}", _operation("send", topic, events)
    for topic, events in _by_topic(service.subscription.handlers).items():
        heard = _operation("receive", topic, events)
        heard["bindings"] = {"kafka": {"groupId": {"const": group}, "bindingVersion": BINDING}}
        yield f"{name} hears on {topic.value}", heard


def _operation(action: str, topic: Topic, events: list[type[Event]]) -> Json:
    channel = f"#/channels/{topic.value}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{event.type}"} for event in events],
    }


def _by_topic(events: Iterable[type[Event]]) -> Mapping[Topic, list[type[Event]]]:
    found: defaultdict[Topic, list[type[Event]]] = defaultdict(list)
    for event in sorted(events, key=EVENTS.index):
        found[event.topic].append(event)
    return found


def _envelope() -> Json:
    return {
        "type": "object",
        "description": "CloudEvents 1.0, binary mode.",
        "properties": {name: {"type": "string", **more} for name, more in HEADERS.items()},
        "required": sorted(HEADERS.keys() - OPTIONAL),
    }


def _keys(events: Iterable[type[Event]]) -> str:
    """Return what orders them, as their `key` says."""
    return ", ".join(sorted({_sentence(event.key).removeprefix("Return ").rstrip(".") for event in events}))


def _sentence(documented: object) -> str:
    return (inspect.getdoc(documented) or "").splitlines()[0]
