"""The labelled failures of tests/corpus/failures: how a file is read, and what we make of it.

The rules are written against `known`; `held_back` measures them and is never read to write one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from shared.diagnosis.evidence import Case, Setting, numbered_lines
from shared.diagnosis.rules import Classification, classify, classify_case, classify_log
from shared.events import Evidence, LogLine, ProbeResult
from shared.events.evidence import LOG_TAIL_LINES_MAX

FOLDER = Path(__file__).resolve().parents[2] / "corpus/failures"
FLOOR = FOLDER / "floor.json"
PARTS = ("known", "held_back")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LABELS = ("stage", "category", "code")
FACTS = frozenset({"phase", "kind", "exit", "signal", "provider", "probe", "status", "rollback"})
HEADER = frozenset({"source", "tool", "about", *LABELS}) | FACTS
NOT_HELD_BACK = 2  # of five parts by name, this many are

Answers = tuple[str, str, str]


def part_of(name: str) -> str:
    """Return where a case belongs: its name decides, and nobody who writes it."""
    return "held_back" if int(sha256(name.encode()).hexdigest(), 16) % 5 < NOT_HELD_BACK else "known"


@dataclass(frozen=True, slots=True)
class Labelled:
    """One failure, and what it really was."""

    name: str
    part: str
    header: dict[str, str]
    log: str

    @property
    def label(self) -> Answers:
        """Return what went wrong, in the fixed vocabulary."""
        stage, category, code = (self.header[each] for each in LABELS)
        return stage, category, code

    def found(self) -> Classification:
        """Classify it, as a run of Windlass that knows these facts would have it classified."""
        return _found(self.name, self.part)

    def classified(self) -> Classification:
        """Classify it anew."""
        told = self.header
        if told["phase"] == "unknown":
            return classify_log(self.log)
        setting = Setting(
            "shop", "staging", "7", kind="rollback" if told["phase"] == "rollback" else "deploy"
        )
        if told.get("rollback") == "no_candidate":
            setting = replace(setting, kind="deploy", no_candidate=True)
        elif told.get("rollback") == "manual":
            setting = replace(setting, asked_by="somebody")
        if told["kind"] == "unknown":
            lines, numbers = numbered_lines(self.log.split("\n"))
            return classify_case(Case(told["phase"], "unknown", lines, numbers=numbers), setting)  # type: ignore[arg-type]
        return classify(self._evidence(), setting)

    def _evidence(self) -> Evidence:
        told = self.header
        lines = self.log.split("\n")
        first = max(0, len(lines) - LOG_TAIL_LINES_MAX)
        stated: dict[str, Any] = {
            "phase": "deploy" if told["phase"] == "rollback" else told["phase"],
            "kind": told["kind"],
            "message": "it did not work",
            "exit_code": int(told["exit"]) if "exit" in told else None,
            "signal": told.get("signal", ""),
            "provider_code": told.get("provider", ""),
            "log_tail": [LogLine(at=AT, text=text) for text in lines[first:]],
            "log_first_line": first + 1,
            "probes": [self._probe()] if "probe" in told else [],
        }
        return Evidence.model_validate(stated)

    def _probe(self) -> ProbeResult:
        status = int(self.header["status"]) if "status" in self.header else None
        seen = {"at": AT, "url": "http://127.0.0.1:8080/", "passed": False, "problem": "did not pass"}
        return ProbeResult.model_validate({**seen, "fault": self.header["probe"], "status": status})


@cache
def _found(name: str, part: str) -> Classification:
    return next(case for case in cases(part) if case.name == name).classified()


def read(path: Path, part: str) -> Labelled:
    """Return the case in a file."""
    head, _, log = path.read_text("utf-8").partition("\n---\n")
    pairs = (line.partition(":") for line in head.splitlines())
    header = {name.strip(): value.strip() for name, _, value in pairs}
    return Labelled(path.stem, part, header, log.rstrip("\n"))


@cache
def cases(part: str) -> Sequence[Labelled]:
    """Return every case of a part."""
    return [read(path, part) for path in sorted((FOLDER / part).glob("*.txt"))]


@dataclass(frozen=True, slots=True)
class Measure:
    """How right we are about a number of failures."""

    number: int
    right: int  # stage, category and code
    precision: dict[str, float]  # by category: of those that we call it, how many are
    recall: dict[str, float]  # by category: of those that are it, how many we call it

    @property
    def accuracy(self) -> float:
        """Return the share with all three right."""
        return self.right / self.number if self.number else 0.0

    @property
    def told(self) -> str:
        """Return it in a line."""
        shares = (
            f"{name.removesuffix('_failure')} {self.precision[name]:.2f}/{self.recall.get(name, 1.0):.2f}"
            for name in sorted(self.precision)
        )
        return (
            f"{self.right} of {self.number} failures named right in stage, category and code"
            f" ({self.accuracy:.1%}); precision/recall: {', '.join(shares)}"
        )

    @property
    def document(self) -> dict[str, Any]:
        """Return it as the floor is written: shares in thousandths, rounded down."""
        shares = {"precision": self.precision, "recall": self.recall}
        rounded = {name: {k: _floor(v) for k, v in sorted(each.items())} for name, each in shares.items()}
        return {"accuracy": _floor(self.accuracy), **rounded}


def _floor(share: float) -> float:
    return int(share * 1000) / 1000


@cache
def measure(part: str) -> Measure:
    """Classify every case of a part and count."""
    return counted((each.label, _named(each.found())) for each in cases(part))


def _named(found: Classification) -> Answers:
    return found.answer.stage, found.answer.category, found.answer.code


def counted(pairs: Iterable[tuple[Answers, Answers]]) -> Measure:
    """Count labels against answers; a category that nobody named has the precision 1."""
    seen = list(pairs)
    are = Counter(label[1] for label, _ in seen)
    called = Counter(answer[1] for _, answer in seen)
    hits = Counter(label[1] for label, answer in seen if label[1] == answer[1])
    return Measure(
        number=len(seen),
        right=sum(label == answer for label, answer in seen),
        precision={each: hits[each] / called[each] if called[each] else 1.0 for each in are | called},
        recall={each: hits[each] / are[each] for each in are},
    )
