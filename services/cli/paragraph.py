"""Sentences in lines of 80 columns, for reports that are read from top to bottom."""

import textwrap
from collections.abc import Iterator

from services.cli.output import harmless

COLUMNS = 80


def paragraph(text: str, first: str = "  ", rest: str | None = None) -> Iterator[str]:
    """Yield the text in lines, the first and the others begun with these; the others with as many blanks.

    What stands in lines of its own keeps them, and a word that is longer than a line stays whole.
    """
    begin, indent = first, " " * len(first) if rest is None else rest
    for line in text.splitlines():
        yield from _folded(harmless(line), begin, indent)
        begin = indent


def _folded(line: str, first: str, rest: str) -> list[str]:
    if len(first) + len(line) <= COLUMNS:
        return [f"{first}{line}".rstrip()]
    return textwrap.wrap(
        line,
        width=COLUMNS,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
