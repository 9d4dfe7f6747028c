"""`windlass schema`: what an editor is given."""

import json
from pathlib import Path

import pytest

from services.cli.command_line import app
from shared.language.discovery import FOLDERS, SCHEMA_FILE
from shared.language.schema import schema


def windlass(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        app(words, prog_name="windlass")
    return int(end.value.code or 0)


def test_without_a_word_it_is_the_schema_of_our_own_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert windlass("schema") == 0
    assert json.loads(capsys.readouterr().out) == schema("pipeline")


@pytest.mark.parametrize("kind", ["pipeline", "devramps", "plan"])
def test_each_kind_is_written_to_a_file(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "schema.json"
    assert windlass("schema", kind, "--output", str(file)) == 0
    assert capsys.readouterr().out == f"Wrote {file}.\n"
    text = file.read_text()
    assert text.endswith("}\n")
    assert json.loads(text)["$schema"].startswith("http")


def test_another_kind_is_misuse_and_help_tells_the_line_that_editors_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert windlass("schema", "pipelin") == 2
    assert "devramps" in capsys.readouterr().err
    assert windlass("schema", "--help") == 0
    told = capsys.readouterr().out
    assert f"# yaml-language-server: $schema=../{SCHEMA_FILE}\n" in told
    assert f" schema --output {FOLDERS['windlass']}/{SCHEMA_FILE}\n" in told
    assert f" schema devramps --output {FOLDERS['devramps']}/{SCHEMA_FILE}\n" in told
