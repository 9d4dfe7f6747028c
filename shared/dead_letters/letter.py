"""A dead letter as its row has it, and a message as a letter keeps it. Pure."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.dead_letters.letter_state import LetterState
from shared.events.envelope import Event, Message
from shared.ids import derive

TEXT, BASE64 = "text", "base64"
FOREIGN = "foreign"  # the type of what was no event: no release can hear it, so it is never replayed
NUL = "\x00"  # which no text column takes
SUMMARY_CHARACTERS_MAX = 300


@dataclass(frozen=True, slots=True)
class Letter:
    """A row of `dead_letters`; what each column means stands there."""

    id: UUID
    consumer_group: str
    event: UUID
    type: str
    topic: str
    key: str
    subject: str
    source: str
    time: datetime
    correlation: str
    causation: UUID | None
    traceparent: str
    body: str
    body_encoding: str
    headers: dict[str, str]
    origin: str
    position: int
    reason: str
    attempts: int
    deaths: int
    died_at: datetime
    state: LetterState
    changed_at: datetime
    changed_by: str
    note: str

    @property
    def foreign(self) -> bool:
        """Tell whether it was never an event of ours."""
        return self.type == FOREIGN

    @property
    def raw(self) -> bytes:
        """Return the body as it arrived."""
        return b64decode(self.body) if self.body_encoding == BASE64 else self.body.encode()

    @property
    def summary(self) -> str:
        """Return the reason in one line: of a traceback that is the last."""
        lines = self.reason.strip().splitlines() or [""]
        last = lines[-1] if lines[0].startswith("Traceback") else lines[0]
        last = last.strip()
        return last if len(last) <= SUMMARY_CHARACTERS_MAX else f"{last[:SUMMARY_CHARACTERS_MAX]} […]"


def letter_id(group: str, event: UUID) -> UUID:
    """Return the id of the letter about an event that died in a group; dying again is the same letter."""
    return derive(event, f"dead letter of {group}")


def storable(text: str) -> str:
    """Return text that every database takes: what is none in it is spelled out."""
    return text.replace(NUL, "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def kept(message: Message[Event]) -> dict[str, Any]:
    """Return what a letter's row has of the message itself."""
    raw = message.body.model_dump_json() if message.raw is None else message.raw
    body, encoding = _body(raw)
    return {
        "event": message.id,
        "type": message.body.type,
        "topic": message.body.topic.value,
        "key": storable(message.key),
        "subject": storable(message.subject),
        "source": storable(message.source),
        "time": message.time,
        "correlation": storable(message.correlation),
        "causation": message.causation,
        "traceparent": storable(message.traceparent),
        "body": body,
        "body_encoding": encoding,
        "headers": _headers(message.headers),
        "origin": storable(message.origin),
        "position": message.position,
    }


def message_of(letter: Letter, body: Event) -> Message[Event]:
    """Return the message as its group would hear it from the bus."""
    return Message(
        id=letter.event,
        time=letter.time,
        source=letter.source,
        subject=letter.subject,
        key=letter.key,
        correlation=letter.correlation,
        causation=letter.causation,
        traceparent=letter.traceparent,
        body=body,
        position=0,  # it comes behind others of its key
        origin=letter.origin,
        raw=letter.raw,
        headers=letter.headers,
    )


def _body(raw: str | bytes) -> tuple[str, str]:
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = NUL
    return (b64encode(data).decode(), BASE64) if NUL in text else (text, TEXT)


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {storable(name): storable(value) for name, value in headers.items()}
