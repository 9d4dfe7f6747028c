"""What lies in a folder, as git would see it."""

import os
import socket
from pathlib import Path

import pytest

from services.cli import working_copy
from services.cli.working_copy import Listing, Tree, Unreadable, listing, read, root_around


def make(root: Path, *files: str) -> Path:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("x")
    return root


def names(found: Listing | None) -> list[tuple[str, str]]:
    assert found
    return [(entry.path, entry.kind) for entry in found.entries]


def test_a_listing_is_two_levels_deep_and_in_order(tmp_path: Path) -> None:
    make(tmp_path, "shop/pipeline.yaml", "shop/deep/er/file", "README", "blog/x")
    assert names(listing(tmp_path)) == [
        ("README", "file"),
        ("blog", "folder"),
        ("blog/x", "file"),
        ("shop", "folder"),
        ("shop/deep", "folder"),
        ("shop/pipeline.yaml", "file"),
    ]


def test_what_git_does_not_keep_is_not_there_and_links_lead_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "shop/pipeline.yaml")
    os.mkfifo(tmp_path / "shop" / "pipe")
    monkeypatch.chdir(tmp_path / "shop")  # the whole path may be longer than a socket's can be
    with socket.socket(socket.AF_UNIX) as door:
        door.bind("door")
    (tmp_path / "shop" / "self").symlink_to("self")
    (tmp_path / "up").symlink_to("..")
    found = listing(tmp_path)
    assert names(found) == [
        ("shop", "folder"),
        ("shop/pipeline.yaml", "file"),
        ("shop/self", "link"),
        ("up", "link"),
    ]
    assert found
    assert found.problems == (("up", "this is a link, not a folder: a push finds no pipelines behind it"),)


def test_a_submodule_is_told_from_a_folder(tmp_path: Path) -> None:
    make(tmp_path, "vendor/.git", "vendor/pipeline.yaml")
    assert names(listing(tmp_path))[0] == ("vendor", "submodule")
    assert len(names(listing(tmp_path))) == 1


def test_names_that_are_no_text_are_listed(tmp_path: Path) -> None:
    (tmp_path / "bad\udcff").mkdir()
    assert names(listing(tmp_path)) == [("bad\udcff", "folder")]


def test_what_is_no_folder_is_said_to_be_none(tmp_path: Path) -> None:
    assert listing(tmp_path / "none") is None
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(".")
    for name, kind in (("file", "a file"), ("link", "a link")):
        found = listing(tmp_path / name)
        assert found
        assert found.entries == ()
        assert f"this is {kind}, not a folder" in found.problems[0][1]


def test_a_folder_with_no_end_is_looked_at_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working_copy, "ENTRIES_MAX", 20)
    make(tmp_path, *(f"{folder}/{file}" for folder in range(10, 20) for file in range(10)))
    found = listing(tmp_path)
    assert found
    assert 20 < len(found.entries) <= 20 + 11
    assert found.problems == (("", "there are more than 20 files in it: the rest is not looked at"),)
    make(tmp_path, *(f"wide/{file}" for file in range(100)))
    assert len(names(listing(tmp_path / "wide"))) == 21


def test_the_root_is_where_git_is_or_else_where_pipelines_are(tmp_path: Path) -> None:
    make(tmp_path, "repository/.git/HEAD", "repository/a/b/c", "tree/.gitless", "tree/a/.git")
    make(
        tmp_path,
        "plain/.devramps/shop/pipeline.yaml",
        "plain/a/b",
        "other/.windlass/client.json",
        "other/a/b",
    )
    assert root_around(tmp_path / "repository/a/b") == tmp_path / "repository"
    assert root_around(tmp_path / "tree/a") == tmp_path / "tree/a"  # a work tree's .git is a file
    assert root_around(tmp_path / "plain/a") == tmp_path / "plain"
    assert root_around(tmp_path / "other/a") is None  # the data folder of a Windlass is no repository


def test_a_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 10_000_000)
    assert read(tmp_path / "large", 100, follow=True) == b"x" * 101
    assert read(tmp_path / "large", 10_000_000, follow=True) == b"x" * 10_000_000


@pytest.mark.parametrize("name", ["folder", "pipe", "link", "circle", "none", "n" * 5000, "/dev/null"])
def test_what_is_no_file_is_not_read_and_never_waited_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(Unreadable):
        read(tmp_path / name, 100, follow=False)
    assert read(tmp_path / "link", 100, follow=True) == b""


def test_the_tree_answers_for_paths_as_a_commit_would(tmp_path: Path) -> None:
    make(tmp_path, "app/src/main.py", "outside/x")
    (tmp_path / "link").symlink_to("outside")
    tree = Tree(tmp_path)
    kinds = {
        path: (tree[path] and tree[path].kind)  # type: ignore[union-attr]
        for path in (
            "/",
            "/app",
            "/app/src/main.py",
            "/app/none",
            "/link",
            "/link/x",
            "/app/src/main.py/x",
            "/\0",
        )
    }
    assert kinds == {
        "/": "folder",
        "/app": "folder",
        "/app/src/main.py": "file",
        "/app/none": None,
        "/link": "link",
        "/link/x": None,
        "/app/src/main.py/x": None,
        "/\0": None,
    }
