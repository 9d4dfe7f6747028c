"""Every event ever released must be readable for ever (DESIGN 3).

`corpus/` holds a released body of each type, and further ones, with a word after the type, of what has grown
since. A file there is never changed, only added; a new type, version or form brings its own.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.delivery import TYPES
from shared.events import TOPICS, Topic

CORPUS = Path(__file__).parent / "corpus"
RELEASED = sorted(path.name.removesuffix(".json") for path in CORPUS.glob("*.json"))

# What keeps its order with what (DESIGN 3), told from the plain JSON as any other reader would.
KEYS: dict[Topic, tuple[str, ...]] = {
    Topic.PUSHES: ("repository",),
    Topic.REVISIONS: ("pipeline",),
    Topic.STAGES: ("pipeline", "stage"),
    Topic.BUILDS: ("build_key",),
    Topic.LOGS: ("log",),
    Topic.ALARMS: ("alarm",),
    Topic.DEAD_LETTERS: ("message_key",),
}
TOPIC_OF = {
    "push": Topic.PUSHES,
    "revision": Topic.REVISIONS,
    "plan": Topic.REVISIONS,
    "build": Topic.BUILDS,
    "artifact": Topic.BUILDS,
    "log": Topic.LOGS,
    "operation": Topic.STAGES,
    "blocker": Topic.STAGES,
    "alarm": Topic.ALARMS,
    "hold": Topic.STAGES,
    "gate": Topic.STAGES,
    "attempt": Topic.STAGES,
    "window": Topic.STAGES,
    "stage": Topic.STAGES,
    "definition": Topic.STAGES,
    "run": Topic.STAGES,
    "step": Topic.STAGES,
    "verification": Topic.STAGES,
    "failure": Topic.STAGES,
    "health": Topic.STAGES,
    "message": Topic.DEAD_LETTERS,
}


def body(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((CORPUS / f"{name}.json").read_text(encoding="utf-8"))
    return document


def type_of(name: str) -> str:
    """Return the event's type: `windlass.push.received.v1` of `windlass.push.received.v1.tag`."""
    return ".".join(name.split(".")[:4])


def said_of(event_type: str) -> str:
    """Return what the event is about: `run` of `windlass.run.queued.v1`."""
    return event_type.split(".")[1]


def lost(before: Any, after: Any, at: str = "") -> list[str]:
    """Return where `after` no longer says what `before` did; what it says besides is nobody's loss."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [where for name in before for where in lost(before[name], after.get(name), f"{at}.{name}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [where for place, (b, a) in pairs for where in lost(b, a, f"{at}[{place}]")]
    return [] if before == after else [f"{at}: {before!r} became {after!r}"]


def test_every_type_has_a_released_body() -> None:
    assert set(TYPES) <= set(map(type_of, RELEASED))


@pytest.mark.parametrize("name", RELEASED)
def test_a_released_body_parses_and_loses_nothing(name: str) -> None:
    document = body(name)
    event = TYPES[type_of(name)].model_validate_json(json.dumps(document))
    assert lost(document, json.loads(event.model_dump_json())) == []


@pytest.mark.parametrize("name", RELEASED)
def test_a_body_from_a_newer_release_parses_to_what_we_know_of_it(name: str) -> None:
    document = body(name)
    newer = {**document, "invented_later": {"deep": [1]}}
    event = TYPES[type_of(name)].model_validate_json(json.dumps(newer))
    assert event == TYPES[type_of(name)].model_validate_json(json.dumps(document))


@pytest.mark.parametrize("name", RELEASED)
def test_what_we_say_we_can_read_again(name: str) -> None:
    event = TYPES[type_of(name)].model_validate(body(name))
    assert TYPES[type_of(name)].model_validate_json(event.model_dump_json()) == event


@pytest.mark.parametrize("name", RELEASED)
def test_an_event_goes_where_its_subject_belongs_and_keeps_its_order_there(name: str) -> None:
    document, event = body(name), TYPES[type_of(name)].model_validate(body(name))
    assert event.topic is TOPIC_OF[said_of(name)]
    assert event.key == "/".join(document[part] for part in KEYS[event.topic])
    assert event.type == type_of(name)


@pytest.mark.parametrize("name", [name for name in RELEASED if "revision" in body(name)])
def test_what_belongs_to_a_deployment_says_which(name: str) -> None:
    document, event = body(name), TYPES[type_of(name)].model_validate(body(name))
    assert event.correlation == f"{document['pipeline']}@{document['revision']}"


@pytest.mark.parametrize("name", RELEASED)
def test_an_event_cannot_be_changed(name: str) -> None:
    event = TYPES[type_of(name)].model_validate(body(name))
    with pytest.raises(ValueError, match="frozen"):
        setattr(event, next(iter(type(event).model_fields)), "changed")


def test_every_topic_carries_something() -> None:
    assert {TYPES[type_of(name)].topic for name in RELEASED} == set(TOPICS)


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        pytest.param({"a": 1}, {"a": 1, "b": 2}, [], id="a field more"),
        pytest.param({"a": 1}, {}, [".a: 1 became None"], id="a field less"),
        pytest.param({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, [".a[0].b: 1 became 2"], id="another value"),
        pytest.param({"a": [1]}, {"a": []}, [".a: [1] became []"], id="a shorter list"),
    ],
)
def test_a_loss_is_found_wherever_it_is(before: Any, after: Any, where: list[str]) -> None:
    assert lost(before, after) == where
