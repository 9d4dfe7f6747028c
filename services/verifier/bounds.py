"""Numbers and texts that somebody else wrote, brought within bounds of ours."""

import math


def within(value: float, least: float, most: float) -> float:
    """Return the value brought between two bounds; what is no number becomes the lower one."""
    return least if math.isnan(value) else min(max(value, least), most)


def shown(text: str, characters_max: int) -> str:
    """Return somebody else's text fit for one line of ours: bounded, without control characters."""
    one_line = " ".join(text[: characters_max * 2].split())
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in one_line)
    return printable if len(printable) <= characters_max else f"{printable[: characters_max - 1]}…"
