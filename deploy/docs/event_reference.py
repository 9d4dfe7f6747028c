"""`docs/events.md`: every event by topic, with its fields and the remarks beside them."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from deploy.docs.remarks import Member, members
from shared.delivery import TYPES
from shared.events import TOPICS, Event, Topic

HEAD = """\
# Events

Written by `make docs` from `shared/events`; do not edit.
Each event travels in a CloudEvents 1.0 envelope. Inside a version, fields are only ever added.
"""


def render() -> str:
    """Return the whole page."""
    return page(TYPES)


def page(events: Mapping[str, type[Event]]) -> str:
    """Return the reference of `events`, and of the parts their bodies are made of."""
    topics = [_topic(topic, [e for e in events.values() if e.topic is topic]) for topic in TOPICS]
    parts = "\n".join(model_section(part, f"### {part.__name__}") for part in parts_of(events.values()))
    return "\n".join([HEAD, *filter(None, topics), f"## Parts of bodies\n\n{parts}"])


def _topic(topic: Topic, events: list[type[Event]]) -> str:
    if not events:
        return ""
    keys = sorted({_sentence(event.key).removeprefix("Return ").rstrip(".") for event in events})
    bodies = "\n".join(model_section(event, f"### `{event.type}`") for event in events)
    return f"## Topic `{topic}`\n\nIn order by {', '.join(keys)}.\n\n{bodies}"


def model_section(model: type[BaseModel], heading: str) -> str:
    """Return a model's sentence and a table of its fields."""
    rows = [_row(model, member) for member in _fields(model)]
    table = "\n".join(["| Field | Type | Default | Remark |", "|---|---|---|---|", *rows])
    return f"{heading}\n\n{_sentence(model)}\n\n{table}\n"


def _fields(model: type[BaseModel]) -> Iterator[Member]:
    owners = [owner for owner in reversed(model.__mro__) if issubclass(owner, BaseModel)]
    written = chain.from_iterable(members(owner) for owner in owners if owner is not BaseModel)
    return (member for member in written if member.name in model.model_fields)


def _row(model: type[BaseModel], member: Member) -> str:
    default = f"`{member.default}`" if member.default else ""
    cells = (f"`{member.name}`", _type(model, member), default, member.remark)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type(model: type[BaseModel], member: Member) -> str:
    annotation = model.model_fields[member.name].annotation
    if get_origin(annotation) is Literal:
        return " · ".join(f"`{value}`" for value in get_args(annotation))
    return f"`{member.annotation}`"


def parts_of(events: Iterable[type[BaseModel]]) -> list[type[BaseModel]]:
    """Return the models that some models are made of, by name."""
    found: dict[str, type[BaseModel]] = {}
    left = list(events)
    while left:
        fields = left.pop().model_fields.values()
        for part in chain.from_iterable(_models(field.annotation) for field in fields):
            if part.__name__ not in found and not issubclass(part, Event):
                found[part.__name__] = part
                left.append(part)
    return [found[name] for name in sorted(found)]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _sentence(documented: object) -> str:
    return (inspect.getdoc(documented) or "").splitlines()[0]
