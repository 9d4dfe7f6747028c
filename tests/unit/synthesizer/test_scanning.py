"""A survey: what it asks the mirror for, in which order, and when it has enough."""

import pytest

from services.synthesizer import scanning
from services.synthesizer.finding import Finding
from services.synthesizer.scanning import Survey
from shared.tree import Entry, Kind


def entry(path: str, kind: Kind = "file") -> Entry:
    return Entry(path, kind, "0" * 40)


def listed(survey: Survey, *entries: Entry) -> None:
    """Have it list the root, which is all there is."""
    assert survey.next_folder() == ""
    survey.take_folder("", entries)


def test_folders_that_tell_nothing_are_not_listed() -> None:
    survey = Survey("shop")
    names = ("src", "node_modules", ".git", "vendor")
    listed(survey, *(entry(name, "folder") for name in names), entry("lib", "submodule"), entry("l", "link"))
    assert survey.next_folder() == "src"
    assert survey.next_folder() is None
    assert survey.next_files() == {}


def test_folders_end_at_some_depth_and_some_number(monkeypatch: pytest.MonkeyPatch) -> None:
    survey = Survey("shop")
    folders = []
    while (folder := survey.next_folder()) is not None:
        folders.append(folder)
        survey.take_folder(folder, [entry("a", "folder")])
    assert max(folder.count("/") for folder in folders) < 10
    monkeypatch.setattr(scanning, "FOLDERS_MAX", 3)
    wide = Survey("shop")
    listed(wide, *(entry(f"d{n}", "folder") for n in range(10)))
    assert [wide.next_folder() for _ in range(3)] == ["d0", "d1", None]


def test_no_more_files_are_listed_than_are_looked_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "FILES_MAX", 5)
    survey = Survey("shop")
    listed(survey, entry("d", "folder"), *(entry(f"f{n}") for n in range(5)), entry("package.json"))
    assert survey.next_folder() is None
    assert survey.next_files() == {}


def test_each_file_is_asked_for_once_and_what_is_none_is_none() -> None:
    survey = Survey("shop")
    listed(survey, entry("package.json"), entry("server.py"))
    asked: list[str] = []
    while files := survey.next_files():
        for path in files:
            asked.append(path)
            survey.take_file(path, None)
    assert sorted(asked) == sorted(set(asked))
    assert {"package.json", "server.py"} <= set(asked)
    assert survey.finding("shop", "main") == Finding()


def test_a_survey_reads_so_many_files_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "READS_MAX", 2)
    survey = Survey("shop")
    listed(survey, *(entry(name) for name in ("package.json", "pyproject.toml", "go.mod", "Dockerfile")))
    first = survey.next_files()
    assert len(first) == 2
    for path in first:
        survey.take_file(path, b"")
    assert survey.next_files() == {}


def test_a_survey_reads_so_many_bytes_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "READ_BYTES_MAX", 10)
    survey = Survey("shop")
    listed(survey, entry("package.json"))
    assert survey.next_files()
    survey.take_file("package.json", b'{"scripts": {}}')
    assert survey.next_files() == {}


def test_a_survey_that_keeps_asking_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "ROUNDS_MAX", 1)
    survey = Survey("shop")
    listed(survey, entry("package.json"))
    assert survey.next_files()
    assert survey.next_files() == {}
