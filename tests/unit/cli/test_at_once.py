"""Commands that are begun without the library that reads command lines."""

from pathlib import Path
from typing import Any

import pytest

from services.cli import at_once, starting

DIGITS_OF_NO_NUMBER = "9" * 5_000  # more than Python makes a number of


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what `up` is begun with, instead of beginning it."""
    asked: list[Any] = []
    monkeypatch.setattr(starting, "up", lambda *given: asked.append(given))
    return asked


@pytest.mark.parametrize(
    ("words", "given"),
    [
        pytest.param([], (None, None, None), id="nothing is said"),
        pytest.param(["--port", "0"], (None, None, 0), id="any port"),
        pytest.param(
            ["--port", "65535", "--data", "here", "--host", "::"], (Path("here"), "::", 65_535), id="all"
        ),
    ],
)
def test_up_is_begun_at_once_with_what_is_said_plainly(
    begun: list[Any], words: list[str], given: Any
) -> None:
    assert at_once.exit_code(["up", *words]) == 0
    assert begun == [given]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--help"], id="help"),
        pytest.param(["--port"], id="an option without its value"),
        pytest.param(["--port", "65536"], id="no port"),
        pytest.param(["--port", "-1"], id="less than a port"),
        pytest.param(["--port", "\u0663"], id="a digit of another script"),
        pytest.param(["--port", DIGITS_OF_NO_NUMBER], id="endless digits"),
        pytest.param(["--port", ""], id="an empty port"),
        pytest.param(["--data", ""], id="an empty name"),
        pytest.param(["--data", "--port"], id="an option for a value"),
        pytest.param(["--data=here"], id="another way to write it"),
        pytest.param(["--port", "1", "--port", "2"], id="said twice"),
        pytest.param(["--colour", "red"], id="no option of it"),
        pytest.param(["here"], id="a word too many"),
        pytest.param(["--port", "1", "here"], id="a word too many behind an option"),
    ],
)
def test_whatever_else_is_said_is_read_the_usual_way(begun: list[Any], words: list[str]) -> None:
    assert at_once.exit_code(["up", *words]) is None
    assert begun == []


def test_other_commands_are_read_the_usual_way(begun: list[Any]) -> None:
    assert at_once.exit_code(["down"]) is None
    assert at_once.exit_code([]) is None
    assert begun == []
