"""A deployment that somebody else carried out, told as a document, as a case of ours.

Only the first step that failed and the document's own message decide: what passed before it, or was
cleaned up after it, is not read. Whatever has another form than expected counts as not said.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.diagnosis.evidence import (
    LINES_MAX,
    PHASES,
    Case,
    Phase,
    Setting,
    numbered_lines,
    one_line,
    tail_lines,
)
from shared.diagnosis.rules import Classification, classify_case

STEPS_MAX = 1_000
MESSAGE_LINES_MAX = 200

KEYS = ("steps", "error_message", "rolled_back", "final_status")
FAILED_WORDS = frozenset({
    "error", "errored", "failed", "failure", "fail", "fault", "timed_out", "timeout", "broken", "crashed",
    "unhealthy",
})  # fmt: skip
PASSED_WORDS = frozenset({
    "success", "succeeded", "successful", "ok", "passed", "pass", "done", "complete", "completed", "healthy",
    "deployed", "live", "running",
})  # fmt: skip
_PHASE_WORDS: Mapping[str, Phase] = {
    "checkout": "clone", "fetch": "clone", "git": "clone", "source": "clone",
    "scan": "detect", "analyze": "detect", "analyse": "detect",
    "install": "build", "compile": "build", "test": "build", "tests": "build", "docker": "build",
    "package": "build", "codebuild": "build", "lint": "build",
    "push": "publish", "upload": "publish",
    "prepare": "setup", "provision": "setup", "init": "setup",
    "migrate": "deploy", "terraform": "deploy", "apply": "deploy", "release": "deploy",
    "start": "rollout", "startup": "rollout", "launch": "rollout",
    "health": "verify", "healthcheck": "verify", "verification": "verify", "smoke": "verify",
    "probe": "verify",
    **{phase: phase for phase in PHASES - {"unknown"}},
}  # fmt: skip
_AUTH_WORDS = frozenset({"auth", "authenticate", "authentication", "credentials", "login"})
_WORD = re.compile(r"[a-z]{1,40}")


def classify_report(document: Mapping[str, Any]) -> Classification | None:
    """Name the failure that a document tells of; None: nothing in it failed."""
    status = _word(document.get("final_status"))
    rolled_back = document.get("rolled_back") is True
    steps = [each for each in _steps(document) if _word(each.get("status")) in FAILED_WORDS]
    if not _has_failed(document, status, steps, rolled_back=rolled_back):
        return None
    step = steps[0] if steps else {}
    found = classify_case(_case(step, document.get("error_message")), _setting(steps, status))
    if found.answer.stage == "unknown" and _AUTH_WORDS & _words(step.get("id")):
        return replace(found, answer=replace(found.answer, stage="auth"))
    return found


def _has_failed(
    document: Mapping[str, Any], status: str, steps: Sequence[Mapping[str, Any]], *, rolled_back: bool
) -> bool:
    if rolled_back or status in FAILED_WORDS or "fail" in status or "rolled_back" in status:
        return True
    if status in PASSED_WORDS:
        return False  # what failed on the way was let pass, or got over
    said = isinstance(message := document.get("error_message"), str) and bool(message.strip())
    return bool(steps) or (said and not status)


def _steps(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    steps = document.get("steps")
    if isinstance(steps, Sequence) and not isinstance(steps, str):
        yield from (each for each in steps[:STEPS_MAX] if isinstance(each, Mapping))


def _word(value: object) -> str:
    """Return a status as we compare it: "Timed Out" and "timed-out" are one."""
    said = str(value)[:100].strip().lower() if isinstance(value, str) else ""
    return re.sub(r"[^a-z]+", "_", said).strip("_")


def _setting(steps: Sequence[Mapping[str, Any]], status: str) -> Setting:
    """Return whose failure it is: a rollback that failed is the failure, whatever made it necessary."""
    names = [_word(each.get("id")) for each in steps]
    failed = [name for name in names if "rollback" in name or "roll_back" in name]
    if "no_candidate" in status or any("no_candidate" in name for name in failed):
        return Setting(no_candidate=True)
    if failed or ("rollback" in status and "fail" in status):
        by_hand = any("manual" in each for each in (*failed, status))
        return Setting(kind="rollback", asked_by="a person" if by_hand else "")
    return Setting()


def _case(step: Mapping[str, Any], message: object) -> Case:
    lines, numbers = _logs(step.get("logs"))
    said = tail_lines(message)[0][:MESSAGE_LINES_MAX] if isinstance(message, str) else ()
    added = tuple(text for text in said if text not in lines)
    return Case(
        phase=phase_of(step.get("id")),
        kind="unknown",
        lines=(*lines, *added),
        message=one_line(said[0]) if said else "",
        numbers=(*numbers, *(0 for _ in added)),
    )


def _logs(logs: object) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the last lines of a step, which may come as a list or as one text."""
    if isinstance(logs, str):
        return tail_lines(logs)
    if not isinstance(logs, Sequence):
        return (), ()
    texts = [text for each in logs for text in _text(each).split("\n")]
    skipped = max(0, len(texts) - LINES_MAX)
    return numbered_lines(texts[skipped:], skipped + 1)


def _text(entry: object) -> str:
    if isinstance(entry, Mapping):
        said = (entry.get(name) for name in ("message", "text", "line", "msg"))
        return next((each for each in said if isinstance(each, str)), "")
    return entry if isinstance(entry, str) else ""


def phase_of(id_: object) -> Phase:
    """Return the phase that a step's id names, wholly or with one of its words; unknown if it names two."""
    named = {_PHASE_WORDS[each] for each in _words(id_) if each in _PHASE_WORDS}
    return named.pop() if len(named) == 1 else "unknown"


def _words(id_: object) -> frozenset[str]:
    return frozenset(_WORD.findall(_word(id_)))
