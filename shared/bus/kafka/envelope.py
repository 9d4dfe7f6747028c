"""Our envelope on Kafka: CloudEvents 1.0, binary content mode of its Kafka protocol binding.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
Attributes are headers named `ce_…`, the body is the value, the key is the partition key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

CONTENT_TYPE = b"application/json"
OPTIONAL = ("subject", "correlationid", "causationid", "traceparent")

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Attributes:
    """What an event's headers say."""

    id: UUID
    type: str
    source: str
    subject: str
    time: datetime
    correlation: str
    causation: UUID | None
    traceparent: str


class NotAnEnvelope(ValueError):  # noqa: N818 - named for what it is
    """The headers are not those of an event of ours; says what is wrong."""


def headers_of(row: sa.Row[Any]) -> Headers:
    """Return an outbox row's attributes as headers."""
    attributes = {
        "specversion": "1.0",
        "id": str(row.id),
        "type": row.type,
        "source": row.source,
        "subject": row.subject,
        "time": row.time.isoformat(),
        "partitionkey": row.key,
        "correlationid": row.correlation,
        "causationid": str(row.causation) if row.causation else "",
        "traceparent": row.traceparent,
    }
    said = [(f"ce_{name}", value.encode()) for name, value in attributes.items() if value]
    return [("content-type", CONTENT_TYPE), *said]


def attributes_of(headers: Mapping[str, bytes]) -> Attributes:
    """Return what the headers say; raises `NotAnEnvelope`."""
    try:
        said = {name[3:]: value.decode() for name, value in headers.items() if name.startswith("ce_")}
        optional = {name: said.get(name, "") for name in OPTIONAL}
        return Attributes(
            id=UUID(said["id"]),
            type=said["type"],
            source=said["source"],
            subject=optional["subject"],
            time=_instant(said["time"]),
            correlation=optional["correlationid"],
            causation=UUID(optional["causationid"]) if optional["causationid"] else None,
            traceparent=optional["traceparent"],
        )
    except KeyError as error:
        raise NotAnEnvelope(f"it has no header ce_{error.args[0]}") from error
    except ValueError as error:
        raise NotAnEnvelope(f"a ce_ header makes no sense: {error}") from error


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"the time {text!a} has no zone")
    return instant
