"""What goes to standard output. Text that came from a repository is made harmless first."""

import json
import sys
from collections.abc import Sequence
from typing import Any

TAB = "\t"

Document = dict[str, Any]  # what the API answers with


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
    print(harmless(line))


def json_document(document: Any) -> None:
    """Print a document for programs."""
    print(json.dumps(document, indent=2, ensure_ascii=not sys.stdout.isatty()))


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns; colours only on a terminal."""
    from rich.console import Console  # noqa: PLC0415 - only where there is a table
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(harmless(cell)) for cell in row))
    Console(highlight=False, soft_wrap=not sys.stdout.isatty()).print(shown)
