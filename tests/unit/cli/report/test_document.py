"""The report as JSON."""

import json

from services.cli.report.document import document
from tests.unit.cli.report.reported import SHOP, checked, problem


def test_the_document_says_everything_of_every_file() -> None:
    bad = checked("a\n  b", problem(hint="so", text="b", severity="warning"))
    good = checked("", path="bad\udcff", pipeline="")
    told = document([bad, good], strict=False)
    assert told == {
        "version": 1,
        "files": [
            {
                "file": SHOP,
                "pipeline": "shop",
                "valid": True,
                "deployable": True,
                "problems": [
                    {
                        "line": 2,
                        "column": 3,
                        "severity": "warning",
                        "rule": "unknown-key",
                        "message": "there is no such key",
                        "hint": "so",
                        "text": "b",
                    }
                ],
            },
            {"file": "bad\\udcff", "pipeline": "", "valid": True, "deployable": True, "problems": []},
        ],
    }
    assert json.loads(json.dumps(told).encode()) == told


def test_valid_is_what_the_exit_code_says() -> None:
    warned, wrong = checked("", problem(severity="warning")), checked("", problem())
    assert [each["valid"] for each in document([warned, wrong], strict=False)["files"]] == [True, False]
    assert [each["valid"] for each in document([warned, wrong], strict=True)["files"]] == [False, False]


def test_what_this_release_cannot_carry_out_is_valid_and_not_deployable() -> None:
    undone = checked("", problem(severity="warning", rule="unsupported"))
    wrong = checked("", problem())
    told = document([undone, wrong], strict=False)["files"]
    assert [(each["valid"], each["deployable"]) for each in told] == [(True, False), (False, False)]
