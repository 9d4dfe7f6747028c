"""What a script gives to later steps: the lines that it wrote to the file in WINDLASS_OUTPUT. Pure.

    NAME=value
    NAME<<MARK
    several lines
    MARK

All of it is understood, or the step fails: a later step must not go on with half of what it was given.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

OUTPUTS_MAX = 100
VALUE_BYTES_MAX = 32 * 1024
ALL_BYTES_MAX = 128 * 1024  # names and values: they travel in one event
FILE_BYTES_MAX = 4 * ALL_BYTES_MAX  # what is given twice, and the marks, take room too

_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,99})(=|<<)(.*)", re.DOTALL)
_MARK = re.compile(r"[^\s=<>]{1,100}")


@dataclass(frozen=True, slots=True)
class Wrong:
    """It cannot be understood."""

    message: str  # goes on from "the script ended well, but"


def read(content: bytes) -> dict[str, str] | Wrong:
    """Return the outputs; of those that were given twice, the last."""
    if len(content) > FILE_BYTES_MAX:
        return Wrong(f"it wrote more than {FILE_BYTES_MAX // 1024} KiB to WINDLASS_OUTPUT")
    outputs: dict[str, str] = {}
    for number, given in _entries(content):
        where = f"line {number} of what it wrote to WINDLASS_OUTPUT"
        if isinstance(given, str):
            return Wrong(f"{where} {given}")
        name, value = given
        outputs[name] = value
        if len(outputs) > OUTPUTS_MAX:
            return Wrong(f"{where} is output {len(outputs)}, and a step gives {OUTPUTS_MAX} at most")
    size = sum(len(name) + len(value.encode()) for name, value in outputs.items())
    if size > ALL_BYTES_MAX:
        return Wrong(f"its outputs are larger than {ALL_BYTES_MAX // 1024} KiB together")
    return outputs


def _entries(content: bytes) -> Iterator[tuple[int, tuple[str, str] | str]]:
    """Yield each output with the number of its line; or what is wrong there, which is the last."""
    lines = iter(enumerate(content.removesuffix(b"\n").split(b"\n"), 1))
    for number, raw in lines:
        line = _text(raw)
        if line == "":
            continue
        match = _LINE.fullmatch(line) if line is not None else None
        if line is None or match is None:
            yield number, "is not text in UTF-8" if line is None else "is neither NAME=value nor NAME<<MARK"
            return
        name, sign, rest = match.groups()
        value = _several(rest, lines) if sign == "<<" else rest
        wrong = _wrong_with(value) if value is not None else "begins a value whose end mark is missing"
        if wrong or value is None:
            yield number, wrong
            return
        yield number, (name, value)


def _several(mark: str, lines: Iterator[tuple[int, bytes]]) -> str | None:
    """Return the lines up to the mark; None when it does not come, or is none."""
    if not _MARK.fullmatch(mark):
        return None
    found: list[str] = []
    for _, raw in lines:
        line = _text(raw)
        if line == mark:
            return "\n".join(found)
        found.append("\0" if line is None else line)  # refused with the value
    return None


def _text(raw: bytes) -> str | None:
    try:
        return raw.removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        return None


def _wrong_with(value: str) -> str:
    if "\0" in value:
        return "gives a value with bytes that no variable can hold"
    if len(value.encode()) > VALUE_BYTES_MAX:
        return f"gives a value of more than {VALUE_BYTES_MAX // 1024} KiB"
    return ""
