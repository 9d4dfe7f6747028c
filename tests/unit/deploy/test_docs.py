"""Generated documents: what they take from the code, and that a stale one is noticed."""

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Literal, cast
from uuid import UUID

import pytest

from deploy.docs import __main__ as program
from deploy.docs import asyncapi, event_reference, state_machine
from deploy.docs.page import Page, stale, write
from deploy.docs.remarks import members
from deploy.docs.state_machine import Machine
from deploy.docs.wiring import wired
from shared.bus.kafka.envelope import headers_of
from shared.delivery import TYPES
from shared.events import Event, Topic
from shared.events.evidence import Fact
from tests.builders import START


class Cargo(Fact):
    """What the boat carries."""

    tons: int  # by the lock-keeper's scales


class BoatPassed(Event):
    """A boat went through."""

    type: ClassVar[str] = "windlass.boat.passed.v1"  # not a field
    topic: ClassVar[Topic] = Topic.PUSHES

    boat: str  # its name | as painted
    cargo: tuple[Cargo, ...] = ()
    direction: Literal["up", "down"] = "up"

    @property
    def key(self) -> str:
        """Return the lock."""
        return "lock"


class Gate(StrEnum):
    """Where a lock's gate stands."""

    SHUT = "Shut"  # holds the water
    OPEN = "Open"


class Turn(StrEnum):
    """What the windlass does."""

    WOUND_UP = "wound-up"


GATE = Machine("A gate", Gate.SHUT, {Gate.SHUT: {Turn.WOUND_UP: Gate.OPEN}, Gate.OPEN: {}}, {})


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("## Topic `windlass.pushes`", id="its topic"),
        pytest.param("In order by the lock.", id="what orders it"),
        pytest.param("A boat went through.", id="what it says"),
        pytest.param("| `boat` | `str` |  | its name \\| as painted |", id="a remark, escaped"),
        pytest.param("| `cargo` | `tuple[Cargo, ...]` | `()` |  |", id="a default"),
        pytest.param("| `direction` | `up` · `down` | `'up'` |  |", id="a closed set of values"),
        pytest.param("### Cargo", id="the parts of its body"),
        pytest.param("| `tons` | `int` |  | by the lock-keeper's scales |", id="their remarks"),
    ],
)
def test_the_reference_tells_of_an_event(line: str) -> None:
    assert line in event_reference.page({BoatPassed.type: BoatPassed}).splitlines()


def test_the_reference_leaves_out_what_is_no_field() -> None:
    assert "`topic`" not in event_reference.page({BoatPassed.type: BoatPassed})


def test_the_reference_has_every_event_once() -> None:
    headings = [line for line in event_reference.render().splitlines() if line.startswith("### `")]
    assert sorted(headings) == sorted(f"### `{type_}`" for type_ in TYPES)


@pytest.mark.parametrize(
    "line",
    [
        "    [*] --> SHUT",
        "    SHUT --> OPEN: wound-up",
        "    OPEN --> [*]",
        "| Shut | no | holds the water |",
        "| Open | yes |  |",
        "| Shut | wound-up | Open |",
    ],
)
def test_a_state_machine_is_drawn_and_told(line: str) -> None:
    assert line in state_machine.page([GATE]).splitlines()


def test_an_ignored_trigger_is_told() -> None:
    ignoring = Machine("A gate", Gate.SHUT, GATE.transitions, {Gate.OPEN: {Turn.WOUND_UP}})
    assert "| Open | wound-up | *ignored* |" in state_machine.page([ignoring]).splitlines()


def test_a_member_has_the_remark_beside_it_or_none() -> None:
    assert [member.remark for member in members(Gate)] == ["holds the water", ""]


def test_a_page_is_stale_until_it_says_what_the_code_says(tmp_path: Path) -> None:
    pages = (Page("docs/missing.md", lambda: "a"), Page("docs/other.md", lambda: "b"))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/other.md").write_text("something else", encoding="utf-8")
    assert stale(pages, tmp_path) == pages
    write(pages, tmp_path)
    assert stale(pages, tmp_path) == ()


def test_check_refuses_a_stale_page_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["--check"], tmp_path) == 1
    assert list(tmp_path.iterdir()) == []
    assert "docs/events.md is out of date: run `make docs`" in capsys.readouterr().err

    assert program.main([], tmp_path) == 0
    assert program.main(["--check"], tmp_path) == 0


def test_an_unknown_argument_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--chekc"]) == 2
    assert "usage:" in capsys.readouterr().err


def _refs(part: object) -> Iterator[str]:
    match part:
        case dict():
            yield from ([part["$ref"]] if isinstance(part.get("$ref"), str) else [])
            for each in part.values():
                yield from _refs(each)
        case list():
            for each in part:
                yield from _refs(each)


@pytest.fixture(scope="module")
def events() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(asyncapi.render())
    return document


def test_the_topics_document_refers_to_nothing_that_is_not_in_it(events: dict[str, Any]) -> None:
    for ref in set(_refs(events)):
        found: Any = events
        for part in ref.removeprefix("#/").split("/"):
            found = found[part]
        assert found, ref


def test_every_event_is_on_its_topic_with_its_key_and_somebody_says_it(events: dict[str, Any]) -> None:
    operations = events["operations"].values()
    said = {ref for each in operations if each["action"] == "send" for ref in _refs(each["messages"])}
    for event in TYPES.values():
        assert f"#/channels/{event.topic}/messages/{event.type}" in said
        assert event.type in events["channels"][event.topic]["messages"]
        assert events["components"]["messages"][event.type]["bindings"]["kafka"]["key"]["description"]


def test_what_is_heard_is_what_the_services_are_wired_to_hear(events: dict[str, Any]) -> None:
    with wired() as (_, services):
        wanted = {(each.name, event.type) for each in services for event in each.subscription.handlers}
    heard = {
        (name.split()[0], ref.rpartition("/")[2])
        for name, each in events["operations"].items()
        if each["action"] == "receive"
        for ref in _refs(each["messages"])
    }
    assert heard == wanted


def test_the_headers_told_are_those_that_are_sent(events: dict[str, Any]) -> None:
    needed: dict[str, Any] = {"id": UUID(int=1), "type": "t", "source": "s", "time": START, "key": "k"}
    absent: dict[str, Any] = {"subject": "", "correlation": "", "causation": None, "traceparent": ""}
    present = {"subject": "s", "correlation": "c", "causation": UUID(int=2), "traceparent": "p"}
    told = events["components"]["schemas"]["CloudEvent"]
    for optional, names in ((present, told["properties"].keys()), (absent, set(told["required"]))):
        row = cast("Any", SimpleNamespace(**needed, **optional))
        assert {name for name, _ in headers_of(row)} == names
