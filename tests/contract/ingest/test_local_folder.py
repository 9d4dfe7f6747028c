"""Folders of this machine, as git makes them."""

import subprocess
from pathlib import Path

import pytest

from services.ingest.adapters.local_folder import branch_in_use, repository_folder
from shared.faults import Refused


def git(*words: str | Path) -> None:
    subprocess.run(["git", *words], check=True, capture_output=True)


def test_a_working_copy_and_a_bare_repository_are_found(tmp_path: Path) -> None:
    git("init", "-b", "trunk", tmp_path / "work")
    git("init", "-b", "trunk", "--bare", tmp_path / "bare.git")
    for folder in (tmp_path / "work", tmp_path / "bare.git"):
        assert repository_folder(str(folder)) == str(folder)
        assert branch_in_use(str(folder)) == "trunk"


def test_a_link_is_followed_to_the_real_folder(tmp_path: Path) -> None:
    git("init", tmp_path / "work")
    (tmp_path / "link").symlink_to(tmp_path / "work")
    assert repository_folder(f"{tmp_path}/link") == str(tmp_path / "work")


def test_what_is_not_a_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "none", tmp_path / "loop", tmp_path / "file", Path("relative")):
        with pytest.raises(Refused):
            repository_folder(str(path))


def test_a_head_that_names_no_branch_gives_none(tmp_path: Path) -> None:
    git("init", tmp_path / "work")
    (tmp_path / "work" / ".git" / "HEAD").write_text("4f" * 20)
    assert branch_in_use(str(tmp_path / "work")) is None
