"""Tables and links of generated pages."""

from collections.abc import Iterable


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table; a bar in a cell is no border."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def link(heading: str, words: str = "") -> str:
    """Return a link to a heading of the page that is a name in code."""
    anchor = "".join(each for each in heading.lower() if each.isalnum() or each in "-_")
    return f"[{words or f'`{heading}`'}](#{anchor})"
