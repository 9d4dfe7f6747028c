"""Folders made and removed as a whole."""

import os
from pathlib import Path

import pytest

from shared.artifacts.folder import made_whole, remove, settle
from shared.faults import TryAgain


def deep(top: Path, levels: int) -> None:
    """Nest folders past what a path may be long and a stack deep."""
    descriptor = os.open(top, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d" * 100, dir_fd=descriptor)
        inner = os.open("d" * 100, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(os.open("leaf", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)


def test_a_tree_of_2000_nested_folders_is_removed(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    deep(tmp_path / "workspace", 2_000)

    remove(tmp_path / "workspace")

    assert list(tmp_path.iterdir()) == []


def test_removing_never_follows_a_link(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").touch()
    (tmp_path / "workspace/sub").mkdir(parents=True)
    (tmp_path / "workspace/out").symlink_to(tmp_path / "precious")
    (tmp_path / "workspace/sub/out").symlink_to(tmp_path / "precious")

    remove(tmp_path / "workspace")

    assert (tmp_path / "precious/file").exists()
    assert not (tmp_path / "workspace").exists()


def test_folders_made_read_only_are_removed(tmp_path: Path) -> None:
    inner = tmp_path / "workspace/mod/pkg"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    inner.chmod(0o555)
    inner.parent.chmod(0o000)

    remove(tmp_path / "workspace")

    assert not (tmp_path / "workspace").exists()


def test_a_removal_that_was_interrupted_is_taken_up_again(tmp_path: Path) -> None:
    (tmp_path / "workspace/.removed-1/.removed-2/sub").mkdir(parents=True)
    (tmp_path / "workspace/sub/.removed-1").mkdir(parents=True)
    (tmp_path / "workspace/sub/.removed-1/file").touch()

    remove(tmp_path / "workspace")
    remove(tmp_path / "workspace")

    assert not (tmp_path / "workspace").exists()


def test_a_link_or_file_in_place_of_the_folder_is_removed_itself(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "link").symlink_to("precious")
    (tmp_path / "file").touch()

    remove(tmp_path / "link")
    remove(tmp_path / "file")

    assert [left.name for left in tmp_path.iterdir()] == ["precious"]


def test_a_folder_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    with made_whole(tmp_path / "release") as part:
        (part / "file").touch()
        assert not (tmp_path / "release").exists()

    assert [made.name for made in tmp_path.iterdir()] == ["release"]


def test_a_folder_that_another_worker_finished_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    (tmp_path / "release/file").touch()

    with pytest.raises(TryAgain), made_whole(tmp_path / "release"):
        raise AssertionError("it was made twice")

    assert [made.name for made in tmp_path.iterdir()] == ["release"]
    assert (tmp_path / "release/file").exists()


def test_a_folder_is_settled_once_and_what_comes_later_is_dropped(tmp_path: Path) -> None:
    for content in ("first", "second"):
        (tmp_path / "arriving").mkdir()
        (tmp_path / "arriving/file").write_text(content)
        settle(tmp_path / "arriving", tmp_path / "source")

    assert (tmp_path / "source/file").read_text() == "first"
    assert [made.name for made in tmp_path.iterdir()] == ["source"]
