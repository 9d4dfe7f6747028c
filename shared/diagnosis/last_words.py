"""What a program says as it dies, apart from what it says while it lives.

A program may log anything: that its partner timed out, that it was denied, that a connection was
refused and is tried again. It lives on after that. What counts is what its interpreter prints as the
program ends, in the interpreter's own form: a traceback that no log line announces, the error under a
caret, a panic. Whatever stands above a sign of life is over.

Of a service that is probed only what goes with a dead or an inwardly broken one is read: refused, ended,
or an error of its own (5xx), and then the last it said.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from shared.diagnosis.evidence import Case, Phase
from shared.diagnosis.rule import Find, Finding, when_asked

PROGRAMS: frozenset[Phase] = frozenset({"build", "publish", "setup", "deploy", "rollout", "verify"})
SCRIPTS: frozenset[Phase] = frozenset({"publish", "setup", "deploy"})
SERVES: frozenset[Phase] = frozenset({"rollout", "verify"})

LINES_OF_AN_ERROR_MAX = 80  # between where Node says what it threw and the version it ends with
SERVER_ERROR = 500

_BEGINS = re.compile(  # how an error's last word begins, by interpreter and tool
    r"(?:Caused by: |Exception in thread \"[^\"]{1,80}\" |Unhandled exception\. |Uncaught )?"
    r"(?:[A-Za-z_][\w.:$\\]{0,120}(?:Error|Exception|[.:]\w{1,60})(?: \[[\w-]{1,60}\])?: |[Ee]rror: )"
    r"|(?:panic|fatal error|fatal|PHP Fatal error|Fatal error|Failed|failed): "
    r"|\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (?!.{0,20}(?:level=(?:warn|info|debug)|WARN|INFO"
    r"|DEBUG))"  # Go's log.Fatal
    r"|psql:[^ ]{1,200}: (?:ERROR|FATAL): |psql: (?:error|FATAL): |(?:pg_\w{1,20}|createdb|dropdb"
    r"|createuser|vacuumdb|mongosh|redis-cli): "
    r"|(?:ERROR|FATAL)(?: \d{4} \(\w{5}\)[^:]{0,60})?: "  # psql, mysql
    r"|mysql\w{0,20}: |Message {1,6}: |\S{1,200}:\d{1,6}:in "  # Ruby
    r"|\*\* \(\w"  # Elixir
    r"|called `\w{1,20}::|thread '"  # Rust
    r"|In \w{1,40}\.php line \d{1,6}:| {0,4}SQLSTATE\[|(?:\u2502 )?Error: "  # Terraform
)
_TRACEBACK = re.compile(r"(?:ERROR: {1,8}|\s{0,8}[|+] )?Traceback \(most recent call last\)")
_CHAINED = re.compile(r"During handling of the above|The above exception was the direct cause")
_ANNOUNCED = re.compile(r".{0,120}?(?:\b(?:ERROR|WARN(?:ING)?|CRITICAL)\b|Exception on )", re.IGNORECASE)
_BOOT = re.compile(r".{0,120}?Exception in worker process")  # gunicorn: no request's error
_NODE_END = re.compile(r"Node\.js v\d")
_NODE_BEGIN = re.compile(r"(?:\S{1,300}:\d{1,7}$|node:internal/|Uncaught |\s{0,20}throw )")
_LIVES = re.compile(
    r".{0,200}?\"(?:GET|POST|PUT|HEAD|PATCH|DELETE) \S{1,200} HTTP/[\d.]{1,3}\" [23]\d\d\b"
    r"|(?:\[?[\d/:., TZ+-]{0,40}\]? {0,2})?\[?(?:INFO|info|DEBUG|debug)\b"
    r"(?!.{0,200}?(?i:exit|shut|stop|terminat|clos|boot|start|listen|fail|error|abort|using|wait|signal"
    r"|finish|socket|sent sig|---|condition|hikari))"
)
_MENTIONED = re.compile(r"\[?(?i:warn|warning|info|debug|trace|notice)\b")
_TRIES_AGAIN = re.compile(r"(?i:\bretrying|\bwill (?:re)?try|trying again|try again in|\breconnecting)")


def dying(phases: Collection[Phase], *patterns: str, says: str = "", following: int = 0) -> Find:
    """Find the first last word that begins as one of the patterns says, and `says` this somewhere."""
    compiled = when_asked("|".join(f"(?:{pattern})" for pattern in patterns)), when_asked(says)

    def find(case: Case) -> Finding | None:
        if not _asked(case, phases):
            return None
        begins, within = (each() for each in compiled)
        lines = case.lines
        places = (n for n in last_words(case) if begins.match(lines[n]) and within.search(lines[n]))
        return _first(case, places, following)

    return find


def said(phases: Collection[Phase], *phrases: str) -> Find:
    """Find the first last word, in any interpreter's form of an error, that has one of the phrases in it."""
    compiled = when_asked("|".join(phrases))

    def find(case: Case) -> Finding | None:
        if not _asked(case, phases):
            return None
        any_of = compiled()
        places = (n for n in _errors(case.lines, last_words(case)) if any_of.search(case.lines[n]))
        return _first(case, places, 0)

    return find


def _asked(case: Case, phases: Collection[Phase]) -> bool:
    return (case.phase in phases or case.phase == "unknown") and tells(case)


def _first(case: Case, places: Iterable[int], following: int) -> Finding | None:
    place = next((n for n in places if not _lived_with(case, case.lines[n])), None)
    if place is None:
        return None
    return Finding(place, tuple(range(place, min(place + following + 1, len(case.lines)))))


def tells(case: Case) -> bool:
    """Tell whether what the program said may tell of the failure at all."""
    if case.phase != "verify" or case.kind != "probe":
        return True
    seen = case.failed_probe
    if seen is None:
        return False
    return seen.fault in {"refused", "ended", "restarted"} or broken_inwardly(case)


def broken_inwardly(case: Case) -> bool:
    """Tell whether the service lives, and answers that it has an error of its own."""
    seen = case.failed_probe if case.kind == "probe" else None
    return seen is not None and seen.fault == "status" and (seen.status or 0) >= SERVER_ERROR


def last_words(case: Case) -> Sequence[int]:
    """Return the places where a cause may stand, in the order to look at them."""
    if broken_inwardly(case):
        return range(_last_story(case.lines), len(case.lines))
    return _last_words(case.lines, serves=case.phase in SERVES)


def _lived_with(case: Case, text: str) -> bool:
    """Tell a fault that the program only mentions, or means to get over; one that never listened did not."""
    again = case.kind != "timeout" and _TRIES_AGAIN.search(text) is not None
    return again or _MENTIONED.match(text) is not None


@lru_cache(maxsize=4)
def _errors(lines: tuple[str, ...], places: Sequence[int]) -> tuple[int, ...]:
    """Return the last words in an interpreter's form of an error; every rule about phrases asks for them."""
    return tuple(place for place in places if _BEGINS.match(lines[place]))


@lru_cache(maxsize=4)
def _last_words(lines: tuple[str, ...], *, serves: bool) -> tuple[int, ...]:
    """Return the places that are not over: no sign of life below them, and not only written down."""
    backwards = range(len(lines) - 1, -1, -1)
    alive = next((place + 1 for place in backwards if serves and _LIVES.match(lines[place])), 0)
    begin = max(alive, _thrown_by_node(lines))
    told = [place for place in range(begin, len(lines)) if _TRACEBACK.match(lines[place])]
    logged = [place for place in told if _is_logged(lines, place)]
    over = {n for place in logged for n in _story(lines, place)} if len(logged) < len(told) else set()
    return tuple(place for place in range(begin, len(lines)) if place not in over)


def _story(lines: tuple[str, ...], place: int) -> range:
    """Return the lines of one traceback: its frames, and what was thrown."""
    thrown = next((n for n in range(place + 1, len(lines)) if not lines[n].startswith(" ")), len(lines) - 1)
    return range(place, thrown + 1)


@lru_cache(maxsize=4)
def _last_story(lines: tuple[str, ...]) -> int:
    """Return where the last error's story begins: its traceback, or the one that led to it."""
    places = [place for place, text in enumerate(lines) if _TRACEBACK.match(text)]
    while len(places) > 1 and _CHAINED.match(lines[places[-1] - 1]):
        places.pop()
    return places[-1] if places else 0


def _is_logged(lines: tuple[str, ...], place: int) -> bool:
    """Tell a traceback that a log line announces: the program wrote it down and went on."""
    if place == 0 or _BOOT.match(lines[place - 1]):
        return False
    return _ANNOUNCED.match(lines[place - 1]) is not None


def _thrown_by_node(lines: tuple[str, ...]) -> int:
    """Return where the error stands that Node ended with; 0: it ended with none."""
    end = next((p for p in range(len(lines) - 1, -1, -1) if _NODE_END.match(lines[p])), 0)
    above = range(max(0, end - LINES_OF_AN_ERROR_MAX), end)
    return next((place for place in above if _NODE_BEGIN.match(lines[place])), 0)
