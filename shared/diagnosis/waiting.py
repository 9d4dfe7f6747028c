"""What a program says while it waits: for an answer from a person, or for a lock."""

import re

from shared.diagnosis.evidence import Case
from shared.diagnosis.rule import Find, Finding

_ASKS = re.compile(
    r".{0,300}(?:\[[Yy]/[Nn]\]|\([Yy](?:es)?/[Nn]o?(?:/\[fingerprint\])?\)|\[y/N\])\s{0,3}[?:]?\s{0,3}$"
    r"|.{0,200}\? {1,3}\(?(?:Use arrow keys|y/N|Y/n)\)?"
    r"|(?:Enter|Please (?:enter|select|choose)|Type) .{1,200}: ?$"
    r"|Ok to proceed\? \(y\)"
    r"|\s{0,4}(?:Enter a value|Geographic area|Password|Passphrase|Username|Login): ?$"
    r"|.{0,60}(?:[Pp]assword|[Pp]assphrase) for .{1,200}: ?$"
)
_LOCKED = re.compile(
    r".{0,60}(?:Blocking waiting for file lock|Waiting for (?:cache lock|another|the lock|lock)"
    r"|Another process is )"
    r"|.{0,100}Acquiring state lock"
    r"|.{0,60}(?:waiting for|trying to (?:acquire|obtain)) .{0,60}\block\b"
)


def _last(says: re.Pattern[str]) -> Find:
    def find(case: Case) -> Finding | None:
        place = len(case.lines) - 1
        return Finding(place, (place,)) if case.lines and says.match(case.lines[place]) else None

    return find


asks = _last(_ASKS)
waits_for_lock = _last(_LOCKED)
