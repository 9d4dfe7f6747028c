"""What `windlass classify` is given: a log or a report, from a file or from standard input."""

import codecs
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from services.cli.faults import MISUSED, CommandFault
from shared.diagnosis.report import KEYS, classify_report
from shared.diagnosis.rules import Classification, classify_log

BYTES_MAX = 10 * 1024 * 1024
STANDARD_INPUT = "-"
UNREADABLE_SHARE_MAX = 0.1  # of the characters: a log with more of them is no text
_HELP = "See windlass classify --help."
_SIZE = f"{BYTES_MAX // 1024**2} MB"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # PowerShell writes logs so


def classified(place: str) -> Classification | None:
    """Return the diagnosis of what is there; None: it tells of nothing that failed."""
    shown = "standard input" if place == STANDARD_INPUT else place
    text = _text(_bytes(place, shown), shown)
    if not text.strip():
        raise _unusable(f"{shown} is empty.", "Give the log of what failed.")
    document = _document(text, shown)
    return classify_log(text) if document is None else classify_report(document)


def _bytes(place: str, shown: str) -> bytes:
    if place == STANDARD_INPUT:
        return _limited(_standard_input(), shown)
    path = Path(place)
    if path.is_dir():
        raise _unusable(f"{shown} is a folder.", "Give the file with the log.")
    try:
        with path.open("rb") as file:
            return _limited(file, shown)
    except FileNotFoundError:
        raise _unusable(f"There is no file {shown}.", "Name a file, or - for standard input.") from None
    except (OSError, ValueError) as fault:
        raise _unusable(f"{shown} cannot be read: {_why(fault)}.") from fault


def _standard_input() -> BinaryIO:
    if sys.stdin is None or sys.stdin.closed:
        raise _unusable("Standard input is closed.", "Name a file: windlass classify build.log")
    if sys.stdin.isatty():
        raise _unusable("There is no log.", "Name a file, or send it: npm ci 2>&1 | windlass classify")
    return sys.stdin.buffer


def _limited(source: BinaryIO, shown: str) -> bytes:
    try:
        given = source.read(BYTES_MAX + 1)
    except OSError as fault:
        raise _unusable(f"{shown} cannot be read: {_why(fault)}.") from fault
    if len(given) > BYTES_MAX:
        end = "tail -c 10M FILE | windlass classify"
        raise _unusable(f"{shown} is larger than {_SIZE}.", f"Its end is most often enough: {end}")
    return given


def _text(given: bytes, shown: str) -> str:
    """Return it as text; a few bytes that are none do not make a log unreadable."""
    encoding = "utf-16" if given.startswith(_UTF_16) else "utf-8-sig"
    text = given.decode(encoding, errors="replace")
    unreadable = text.count("\N{REPLACEMENT CHARACTER}") + text.count("\0")
    if unreadable > len(text) * UNREADABLE_SHARE_MAX:
        raise _unusable(f"{shown} is not text in UTF-8.", "Unpack it first, if it is compressed.")
    return text


def _document(text: str, shown: str) -> Mapping[str, Any] | None:
    """Return the report in a text that is JSON; None: it is a log, such as one with JSON on each line."""
    if not text.lstrip().startswith("{") or _is_line_of_json(text.strip().partition("\n")):
        return None
    try:
        found = json.loads(text)
    except json.JSONDecodeError as fault:
        where = f"line {fault.lineno}, column {fault.colno}"
        raise _unusable(f"{shown} begins as JSON and is none: {fault.msg}, {where}.") from None
    except (RecursionError, ValueError):
        raise _unusable(f"{shown} is JSON that is nested too deeply, or has too long a number.") from None
    if not any(key in found for key in KEYS):
        raise _unusable(f"{shown} is JSON with none of {', '.join(KEYS)}.", "See windlass classify --help.")
    if not isinstance(found.get("steps", []), list):
        raise _unusable(f"{shown} has steps that are no list.", _HELP)
    return dict(found)


def _is_line_of_json(parts: tuple[str, str, str]) -> bool:
    """Tell whether a whole document stands on the first of several lines."""
    first, _, others = parts
    try:
        return bool(others.strip()) and isinstance(json.loads(first), dict)
    except (RecursionError, ValueError):
        return False


def _why(fault: Exception) -> str:
    return fault.strerror.lower() if isinstance(fault, OSError) and fault.strerror else str(fault)


def _unusable(message: str, next_: str = "") -> CommandFault:
    return CommandFault(message, next_=next_, code=MISUSED)
