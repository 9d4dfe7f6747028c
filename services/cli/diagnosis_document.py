"""A failed run's diagnosis for programs. Its classification has the form that `windlass classify` prints."""

from collections.abc import Sequence
from dataclasses import asdict

from services.cli import diagnosis_report, failure_report
from services.cli.output import Document
from shared.diagnosis.rule import Answer
from shared.diagnosis.rules import Classification
from shared.events import EvidenceLine, FixCard

RUN_KEYS = ("run", "revision", "kind", "commit", "title", "state", "queued_at", "started_at", "finished_at")


def document(stage: Document, run: Document | None, later: Sequence[Document]) -> Document:
    """Return all that is known of a run that failed; `run` is None where none did."""
    standing = {key: stage[key] for key in ("pipeline", "stage", "status")}
    if run is None:
        nothing: Document = {"run": None, "classification": None, "follows": [], "verifications": []}
        return {**standing, **nothing, "diagnostics": None, "logs": ""}
    return {
        **standing,
        "run": {key: run[key] for key in RUN_KEYS},
        "classification": failure_report.document(_classification(run["failure"])),
        "follows": [asdict(each) for each in diagnosis_report.follows(stage, run, later)],
        "verifications": [
            {key: asked[key] for key in ("step", "asked_at", "answered_at", "rounds")}
            for asked in diagnosis_report.unanswered(run)
        ],
        "diagnostics": diagnosis_report.diagnostics(run),
        "logs": diagnosis_report.log_command(run),
    }


def _classification(failure: Document | None) -> Classification | None:
    if failure is None:
        return None
    return Classification(
        answer=Answer(failure["failure_stage"], failure["category"], failure["code"]),
        rule=failure["rule"],
        confidence=failure["confidence"],
        likely_cause=failure["likely_cause"],
        evidence=tuple(map(EvidenceLine.model_validate, failure["evidence"])),
        fix=FixCard.model_validate(failure["fix"]),
    )
