"""What goes to standard output. Text that came from a repository is made harmless first."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

TAB = "\t"
WIDTH_ELSEWHERE = 200  # columns, where there is no terminal to ask

Document = dict[str, Any]  # what the API answers with
Cell = str | tuple[str, str]  # a text, or a text and its style


def harmless(text: str) -> str:
    """Return the text with control characters shown instead of obeyed by the terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character == TAB else ascii(character)[1:-1]
        for character in text
    )


def say(line: str) -> None:
    """Print one line."""
    print(harmless(line), flush=True)


def json_document(document: Any) -> None:
    """Print a document for programs."""
    print(json.dumps(document, indent=2))


def json_line(document: Any) -> None:
    """Print a document for programs that read line by line."""
    print(json.dumps(document), flush=True)


def console() -> "Console":
    """Return where tables go; colours only on a terminal, and elsewhere room for long lines."""
    from rich.console import Console  # noqa: PLC0415 - only where something is drawn

    width = None if sys.stdout.isatty() else WIDTH_ELSEWHERE
    return Console(highlight=False, emoji=False, width=width)


def show(drawn: "RenderableType") -> None:
    """Print what is drawn; elsewhere than on a terminal without the blanks that fill up its lines."""
    screen = console()
    if screen.is_terminal:
        screen.print(drawn)
        return
    with screen.capture() as captured:
        screen.print(drawn, soft_wrap=True)
    for line in captured.get().splitlines():
        print(line.rstrip())


def table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> "Table":
    """Return rows in columns, for `console().print`."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        cells = (cell if isinstance(cell, tuple) else (cell, "") for cell in row)
        shown.add_row(*(Text(_lines(text), style) for text, style in cells))
    return shown


def _lines(text: str) -> str:
    return "\n".join(harmless(line) for line in text.split("\n"))
