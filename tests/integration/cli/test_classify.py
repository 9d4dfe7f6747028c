"""`windlass classify`, as a person or a program runs it."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.cli import failure_input
from services.cli.app import main

LOG = "npm http fetch GET 200\n\nnpm error code E404\nnpm error 404 Not Found - GET http://r/lefft-trimm\n"
REPORT = {
    "steps": [
        {"id": "clone", "status": "success", "logs": ["fatal: Authentication failed for 'https://x/'"]},
        {"id": "build", "status": "error", "logs": LOG.splitlines()},
    ],
    "error_message": "",
    "rolled_back": False,
    "final_status": "error",
}
KEYS = (
    "stage", "category", "code", "retryable", "rule", "confidence", "summary", "likely_cause", "evidence",
    "fix",
)  # fmt: skip
Run = Callable[..., tuple[int, str, str]]


class Terminal(io.StringIO):
    """A standard input at which a person sits."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_(*words: str, given: bytes | None = None) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["windlass", "classify", *words])
        if given is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run_


def test_a_person_reads_what_failed_why_and_what_to_do(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "build.log"
    file.write_text(LOG)
    code, out, err = run(str(file))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "The build failed; trying again alone will not help."
    assert "  failed in  build: build_failure" in lines
    assert "  3 | npm error code E404" in lines
    assert "Likely cause" in lines
    assert any(line.startswith("  1. ") for line in lines)
    assert any("done when" in line for line in lines)
    assert "{" not in out


def test_a_program_reads_exactly_these_keys(run: Run) -> None:
    code, out, _ = run("--json", given=LOG.encode())
    found = json.loads(out)
    assert code == 0
    assert tuple(found) == KEYS
    assert (found["stage"], found["rule"], found["retryable"]) == ("build", "dependency_not_found", False)
    assert found["evidence"][0] == {"line": 3, "text": "npm error code E404"}
    assert all(isinstance(each, str) for each in found["fix"])
    assert found["fix"][-1].startswith("Done when: ")


@pytest.mark.parametrize("words", [("-",), ()])
def test_a_report_is_read_from_standard_input_too(run: Run, words: tuple[str, ...]) -> None:
    code, out, _ = run(*words, "--json", given=json.dumps(REPORT).encode())
    assert code == 0
    assert json.loads(out)["rule"] == "dependency_not_found"


def test_where_nothing_failed_the_classification_is_null(run: Run) -> None:
    good: dict[str, Any] = {"steps": REPORT["steps"][:1], "final_status": "success"}  # type: ignore[index]
    assert run("--json", given=json.dumps(good).encode()) == (0, "null\n", "")
    assert run(given=json.dumps(good).encode()) == (0, "Nothing failed.\n", "")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(b"all is well\n", id="plain"),
        pytest.param(b"all is well but for one byte \0 in it\n", id="a stray byte"),
        pytest.param(b'{"level":"info"}\n{"level":"error","msg":"declined"}\n', id="JSON on each line"),
        pytest.param(b"{{ templates }} are no JSON"[2:], id="braces"),
        pytest.param("caf\xe9 ferm\xe9, and some more of it".encode("latin-1"), id="another encoding"),
        pytest.param("\ufeffall is well".encode(), id="a byte order mark"),
        pytest.param("all is well".encode("utf-16"), id="as PowerShell writes it"),
    ],
)
def test_a_log_that_nobody_knows_is_unknown(run: Run, given: bytes) -> None:
    code, out, err = run("--json", given=given)
    assert (code, err) == (0, "")
    assert json.loads(out)["rule"] == "not_recognised"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(b"", "standard input is empty.", id="empty"),
        pytest.param(b" \n\n", "standard input is empty.", id="blank"),
        pytest.param(b"\x7fELF\0\0\0", "standard input is not text", id="binary"),
        pytest.param(bytes(range(128, 256)), "standard input is not text", id="no text"),
        pytest.param(
            b'{"steps": [', "begins as JSON and is none: Expecting value, line 1, column 12", id="cut"
        ),
        pytest.param(b'{\n "steps": 1,,}', "line 2, column 13", id="bad JSON"),
        pytest.param(b'{"name": "shop"}', "JSON with none of steps", id="another document"),
        pytest.param(b'{"steps": {}}', "steps that are no list", id="steps of another kind"),
        pytest.param(b'{"steps":' + b"[" * 200_000, "nested too deeply", id="deep"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(run: Run, given: bytes, said: str) -> None:
    code, out, err = run("--json", given=given)
    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("windlass: ")
    assert "Traceback" not in err


def test_a_file_that_cannot_be_read_is_told_with_the_way_out(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "There is no file" in run(str(tmp_path / "nowhere.log"))[2]
    assert "is a folder" in run(str(tmp_path))[2]
    assert "cannot be read" in run("a\0b")[2]
    monkeypatch.setattr(failure_input, "BYTES_MAX", 10)
    large = tmp_path / "large.log"
    large.write_text("x" * 11)
    code, _, err = run(str(large))
    assert code == 2
    assert "larger than" in err
    assert "tail -c" in err


def test_who_gives_nothing_is_told_how(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    assert "There is no log." in run()[2]
    monkeypatch.setattr(sys, "stdin", None)
    assert "Standard input is closed." in run()[2]


def test_what_a_log_says_is_shown_and_not_obeyed(run: Run) -> None:
    hostile = "npm error code E404\x1b]0;owned\x07\x9b31m \u202e"
    for words in ((), ("--json",)):
        code, out, _ = run(*words, given=hostile.encode())
        assert code == 0
        assert out.isascii() or out.replace("\n", "").isprintable()
        assert "\x1b" not in out


def test_surrogates_and_large_numbers_in_a_report_break_nothing(run: Run) -> None:
    report = '{"error_message": "\\ud800 npm error code E404", "steps": [], "final_status": 1e999}'
    code, out, _ = run("--json", given=report.encode())
    assert code == 0
    assert json.loads(out)["rule"] == "not_recognised"
