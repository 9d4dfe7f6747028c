"""How a program is told its port, as far as its source says so."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from shared.scan.result import PortGiven

# A PORT that comes from the environment, in any of the languages that are known.
_VARIABLE = re.compile(
    r"""env(?:iron)?\.PORT\b|env(?:iron)?(?:ment)?(?:\.get|\.fetch)?\s?[\[(]\s?["']PORT["']"""
    r"""|(?:getenv|Getenv|LookupEnv|get_env|fetch_env!?|env::var|var|env|GetEnvironmentVariable"""
    r"""|config|get|Int|Str)\(\s?["']PORT["']|ENV(?:\.fetch\(|\[)\s?["']PORT["']|\$\{?PORT\b"""
)
_DEFAULT = re.compile(r"""["'\])]?[^\n0-9;]{0,24}?\b([1-9][0-9]{1,4})\b""")
_FIXED = re.compile(
    r"""\.(?:listen|Listen|Run|Start|ListenAndServe|bind|serve_forever)\(\s?["'`]?[\w.\[\]]{0,40}?:?([1-9][0-9]{1,4})\b"""
    r"""|["'(](?:0\.0\.0\.0|127\.0\.0\.1|localhost|\[::\])?:([1-9][0-9]{1,4})["')]"""
    r"""|["'](?:0\.0\.0\.0|127\.0\.0\.1|localhost)["'],\s?([1-9][0-9]{1,4})\b"""
    r"""|\(\[[0-9]{1,3}(?:,\s?[0-9]{1,3}){3}\],\s?([1-9][0-9]{1,4})\)"""
    r"""|\b(?:port|PORT)["']?\s{0,2}[=:]{1,2}\s{0,2}([1-9][0-9]{1,4})\b"""
    r"""|\b(?:HTTPServer|TCPServer)\(\(["'][^"'\n]{0,40}["'],\s?([1-9][0-9]{1,4})\)"""
)
_FLAG = re.compile(
    r"""(?:^|\s)(?:-p|--port|-Dserver\.port|--bind|-b|--server\.port)[ =]"""
    r"""["']?(?:[\w.]{0,40}:)?([1-9][0-9]{1,4})\b"""
    r"""|(?:^|\s)PORT=([1-9][0-9]{1,4})\b"""
)
_FLAG_VARIABLE = re.compile(r"\$\{?PORT\b|%PORT%")


class FoundPort(NamedTuple):
    """A port, how it is given, and where that stands."""

    number: int | None
    given: PortGiven
    file: str
    at: str


def in_source(path: str, text: str) -> FoundPort | None:
    """Return what a program's text says."""
    found = _VARIABLE.search(text)
    if found:
        rest = text[found.end() : found.end() + 60]
        default = _DEFAULT.match(rest)
        return FoundPort(_port(default), "variable", path, _line(text, found.start()))
    found = _FIXED.search(text)
    number = _port(found)
    if found and number:
        return FoundPort(number, "fixed", path, _line(text, found.start()))
    return None


def in_sources(sources: Iterable[tuple[str, str]]) -> FoundPort | None:
    """Return what the first program says that says anything; a variable wins over a number."""
    found = [each for path, text in sources if (each := in_source(path, text))]
    return min(found, key=lambda each: each.given != "variable", default=None)


def in_command(line: str, file: str, at: str) -> FoundPort | None:
    """Return what a command line says."""
    if _FLAG_VARIABLE.search(line):
        return FoundPort(None, "variable", file, at)
    found = _FLAG.search(line)
    number = _port(found)
    return FoundPort(number, "fixed", file, at) if number else None


def _port(found: re.Match[str] | None) -> int | None:
    digits = next((group for group in found.groups() if group), "") if found else ""
    return int(digits) if digits and 0 < int(digits) <= 65_535 else None


def _line(text: str, place: int) -> str:
    return f"line {text.count(chr(10), 0, place) + 1}"
