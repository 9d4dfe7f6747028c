"""The report as one JSON document for programs. Its form is version 1: keys are added, never changed."""

from collections.abc import Sequence
from typing import Literal, TypedDict

from services.cli.report.checked_file import CheckedFile
from shared.plan import Problem


class ProblemDocument(TypedDict):
    """One problem."""

    line: int  # from 1; 0 when the file as a whole is meant
    column: int  # from 1, in characters
    severity: Literal["error", "warning"]
    rule: str  # which of the language's rules is broken: "unknown-key"
    message: str  # what is wrong
    hint: str  # what is expected; may be empty
    text: str  # what stands there; may be empty


class FileDocument(TypedDict):
    """One file."""

    file: str  # from the repository's root, with slashes; absolute outside of any repository
    pipeline: str  # its slug; empty for a file that no push would find
    valid: bool  # the command ends with 0 exactly if all are
    deployable: bool  # false: a push of it is refused, if only because this release cannot carry it out
    problems: list[ProblemDocument]


class Document(TypedDict):
    """All of it."""

    version: Literal[1]
    files: list[FileDocument]


def document(files: Sequence[CheckedFile], *, strict: bool) -> Document:
    """Return the report."""
    return {"version": 1, "files": [_file(file, strict=strict) for file in files]}


def _file(file: CheckedFile, *, strict: bool) -> FileDocument:
    return {
        "file": file.path.encode("utf-8", "backslashreplace").decode(),
        "pipeline": file.pipeline,
        "valid": file.is_valid(strict=strict),
        "deployable": file.is_deployable,
        "problems": [_problem(problem) for problem in file.problems],
    }


def _problem(problem: Problem) -> ProblemDocument:
    return {
        "line": problem.line,
        "column": problem.column,
        "severity": problem.severity,
        "rule": problem.rule,
        "message": problem.message,
        "hint": problem.hint,
        "text": problem.text,
    }
