"""Which release of a language a repository pins, in the files that version managers share."""

import re

from shared.scan.draft import Draft
from shared.scan.reading import table
from shared.scan.view import Folder

_WORD = re.compile(r"[A-Za-z0-9 .,<>=~^|*!+_/-]{1,60}")


def learn_version(draft: Draft, folder: Folder, tool: str, *files: str) -> None:
    """Take in a pinned version, unless one is known: from files of its own, `.tool-versions`, mise."""
    if draft.runtime_version:
        return
    for name in files:
        learn_pin(draft, folder.at(name), "", _first_line(folder.text(name)))
    for line in folder.text(".tool-versions").splitlines():
        parts = line.split()
        if len(parts) > 1 and parts[0] == tool:
            learn_pin(draft, folder.at(".tool-versions"), tool, parts[1])
    _from_mise(draft, folder, tool)


def learn_pin(draft: Draft, file: str, at: str, version: object) -> None:
    """Take in a version that a file of its own format says, unless one is known."""
    if isinstance(version, str) and not draft.runtime_version and _WORD.fullmatch(version.strip()):
        draft.learn(file, at, runtime_version=version.strip())


def _from_mise(draft: Draft, folder: Folder, tool: str) -> None:
    for name in ("mise.toml", ".mise.toml"):
        if folder.has(name):
            tools = table(folder.toml(name), "tools")
            version = tools.get(tool)
            pinned = table(version).get("version") if isinstance(version, dict) else version
            learn_pin(draft, folder.at(name), f"tools.{tool}", pinned)


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line.removeprefix("v") if _WORD.fullmatch(line) else ""
