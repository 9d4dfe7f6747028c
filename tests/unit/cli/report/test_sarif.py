"""The report as SARIF, held against what code scanning asks of an upload.

The figures are GitHub's ("SARIF support for code scanning"): a file that breaks a limit is refused, and a
required property must not be empty.
"""

import json
import re
from typing import Any

import pytest

from services.cli.report.checked_file import CheckedFile
from services.cli.report.sarif import RESULTS_MAX, log, uri
from shared.language.problem import RULES
from tests.unit.cli.report.reported import SHOP, checked, problem

SENTENCES = {str(rule): sentence for rule, sentence in RULES.items()}
SEMANTIC_VERSION = re.compile(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?")
URI_REFERENCE = re.compile(r"(file:///)?(?:[A-Za-z0-9._~!$&'()*+,;=@/-]|%[0-9A-F]{2})+")
LEVELS = {"note", "warning", "error"}
EVIL = "\x1b[2J [click](https://example.org) {0} \udcff"

MANY = checked("a\n  b\n", *(problem(line=number) for number in range(1, 6_000)))
FILES = [
    checked("a\n  b: 日本\n", problem(text="b: 日本", hint="so"), problem(severity="warning")),
    checked("", problem(line=0, column=1, rule="")),
    checked("", problem(line=7, column=0, rule="of-tomorrow", message="m" * 5000)),
    checked("", problem(message=EVIL[:-1], text=EVIL[:-1]), path=f".windlass/a b:{EVIL}/pipeline.yaml"),
    checked("", problem(), path="/elsewhere/pipeline.yaml", pipeline=""),
    checked(""),
]


def uploaded(*files: CheckedFile) -> dict[str, Any]:
    """Return the log as a reader gets it."""
    read: dict[str, Any] = json.loads(json.dumps(log(files, SENTENCES, "0.1.0")).encode("utf-8"))
    return read


def results(*files: CheckedFile) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = uploaded(*files)["runs"][0]["results"]
    return found


def test_the_log_is_what_code_scanning_takes() -> None:
    read = uploaded(*FILES, MANY)
    assert read["$schema"] == "https://json.schemastore.org/sarif-2.1.0.json"
    assert read["version"] == "2.1.0"
    (run,) = read["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "windlass"
    assert SEMANTIC_VERSION.fullmatch(driver["semanticVersion"])
    assert len(run["results"]) <= 5_000
    assert run["columnKind"] == "unicodeCodePoints"


def test_each_rule_is_described() -> None:
    rules = uploaded(*FILES)["runs"][0]["tool"]["driver"]["rules"]
    ids = [rule["id"] for rule in rules]
    assert len(set(ids)) == len(ids)
    assert ids[: len(RULES)] == list(RULES)
    assert ids[len(RULES) :] == ["of-tomorrow", "pipeline-file"]
    for rule in rules:
        assert 0 < len(rule["name"]) <= 255
        for text in (rule["shortDescription"], rule["fullDescription"]):
            assert 0 < len(text["text"]) <= 1024
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] in LEVELS
        assert len(rule["properties"]["tags"]) <= 10


def test_each_result_has_a_rule_a_message_and_one_place() -> None:
    run = uploaded(*FILES)["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in LEVELS
        assert 0 < len(result["message"]["text"]) <= 1024
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert URI_REFERENCE.fullmatch(place["artifactLocation"]["uri"]), place
        region = place["region"]
        assert 1 <= region["startLine"] == region["endLine"]
        assert 1 <= region["startColumn"] < region["endColumn"]
        assert all(result["partialFingerprints"].values())


def test_a_result_says_what_people_are_told() -> None:
    first, second = results(FILES[0])
    assert first["message"]["text"] == "There is no such key. So"
    assert first["level"] == "error"
    assert second["level"] == "warning"
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": SHOP, "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 8}


@pytest.mark.parametrize(
    ("path", "encoded"),
    [
        (SHOP, SHOP),
        (".windlass/a b#c%/pipeline.yaml", ".windlass/a%20b%23c%25/pipeline.yaml"),
        ("a:b", "a%3Ab"),
        ("é\udcff", "%C3%A9%FF"),
        ("/tmp/a b", "file:///tmp/a%20b"),
    ],
)
def test_a_path_becomes_a_uri(path: str, encoded: str) -> None:
    assert uri(path) == encoded


def test_a_strangers_words_make_no_link() -> None:
    (found,) = results(FILES[3])
    assert "](" not in found["message"]["text"]


def test_a_problem_is_known_again_when_lines_are_added_above_it() -> None:
    before = results(checked("a\n  b\n", problem()))
    after = results(checked("\n\na\n  b\n", problem(line=4)))
    assert before[0]["partialFingerprints"] == after[0]["partialFingerprints"]
    twice = results(checked("a\n  b\n  b\n", problem(), problem(line=3)))
    assert twice[0]["partialFingerprints"] != twice[1]["partialFingerprints"]
    assert twice[0]["partialFingerprints"] == before[0]["partialFingerprints"]


def test_too_many_results_leave_the_warnings_out_first() -> None:
    warned = checked("", *(problem(line=each, severity="warning") for each in range(1, RESULTS_MAX)))
    found = results(warned, checked("", problem(), problem(line=3)))
    assert len(found) == RESULTS_MAX
    assert [result["level"] for result in found[:3]] == ["error", "error", "warning"]
