"""Finding and reading reports in a folder that a stranger's program filled."""

import json
import os
from pathlib import Path

import pytest

from services.deployer.adapters.local import report_files
from services.deployer.adapters.local.report_files import DEPTH_MAX, Gathered, gather, stamps

ONE = b"<testsuite><testcase name='one'/></testsuite>"
TWO = b"<testsuite><testcase name='a'/><testcase name='b'><failure message='no'/></testcase></testsuite>"


def put(top: Path, *paths: str, content: bytes = ONE) -> None:
    for path in paths:
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(content)


def counts(found: Gathered) -> tuple[int, int]:
    assert found.report is not None, found
    return found.report.passed, found.report.failed


@pytest.mark.parametrize(
    ("pattern", "passed"),
    [
        pytest.param("reports/a.xml", 1, id="a path"),
        pytest.param("./reports//a.xml", 1, id="a path written otherwise"),
        pytest.param("/reports/a.xml", 1, id="a path from the top"),
        pytest.param("reports/*.xml", 2, id="a folder"),
        pytest.param("*/*.xml", 3, id="folders"),
        pytest.param("**/*.xml", 6, id="all folders, the top too"),
        pytest.param("**", 7, id="everything"),
        pytest.param("**/**/c.xml", 1, id="folders twice"),
        pytest.param("other/**/deep/*.xml", 1, id="folders between"),
        pytest.param("reports/[ab].xml", 2, id="letters"),
    ],
)
def test_a_pattern_finds_each_file_once(tmp_path: Path, pattern: str, passed: int) -> None:
    put(tmp_path, "top.xml", "reports/a.xml", "reports/b.xml", "reports/a.txt")
    put(tmp_path, "other/c.xml", "other/x/deep/d.xml", "other/x/deep/y/e.xml")
    assert gather(tmp_path, pattern, {}) == Gathered(gather(tmp_path, pattern, {}).report, "")
    assert counts(gather(tmp_path, pattern, {})) == (passed, 0)


def test_reports_are_added_and_what_is_none_is_named(tmp_path: Path) -> None:
    put(tmp_path, "r/1.xml", "r/3.xml", content=TWO)
    put(tmp_path, "r/2.xml", content=b"<html/>")
    found = gather(tmp_path, "r/*", {})
    assert counts(found) == (2, 2)
    assert found.note == "'r/2.xml' is not a JUnit report: it begins with <html>"


def test_without_a_file_that_matches_there_is_a_note_and_no_report(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    nothing = Gathered(None, "the command wrote no file that matches 'r/*.xml'")
    assert gather(tmp_path, "r/*.xml", {}) == nothing
    assert gather(tmp_path / "gone", "r/*.xml", {}) == nothing
    assert gather(tmp_path, "r", {}).report is None


def test_a_report_that_was_there_before_does_not_count_until_it_is_written_anew(tmp_path: Path) -> None:
    put(tmp_path, "r/old.xml", "r/anew.xml", content=TWO)
    before = {path: tuple(stamp) for path, stamp in json.loads(json.dumps(stamps(tmp_path, "r/*"))).items()}
    assert gather(tmp_path, "r/*", before).report is None
    put(tmp_path, "r/new.xml")
    os.utime(tmp_path / "r" / "anew.xml", ns=(0, 1))
    assert counts(gather(tmp_path, "r/*", before)) == (2, 1)


def test_no_link_is_followed(tmp_path: Path) -> None:
    top = tmp_path / "top"
    put(tmp_path, "outside/r.xml")
    put(top, "inside/r.xml")
    (top / "file.xml").symlink_to("/etc/passwd")
    (top / "own.xml").symlink_to("inside/r.xml")
    (top / "folder").symlink_to(tmp_path / "outside")
    (top / "again").symlink_to(top)
    assert counts(gather(top, "**/*.xml", {})) == (1, 0)
    assert gather(top, "folder/r.xml", {}).report is None
    (tmp_path / "linked").symlink_to(top)
    assert gather(tmp_path / "linked", "**", {}).report is None


def test_nothing_but_a_file_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xml")
    (tmp_path / "folder.xml").mkdir()
    assert gather(tmp_path, "*.xml", {}).report is None


def test_a_large_file_is_left_out_and_named(tmp_path: Path) -> None:
    with (tmp_path / "large.xml").open("wb") as file:
        file.truncate(100 * 1024**2)
    put(tmp_path, "small.xml")
    found = gather(tmp_path, "*.xml", {})
    assert counts(found) == (1, 0)
    assert found.note == "'large.xml' is larger than 10 MiB"


def test_of_many_bad_files_the_first_are_named(tmp_path: Path) -> None:
    put(tmp_path, *(f"{number}.xml" for number in range(9)), content=b"<")
    note = gather(tmp_path, "*.xml", {}).note
    assert note.count("is not XML") == 3
    assert note.endswith("; and 6 more")


def test_there_is_a_limit_to_the_number_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_files, "FILES_MAX", 50)
    put(tmp_path, *(f"r/{number:05}.xml" for number in range(200)))
    found = gather(tmp_path, "**", {})
    assert counts(found) == (50, 0)
    assert found.note == "only the first 50 files that match are read"


def test_ten_thousand_files_that_are_no_reports_make_one_note(tmp_path: Path) -> None:
    put(tmp_path, "0.xml", content=b"")
    for number in range(1, 10_000):
        (tmp_path / f"{number}.xml").hardlink_to(tmp_path / "0.xml")
    found = gather(tmp_path, "*.xml", {})
    assert found.report is None
    assert found.note.endswith("; and 4998 more")


def test_there_is_a_limit_to_what_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_files, "ENTRIES_MAX", 50)
    put(tmp_path, *(f"r/{number}.txt" for number in range(200)))
    assert gather(tmp_path, "r/*.xml", {}) == Gathered(None, "only the first 50 files are looked at")


def test_there_is_a_limit_to_all_reports_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_files, "ALL_BYTES_MAX", 2 * 1024**2)
    padded = ONE + b"<!--" + b" " * 1024**2 + b"-->"
    put(tmp_path, "1.xml", "2.xml", "3.xml", content=padded)
    found = gather(tmp_path, "*.xml", {})
    assert counts(found) == (1, 0)
    assert found.note == "reports of more than 2 MiB together are not read"


def test_folders_without_end_are_left_at_some_depth(tmp_path: Path) -> None:
    put(tmp_path, "d/" * DEPTH_MAX + "r.xml", "d/" * (DEPTH_MAX + 1) + "r.xml")
    assert counts(gather(tmp_path, "**/r.xml", {})) == (1, 0)


def test_a_name_that_is_no_text_is_shown_all_the_same(tmp_path: Path) -> None:
    put(tmp_path, os.fsdecode(b"\xff\n\x1b[31m.xml"), content=b"")
    note = gather(tmp_path, "*.xml", {}).note
    assert note == r"'\udcff\n\x1b[31m.xml' is not XML: no element found"
    note.encode()
