"""A record from a topic, as the message that a group hears; or why it cannot be one."""

from collections.abc import Mapping
from typing import Any

import structlog
from aiokafka import ConsumerRecord
from pydantic import ValidationError

from shared.bus.kafka.envelope import Attributes, NotAnEnvelope, attributes_of
from shared.delivery import Handler, MessageDied
from shared.events import EVENT_TYPES
from shared.events.envelope import Event, Message
from shared.faults import Poison

TYPES: dict[str, type[Event]] = {**EVENT_TYPES, MessageDied.type: MessageDied}

log = structlog.get_logger()


def read(
    record: ConsumerRecord, handlers: Mapping[type[Event], Handler]
) -> tuple[Handler, Message[Any]] | None:
    """Return the message and who takes it; None when it does not concern the group."""
    try:
        attributes = attributes_of(dict(record.headers))
    except NotAnEnvelope as error:
        raise NotImplementedError from error
    body_type = TYPES.get(attributes.type)
    if body_type is None:  # a newer release said it, so nobody here can have it in their table
        log.warning("event.passed_over", type=attributes.type, origin=origin_of(record))
        return None
    handler = handlers.get(body_type)
    if handler is None:
        return None
    try:
        body = body_type.model_validate_json(record.value or b"")
    except ValidationError as error:
        body = body_type.model_construct()  # carries type and topic, which is all that is asked of it
        handler = _refusing(f"the body does not parse: {error}")
    return handler, _message(record, attributes, body)


def origin_of(record: ConsumerRecord) -> str:
    """Return where the record lies, for people."""
    return f"{record.topic}/{record.partition}@{record.offset}"


def _message(record: ConsumerRecord, attributes: Attributes, body: Event) -> Message[Any]:
    return Message(
        id=attributes.id,
        time=attributes.time,
        source=attributes.source,
        subject=attributes.subject,
        key=(record.key or b"").decode("utf-8", "backslashreplace"),
        correlation=attributes.correlation,
        causation=attributes.causation,
        traceparent=attributes.traceparent,
        body=body,
        position=record.offset + 1,  # from 1, as the outbox's are
    )


def _refusing(reason: str) -> Handler:
    async def refuse(_message: Message[Any]) -> None:
        raise Poison(reason)

    return refuse
