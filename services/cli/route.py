"""Paths of the HTTP API, for commands that do not need its client yet."""

from urllib.parse import quote


def route(*names: object) -> str:
    """Return the path of these names, each of them one part of it whatever is in it."""
    parts = (quote(str(name), safe="") for name in names)
    return "".join(f"/{part.replace('.', '%2E') if part in {'.', '..'} else part}" for part in parts)
