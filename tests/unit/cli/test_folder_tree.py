"""A folder as a scan sees it: with git, without it, and with what is made to lead out of it."""

import os
import subprocess
from pathlib import Path

import pytest

from services.cli.folder_tree import FolderTree

GIT = {"PATH": os.defpath, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
NO_GIT = {"PATH": "/nowhere"}


def make(root: Path, *files: str) -> Path:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(f"content of {file}", encoding="utf-8", errors="surrogateescape")
    return root


def paths(root: Path, environment: dict[str, str]) -> list[str]:
    return sorted(FolderTree(root, environment).paths())


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, env=GIT, check=True)
    return tmp_path


def test_what_git_ignores_is_not_there(copy: Path) -> None:
    make(copy, "main.go", "secret/main.go", "bin/app", "new.go")
    (copy / ".gitignore").write_text("secret/\n/bin\n")
    subprocess.run(["git", "add", "main.go"], cwd=copy, env=GIT, check=True)
    assert paths(copy, GIT) == [".gitignore", "main.go", "new.go"]


def test_what_is_kept_and_was_deleted_is_not_there(copy: Path) -> None:
    make(copy, "a", "b")
    subprocess.run(["git", "add", "."], cwd=copy, env=GIT, check=True)
    (copy / "a").unlink()
    assert paths(copy, GIT) == ["b"]


def test_a_folder_of_a_copy_is_seen_from_itself(copy: Path) -> None:
    make(copy, "apps/web/package.json", "go.mod")
    assert paths(copy / "apps", GIT) == ["web/package.json"]


def test_names_with_newlines_and_without_a_meaning_are_listed_whole(copy: Path) -> None:
    make(copy, "a\nb", "c\udcff")
    assert paths(copy, GIT) == ["a\nb", "c\udcff"]


def test_no_program_that_the_copy_names_is_run(copy: Path) -> None:
    make(copy, "a")
    hook = copy / "hook.sh"
    hook.write_text(f"#!/bin/sh\ntouch {copy}/ran\n")
    hook.chmod(0o755)
    subprocess.run(["git", "config", "core.fsmonitor", str(hook)], cwd=copy, env=GIT, check=True)
    assert paths(copy, GIT) == ["a", "hook.sh"]
    assert not (copy / "ran").exists()


@pytest.mark.parametrize("environment", [GIT, NO_GIT], ids=["no copy of git's", "no git"])
def test_without_git_the_folder_is_walked(tmp_path: Path, environment: dict[str, str]) -> None:
    make(tmp_path, "a/b/c", "a/main.go", "node_modules/x/package.json", ".cache/y", ".nvmrc", "z")
    (tmp_path / "out").symlink_to("/etc")
    (tmp_path / "link").symlink_to("z")
    os.mkfifo(tmp_path / "pipe")
    assert paths(tmp_path, environment) == [".nvmrc", "a/b/c", "a/main.go", "z"]


def test_a_walk_ends_at_a_depth(tmp_path: Path) -> None:
    make(tmp_path, "1/2/3/4/5/6/file", "1/2/3/4/5/6/7/file")
    assert paths(tmp_path, NO_GIT) == ["1/2/3/4/5/6/file"]


def test_a_folder_that_is_closed_or_gone_holds_nothing(tmp_path: Path) -> None:
    assert paths(tmp_path / "gone", NO_GIT) == []
    assert paths(tmp_path / "gone", GIT) == []


def test_the_beginning_of_a_file_is_read(tmp_path: Path) -> None:
    tree = FolderTree(make(tmp_path, "a/b"), NO_GIT)
    assert tree.read("a/b", 7) == b"content"
    assert tree.read("a/b", 100) == b"content of a/b"


def test_nothing_is_read_through_a_link_and_nothing_that_is_no_file(tmp_path: Path) -> None:
    make(tmp_path, "outside/secret", "in/file")
    inside = tmp_path / "in"
    (inside / "link").symlink_to("../outside/secret")
    (inside / "folder").symlink_to("../outside")
    (inside / "loop").symlink_to("loop")
    os.mkfifo(inside / "pipe")
    tree = FolderTree(inside, NO_GIT)
    wanted = ("link", "folder/secret", "loop", "pipe", ".", "", "gone", "a\0b", "file/x", "../outside/secret")
    assert {path: tree.read(path, 10) for path in wanted[:-1]} == dict.fromkeys(wanted[:-1])
    assert tree.read("file", 7) == b"content"
