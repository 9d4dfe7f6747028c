"""Ids of dead letters as they are written on the command line."""

import re

import typer

ID = re.compile(r"[0-9a-fA-F]{4}[0-9a-fA-F-]{0,32}")


def plain(letter: str) -> str:
    """Return the id; refuse in words what cannot be one."""
    if not ID.fullmatch(letter):
        raise typer.BadParameter(
            f"{letter[:40]!a} is no id: it has 4 or more of the digits 0-9 and a-f, as "
            "`windlass dead-letters list` shows it."
        )
    return letter


def all_plain(letters: list[str] | None) -> list[str] | None:
    """Return the ids; refuse in words what cannot be one."""
    return letters and [plain(each) for each in letters]
