"""JUnit's XML reports, as the tools of most languages write them. Pure.

The numbers that a suite has in its attributes are not believed: test cases are counted. A report is what
a stranger's program wrote, so whatever it holds is either counted or said to be no report: no entity is
expanded, nothing outside is looked up, and nothing is kept of it but what is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from services.deployer.report import Report, failed_test, shown
from shared.events import FailedTest
from shared.events.shown import FAILED_TESTS_MAX, TEST_MESSAGE_CHARACTERS_MAX

DEPTH_MAX = 100  # elements inside each other; reports have about five
ELEMENTS_MAX = 200_000  # of one report: read in about two seconds

_ROOTS = frozenset({"testsuites", "testsuite"})
_FAILED = frozenset({"failure", "error"})
_CHARACTERS_KEPT = TEST_MESSAGE_CHARACTERS_MAX * 4  # before what cannot be shown is taken out


@dataclass(frozen=True, slots=True)
class NoReport:
    """It is no report, or one that is not read."""

    why: str  # goes on from "it"


def read(content: bytes) -> Report | NoReport:
    """Return what a report says; in a time that grows with its length and no faster."""
    reading = _Reading()
    parser = _Parser(forbid_dtd=True)
    parser.setContentHandler(reading)
    try:
        parser.feed(content)  # in one piece: expat looks at a long attribute anew for each
        parser.close()
    except _Unread as problem:
        return NoReport(str(problem))
    except DefusedXmlException:
        return NoReport("declares a document type, which no report needs")
    except (SAXException, LookupError, ValueError) as problem:  # the latter two: of unheard-of encodings
        return NoReport(f"is not XML: {_told(problem)}")
    return reading.report()


class _Parser(DefusedExpatParser):  # type: ignore[misc]  # the library has no types
    """A parser that hands a text over in few pieces, and not each line of it."""

    def reset(self) -> None:
        super().reset()
        self._parser.buffer_text = True


class _Unread(SAXException):
    """Ends the reading."""


@dataclass(slots=True)
class _Case:
    """A test case that has not ended yet."""

    name: str
    depth: int
    outcome: str = "passed"
    message: str = ""
    text: list[str] = field(default_factory=list)
    text_characters: int = 0


class _Reading(ContentHandler):
    """How far the reading of one report has come."""

    def __init__(self) -> None:
        super().__init__()
        self._counts = {"passed": 0, "failed": 0, "skipped": 0}
        self._failures: list[FailedTest] = []
        self._depth = 0
        self._elements = 0
        self._case: _Case | None = None
        self._keeps_text = False

    def report(self) -> Report:
        return Report(**self._counts, failures=tuple(self._failures))

    def startElement(self, name: str, attrs: Mapping[str, str]) -> None:  # type: ignore[override]  # noqa: N802
        self._depth += 1
        self._elements += 1
        local = name.rpartition(":")[2]
        self._check(local)
        case = self._case
        if case is None and local == "testcase":
            self._case = _Case(_name(attrs), self._depth)
        elif case and self._depth == case.depth + 1:
            self._take(case, local, attrs)

    def characters(self, content: str) -> None:
        case = self._case
        if self._keeps_text and case and case.text_characters < _CHARACTERS_KEPT:
            case.text.append(content[:_CHARACTERS_KEPT])
            case.text_characters += len(content)

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802
        case = self._case
        if case and self._depth == case.depth:
            self._count(case)
            self._case = None
        elif case and self._depth == case.depth + 1:
            self._keeps_text = False
        self._depth -= 1

    def _check(self, local: str) -> None:
        if self._depth == 1 and local not in _ROOTS:
            raise _Unread(f"is not a JUnit report: it begins with <{shown(local, 40)}>")
        if self._depth > DEPTH_MAX:
            raise _Unread(f"has more than {DEPTH_MAX} elements inside each other")
        if self._elements > ELEMENTS_MAX:
            raise _Unread(f"has more than {ELEMENTS_MAX} elements")

    def _take(self, case: _Case, local: str, attrs: Mapping[str, str]) -> None:
        """Take what a test case says of itself; the first failure tells why."""
        if local in _FAILED and case.outcome != "failed":
            case.outcome = "failed"
            case.message = attrs.get("message", "")[:_CHARACTERS_KEPT]
            self._keeps_text = not case.message.strip()
        elif local == "skipped" and case.outcome == "passed":
            case.outcome = "skipped"

    def _count(self, case: _Case) -> None:
        self._counts[case.outcome] += 1
        if case.outcome == "failed" and len(self._failures) < FAILED_TESTS_MAX:
            message = case.message if case.message.strip() else "".join(case.text)
            self._failures.append(failed_test(case.name, message))


def _name(attrs: Mapping[str, str]) -> str:
    parts = (attrs.get("classname", "")[:1_000], attrs.get("name", "")[:1_000])
    return ".".join(filter(None, parts))


def _told(problem: Exception) -> str:
    text = problem.getMessage() if isinstance(problem, SAXException) else str(problem)
    return shown(text, 100) or "it cannot be read"
