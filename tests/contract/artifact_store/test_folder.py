"""Folders made and removed as a whole."""

import fcntl
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.artifacts.folder import (
    arrival,
    disk_faults,
    made_whole,
    remove,
    remove_aside,
    remove_left_aside,
    settle,
    write_whole,
)
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


def test_a_folder_that_several_remove_at_once_is_removed_and_nobody_minds(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"workspace/{number}/a/b").mkdir(parents=True)
    with ThreadPoolExecutor(4) as several:
        list(several.map(remove_aside, [tmp_path / "workspace"] * 4))
    remove_left_aside(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_living_process_is_removing_is_left_to_it(tmp_path: Path) -> None:
    gone = tmp_path / ".gone-workspace"
    (gone / "sub").mkdir(parents=True)
    living = os.open(gone, os.O_RDONLY)
    fcntl.flock(living, fcntl.LOCK_EX)
    remove_left_aside(tmp_path)
    assert (gone / "sub").exists()
    (tmp_path / "workspace").mkdir()
    with pytest.raises(TryAgain, match="just being removed"):
        remove_aside(tmp_path / "workspace")
    os.close(living)
    remove_left_aside(tmp_path)
    remove_aside(tmp_path / "workspace")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_somebody_still_writes_into_is_removed_later(tmp_path: Path) -> None:
    (tmp_path / "late").touch()
    with pytest.raises(TryAgain, match="removing a workspace"), disk_faults("removing a workspace"):
        tmp_path.rmdir()


def test_arrivals_are_apart_and_those_of_the_dead_are_removed(tmp_path: Path) -> None:
    (tmp_path / "arriving-dead/sub").mkdir(parents=True)
    with arrival(tmp_path) as one, arrival(tmp_path) as two:
        (one / "file").touch()
        assert sorted(tmp_path.iterdir()) == sorted({one, two})
    assert list(tmp_path.iterdir()) == []


def test_a_small_file_that_several_write_at_once_is_whole(tmp_path: Path) -> None:
    contents = [bytes([number]) * 10_000 for number in range(20)]
    with ThreadPoolExecutor(4) as several:
        list(several.map(lambda content: write_whole(tmp_path / "script", content), contents))
    assert (tmp_path / "script").read_bytes() in contents
    assert [file.name for file in tmp_path.iterdir()] == ["script"]
