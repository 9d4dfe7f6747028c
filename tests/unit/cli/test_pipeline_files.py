"""Which files the words after `windlass validate` mean."""

import os
from pathlib import Path

import pytest

from services.cli.faults import MISUSED, CommandFault
from services.cli.pipeline_files import FoundFile, Search, dialect_of

FILES = (
    ".git/HEAD",
    ".windlass/shop/pipeline.yaml",
    ".windlass/shop/notes",
    ".devramps/blog/pipeline.yaml",
    "src/main.py",
    "examples/pipeline.yaml",
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with two pipelines and what is in one's way."""
    root = tmp_path / "shop"
    for file in FILES:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return root


def found(*paths: Path) -> dict[str, str]:
    """Return the files' paths and pipelines."""
    return {file.path: file.pipeline for file in Search().find(paths)}


def problems(*paths: Path) -> dict[str, str]:
    return {
        file.path: "; ".join(problem.message for problem in file.problems)
        for file in Search().find(paths)
        if file.problems
    }


BOTH = {".devramps/blog/pipeline.yaml": "blog", ".windlass/shop/pipeline.yaml": "shop"}
OURS = {".windlass/shop/pipeline.yaml": "shop"}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (".", BOTH),
        ("src", BOTH),
        ("src/../src", BOTH),
        (".windlass", OURS),
        (".windlass/shop", OURS),
        (".windlass/shop/pipeline.yaml", OURS),
        (".devramps", {".devramps/blog/pipeline.yaml": "blog"}),
        ("examples/pipeline.yaml", {"examples/pipeline.yaml": ""}),
        (".windlass/shop/notes", {".windlass/shop/notes": ""}),
    ],
)
def test_a_path_means_a_repository_a_folder_or_a_file(
    shop: Path, where: str, expected: dict[str, str]
) -> None:
    assert found(shop / where) == expected


def test_a_file_is_looked_at_once_however_often_it_is_meant(shop: Path) -> None:
    assert found(shop, shop / ".windlass", shop / ".windlass/shop/pipeline.yaml", shop / "src") == BOTH


def test_a_file_outside_of_any_repository_has_its_whole_path(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").touch()
    assert found(tmp_path / "x.yaml") == {str(tmp_path / "x.yaml"): ""}


def test_a_file_that_nearly_is_a_pipeline_is_reported_in_its_place(shop: Path) -> None:
    (shop / ".windlass/web").mkdir()
    (shop / ".windlass/web/pipeline.yml").touch()
    (shop / ".windlass/api/pipeline.yaml").mkdir(parents=True)
    (shop / ".windlass/link").mkdir()
    (shop / ".windlass/link/pipeline.yaml").symlink_to("../shop/pipeline.yaml")
    assert problems(shop) == {
        ".windlass/web/pipeline.yml": '"pipeline.yml" is not read',
        ".windlass/api/pipeline.yaml": "this is a folder, not a file",
        ".windlass/link/pipeline.yaml": "this is a link, not a file",
    }
    for file in problems(shop):
        assert problems(shop / file) == {file: problems(shop)[file]}
    assert not any(file.readable for file in Search().find([shop]) if file.problems)


def test_a_name_in_both_folders_is_reported_and_both_are_still_read(shop: Path) -> None:
    (shop / ".devramps/shop").mkdir()
    (shop / ".devramps/shop/pipeline.yaml").touch()
    assert any("both define the pipeline shop" in message for message in problems(shop).values())
    readable = {file.path for file in Search().find([shop]) if file.readable}
    assert readable >= {".windlass/shop/pipeline.yaml", ".devramps/shop/pipeline.yaml"}


def test_a_folder_whose_name_can_be_no_pipelines_is_reported(shop: Path) -> None:
    (shop / ".windlass/Bad\udcff\x1b").mkdir()
    (shop / ".windlass/Bad\udcff\x1b/pipeline.yaml").touch()
    (bad,) = (file for file in Search().find([shop]) if file.problems)
    assert "cannot name a pipeline" in bad.problems[0].message
    assert bad.path == ".windlass/Bad\udcff\x1b/pipeline.yaml"
    assert bad.pipeline == ""
    assert bad.readable


def test_folders_that_are_links_are_reported(shop: Path, tmp_path: Path) -> None:
    (shop / ".windlass/linked").symlink_to("shop")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/.windlass").symlink_to("../shop/.windlass")
    assert "a link, not a folder" in problems(shop)[".windlass/linked"]
    assert "a link, not a folder" in problems(tmp_path / "other")[".windlass"]


def misused(*paths: Path) -> str:
    with pytest.raises(CommandFault) as fault:
        Search().find(paths)
    assert fault.value.code == MISUSED
    return f"{fault.value} {fault.value.next}"


def test_where_there_is_nothing_the_way_out_is_told(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "circle").symlink_to("circle")
    assert "There is no pipeline file in" in misused(tmp_path / "empty")
    assert "windlass init" in misused(tmp_path / "empty")
    assert "There is no pipeline file in" in misused(shop, tmp_path / "empty")
    assert "There is no" in misused(tmp_path / "none")
    assert "cannot be looked at: File name too long" in misused(tmp_path / ("n" * 5000))
    assert found(tmp_path / "circle") == {str(tmp_path / "circle"): ""}  # it is there; reading it will tell


def test_a_pipe_among_the_pipelines_is_not_there_and_named_it_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / ".windlass/shop").mkdir(parents=True)
    os.mkfifo(tmp_path / ".windlass/shop/pipeline.yaml")
    assert "There is no pipeline file" in misused(tmp_path)
    assert found(tmp_path / ".windlass/shop/pipeline.yaml") == {".windlass/shop/pipeline.yaml": ""}


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        (".windlass/shop/pipeline.yaml", "windlass"),
        (".devramps/shop/pipeline.yaml", "devramps"),
        (".devramps/pipeline.yaml", "devramps"),
        ("examples/pipeline.yaml", "windlass"),
        ("/elsewhere/x.yaml", "windlass"),
    ],
)
def test_the_folder_says_which_language_a_file_is_in(path: str, dialect: str) -> None:
    assert dialect_of(path) == dialect


def test_a_found_file_says_whether_it_lies_among_pipelines(tmp_path: Path) -> None:
    placed = FoundFile(".windlass/x/pipeline.yaml", tmp_path, None, "x", readable=True)
    assert placed.is_placed
    assert not placed._replace(path=".windlass-old/x").is_placed
