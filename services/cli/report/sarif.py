"""The report as SARIF 2.1.0, in the part of it that code scanning takes: annotations on a pull request.

A rule needs descriptions and help texts that are not empty, a result a place with lines and columns, and a
path a URI relative to the repository's root. Columns are counted in characters, which has to be said.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from services.cli.report.checked_file import CheckedFile
from shared.plan import Problem

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
UNNAMED = "pipeline-file"  # the rule of a problem that names none
RESULTS_MAX = 5_000  # more are not shown there, and 25 000 are refused
TEXT_CHARACTERS_MAX = 1_024  # of a description or a message
FINGERPRINT = "windlassProblem/v1"


def log(files: Sequence[CheckedFile], rules: Mapping[str, str], version: str) -> dict[str, Any]:
    """Return the report; `rules` says of each of the language's rules, in a sentence, what it asks for."""
    found = [(file, problem) for file in files for problem in file.problems]
    found.sort(key=lambda each: each[1].severity)  # where there are too many, errors go before warnings
    names = [*rules, *sorted({_rule(problem) for _, problem in found} - rules.keys())]
    seen: Counter[str] = Counter()
    lines = {file.path: file.lines() for file in files}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(names, rules, version)},
                "columnKind": "unicodeCodePoints",
                "results": [
                    _result(file, problem, names.index(_rule(problem)), lines[file.path], seen)
                    for file, problem in found[:RESULTS_MAX]
                ],
            }
        ],
    }


def _driver(names: Sequence[str], rules: Mapping[str, str], version: str) -> dict[str, Any]:
    return {
        "name": "windlass",
        "semanticVersion": version,
        "rules": [_descriptor(name, rules.get(name, "")) for name in names],
    }


def _descriptor(name: str, sentence: str) -> dict[str, Any]:
    words = name.replace("-", " ")
    sentence = sentence or f"The pipeline file breaks a rule of the language: {words}."
    help_ = f"{sentence} `windlass validate` shows the place, and what is expected there."
    return {
        "id": name,
        "name": words.title().replace(" ", ""),
        "shortDescription": {"text": f"{words.capitalize()} in a pipeline file"},
        "fullDescription": {"text": sentence},
        "help": {"text": help_, "markdown": help_},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["pipeline"], "precision": "very-high", "problem.severity": "error"},
    }


def _result(
    file: CheckedFile, problem: Problem, rule_index: int, lines: Sequence[str], seen: Counter[str]
) -> dict[str, Any]:
    mark = _mark(problem, lines)
    seen[mark] += 1
    return {
        "ruleId": _rule(problem),
        "ruleIndex": rule_index,
        "level": problem.severity,
        "message": {"text": _message(problem)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri(file.path), "uriBaseId": "%SRCROOT%"},
                    "region": _region(problem),
                }
            }
        ],
        "partialFingerprints": {FINGERPRINT: f"{mark}:{seen[mark]}"},
    }


def uri(path: str) -> str:
    """Return a path as a URI reference: relative, unless the path is absolute."""
    return ("file://" if path.startswith("/") else "") + quote(os.fsencode(path), safe="/")


def _region(problem: Problem) -> dict[str, int]:
    line, column = max(problem.line, 1), max(problem.column, 1)
    end = column + max(len(problem.text), 1)
    return {"startLine": line, "startColumn": column, "endLine": line, "endColumn": end}


def _message(problem: Problem) -> str:
    sentence = f"{problem.message[:1].upper()}{problem.message[1:]}."
    text = f"{sentence} {problem.hint[:1].upper()}{problem.hint[1:]}" if problem.hint else sentence
    # `[a](b)` would be a link, and the words are a stranger's.
    return text.replace("](", "] (")[:TEXT_CHARACTERS_MAX]


def _mark(problem: Problem, lines: Sequence[str]) -> str:
    """Return what stays the same about a problem when lines are added above it."""
    line = lines[problem.line - 1].strip() if 1 <= problem.line <= len(lines) else ""
    parts = (_rule(problem), problem.message, line)
    return sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _rule(problem: Problem) -> str:
    return problem.rule or UNNAMED
