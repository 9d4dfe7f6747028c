"""Histories for the projection: every released event, retold about a few pipelines, stages and runs."""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import strategies as st

from shared.delivery import TYPES
from shared.events import Event, Message
from shared.events.topics import Topic
from tests.builders import START, named

B = TypeVar("B", bound=Event)

CORPUS = Path(__file__).parents[2] / "contract" / "events" / "corpus"
BODIES: dict[str, dict[str, Any]] = {
    path.name.removesuffix(".json"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(CORPUS.glob("*.json"))
}
NAMES: dict[str, tuple[Any, ...]] = {
    "repository": ("acme/shop", "acme/tools"),
    "pipeline": ("shop", "tools"),
    "stage": ("staging", "production"),
    "revision": (1, 2, 3),
    "step": ("migrate", "deploy"),
    "attempt": (1, 2),
    "build_key": ("b" * 64, "c" * 64),
    "service": ("web", "api"),
    "log": ("run/migrate/1", "build/b/1"),
    "message_key": ("shop", "tools"),
}
IDS = {  # what an id lies in: nothing with the same id is in two of these
    "push": ("repository",),
    "run": ("pipeline", "stage"),
    "by_run": ("pipeline", "stage"),
    "verification": ("pipeline", "stage"),
    "operation": ("pipeline", "stage"),
    "request": ("build_key",),
    "message": ("message_key",),
}


def message(body: B, position: int, name: str = "") -> Message[B]:
    """Return the event as it is heard at `position`."""
    return Message(
        id=named(f"{name} {position}"),
        time=START + timedelta(seconds=position),
        source="test",
        subject=body.subject,
        key=body.key,
        correlation=body.correlation,
        causation=None,
        traceparent="",
        body=body,
        position=position,
    )


def retold(name: str, **changes: Any) -> Event:
    """Return a released body, by its file's name, with some of its fields told otherwise."""
    type_ = ".".join(name.split(".")[:4])  # what follows says in which form of the type
    return TYPES[type_].model_validate(BODIES[name] | changes)


@st.composite
def bodies(draw: st.DrawFn) -> Event:
    """One event about any of the few things."""
    type_ = draw(st.sampled_from(sorted(BODIES)))
    body = BODIES[type_]
    changes: dict[str, Any] = {
        name: draw(st.sampled_from(NAMES[name])) for name in sorted(NAMES) if body.get(name)
    }
    for name, places in sorted(IDS.items()):
        if body.get(name):
            place = " ".join(str(changes.get(place)) for place in places)
            changes[name] = str(named(f"{name} {draw(st.integers(1, 3))} in {place}"))
    if "lines" in body and "first_line" in body:
        changes["first_line"] = draw(st.integers(0, 5))
    return retold(type_, **changes)


def histories(longest: int = 60) -> st.SearchStrategy[list[Message[Event]]]:
    """Any events in any order, each at its position: more than what can really happen."""
    told = st.lists(bodies(), max_size=longest)
    return told.map(lambda each: [message(body, place) for place, body in enumerate(each, start=1)])


def partition_of(heard: Message[Event]) -> tuple[Topic, str]:
    """Return what a message keeps its order with."""
    return heard.body.topic, heard.key


def shuffled(history: Sequence[Message[Event]], order: Sequence[int]) -> list[Message[Event]]:
    """Return the same history with its partitions interleaved otherwise."""
    lanes: dict[tuple[Topic, str], list[Message[Event]]] = {}
    for heard in history:
        lanes.setdefault(partition_of(heard), []).append(heard)
    mixed: list[Message[Event]] = []
    for number in order:
        open_ = [lane for _, lane in sorted(lanes.items()) if lane]
        if open_:
            mixed.append(open_[number % len(open_)].pop(0))
    return [*mixed, *(heard for _, lane in sorted(lanes.items()) for heard in lane)]
