"""Generated documents: what they take from the code, and that a stale one is noticed."""

from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Literal

import pytest

from deploy.docs import __main__ as program
from deploy.docs import event_reference, state_machine
from deploy.docs.page import Page, stale, write
from deploy.docs.remarks import members
from deploy.docs.state_machine import Machine
from shared.events import EVENT_TYPES, Event, Topic
from shared.events.evidence import Fact


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
    assert sorted(headings) == sorted(f"### `{type_}`" for type_ in EVENT_TYPES)


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
