"""A record from a topic, as the message that a group hears; or why it cannot be one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import structlog
from aiokafka import ConsumerRecord
from pydantic import ValidationError

from shared.bus.kafka.envelope import Attributes, NotAnEnvelope, attributes_of
from shared.delivery import TYPES, Handler, foreign_body, refusing, unread_body
from shared.events.envelope import Event, Message
from shared.events.topics import Topic

log = structlog.get_logger()


def read(
    record: ConsumerRecord, topic: Topic, handlers: Mapping[type[Event], Handler]
) -> tuple[Handler, Message[Any]] | None:
    """Return the message and who takes it; None when it does not concern the group.

    What is no event of ours, or does not parse, is taken by somebody who refuses it, with the reason.
    """
    try:
        attributes = attributes_of(dict(record.headers))
    except NotAnEnvelope as error:
        return refusing(f"it is no event of ours: {error}"), _nameless(record, foreign_body(topic))
    body_type = TYPES.get(attributes.type)
    if body_type is None:  # a newer release said it, so nobody here can have it in their table
        log.warning("event.passed_over", type=attributes.type, origin=origin_of(record))
        return None
    handler = handlers.get(body_type)
    if handler is None:
        return None
    try:
        return handler, _message(record, attributes, body_type.model_validate_json(record.value or b""))
    except ValidationError as error:
        stand_in = body_type.model_construct()  # carries type and topic, which is all that is asked of it
        message = _message(record, attributes, stand_in, record.value or b"")
        return refusing(f"the body does not parse: {error}"), message


def read_or_refuse(
    record: ConsumerRecord, topic: Topic, handlers: Mapping[type[Event], Handler]
) -> tuple[Handler, Message[Any]] | None:
    """Return the same, also when our reading itself breaks: whoever calls us would pass over the record."""
    try:
        return read(record, topic, handlers)
    except Exception as error:
        log.exception("event.unreadable", origin=origin_of(record))
        reason = f"reading it broke: {type(error).__name__}: {error}"
        return refusing(reason), _nameless(record, unread_body(topic))


def origin_of(record: ConsumerRecord) -> str:
    """Return where the record lies, for people."""
    return f"{record.topic}/{record.partition}@{record.offset}"


def _nameless(record: ConsumerRecord, body: Event) -> Message[Any]:
    attributes = Attributes(
        id=uuid5(NAMESPACE_URL, f"kafka:{origin_of(record)}"),
        type="",
        source="",
        subject=_key(record),
        time=_appended_at(record),
        correlation="",
        causation=None,
        traceparent="",
    )
    return _message(record, attributes, body, record.value or b"")


def _message(
    record: ConsumerRecord, attributes: Attributes, body: Event, raw: bytes | None = None
) -> Message[Any]:
    return Message(
        id=attributes.id,
        time=attributes.time,
        source=attributes.source,
        subject=attributes.subject,
        key=_key(record),
        correlation=attributes.correlation,
        causation=attributes.causation,
        traceparent=attributes.traceparent,
        body=body,
        position=record.offset + 1,  # from 1, as the outbox's are
        raw=raw,
        origin=origin_of(record),
        headers=_foreign_headers(record),
    )


def _appended_at(record: ConsumerRecord) -> datetime:
    try:
        return datetime.fromtimestamp(record.timestamp / 1000, UTC)
    except (OverflowError, ValueError, TypeError, OSError):  # its producer may have written anything
        return datetime.fromtimestamp(0, UTC)


def _key(record: ConsumerRecord) -> str:
    return _text(record.key)


def _foreign_headers(record: ConsumerRecord) -> dict[str, str]:
    ours = {name for name, _ in record.headers if name.startswith("ce_")} | {"content-type"}
    return {name: _text(value) for name, value in record.headers if name not in ours}


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "backslashreplace")
