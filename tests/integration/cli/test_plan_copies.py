"""What `windlass plan` makes of working copies of all kinds, and that it leaves them as they are."""

import asyncio
import json
import os
import select
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from services.cli import git_copy, git_program
from services.cli.planning import NOT_COMMITTED
from shared.git import Entry, GitMirrors
from shared.ids import Commit
from tests.integration.cli.working_copies import (
    ENVIRONMENT,
    FILE,
    SMALL,
    Copy,
    Windlass,
    document,
    new_copy,
    only,
)
from tests.unit.language.sample import SHOP


def test_the_copy_is_not_written_to(windlass: Windlass, shop: Copy) -> None:
    shop.write({"app/more": "x", "README": "changed", "sub/dir/new": "y"})
    (shop.folder / "app/index").unlink()
    before = shop.contents()
    assert windlass().code == 0
    assert shop.contents() == before


def test_what_is_not_committed_counts_as_a_commit_of_it_would(windlass: Windlass, shop: Copy) -> None:
    shop.write({".gitignore": "ignored\n", "app/ignored": "x", "app/new": "y", "app/sub/deep": "z"})
    planned = document(windlass("--json"))
    assert planned["planned"]["commit"] is None
    sources = planned["pipelines"][0]["plan"]["artifacts"][0]["sources"]
    shop.git("add", "--all")
    assert planned["planned"]["tree"] == shop.git("write-tree")
    shop.commit({})
    assert sources == {"/app": shop.git("rev-parse", "HEAD:app")}
    again = document(windlass("--json"))
    assert again["planned"] == {
        "name": "the working copy",
        "commit": shop.git("rev-parse", "HEAD"),
        "tree": planned["planned"]["tree"],
    }


def test_git_ids_are_those_that_the_server_would_find(windlass: Windlass, shop: Copy, tmp_path: Path) -> None:
    (shop.folder / "link").symlink_to("app")
    paths = ["/", "/app", "/app/index", "/app/", "/nothing", "/link", "/link/index", "/README", "/:x", "/a*"]
    shop.commit({":x/file": "1", "a*/file": "2", "ab/file": "3"})

    async def served() -> Mapping[str, Entry | None]:
        mirrors = GitMirrors(tmp_path / "mirrors")
        try:
            tip = await mirrors.fetch(str(shop.folder), "main")
            return await mirrors.tree_entries(str(shop.folder), Commit(tip), paths)
        finally:
            await mirrors.close()

    copy = git_copy.open_copy(shop.folder, ENVIRONMENT)
    mine = copy.tree(copy.commit("HEAD") or "").entries(paths)
    theirs = asyncio.run(served())
    assert {path: entry and (entry.kind, entry.id) for path, entry in mine.items()} == {
        path: entry and (entry.kind, entry.id) for path, entry in theirs.items()
    }
    assert mine["/link/index"] is None


def test_the_plan_of_a_commit_is_the_same_from_any_copy_and_for_any_user(
    windlass: Windlass, shop: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.commit(
        {FILE: SHOP, "app/ümläut": "x", "app/crlf": "a\r\nb\r\n", "app/.gitattributes": "* text=auto\n"}
    )
    here = windlass("--rev", "HEAD", "--json").out
    Copy(tmp_path).git("clone", "-q", str(shop.folder), "elsewhere")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[core]\n\tautocrlf = true\n\tquotepath = true\n\tabbrev = 5\n[i18n]\n\tcommitEncoding = latin1\n"
        "[log]\n\tshowSignature = true\n[color]\n\tui = always\n"
    )
    monkeypatch.setenv("LC_ALL", "de_DE.ISO-8859-1")
    monkeypatch.setenv("TZ", "Pacific/Apia")
    monkeypatch.chdir(tmp_path)
    there = windlass("--rev", "HEAD", "--json", "elsewhere/app").out
    assert there == here
    planned = json.loads(here)["pipelines"][0]
    assert (planned["plan"]["repository"], planned["plan"]["remote"]) == ("repository", "")
    clean = only(windlass("--json", "elsewhere"))
    assert clean["plan_hash"] == planned["plan_hash"]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://forge.example/acme/shop.git", "acme/shop"),
        ("https://user:secret@forge.example:8443/acme/shop/", "acme/shop"),
        ("git@forge.example:acme/shop.git", "acme/shop"),
        ("ssh://git@forge.example:2222/group/acme/shop", "group/acme/shop"),
        ("/srv/shop", "repository"),
        ("../shop", "repository"),
        ("file:///srv/shop", "repository"),
    ],
)
def test_a_repository_is_called_as_its_forge_calls_it_however_it_is_reached(
    url: str, name: str, windlass: Windlass, shop: Copy
) -> None:
    shop.git("remote", "add", "origin", url)
    ended = windlass("--json")
    assert only(ended)["plan"]["repository"] == name
    assert "secret" not in ended.out


def set_traps(copy: Copy, folder: Path) -> Path:
    """Name a program wherever a copy's settings can; return the file that it would leave."""
    trap = folder / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {folder}/sprung\ncat\n")
    trap.chmod(0o755)
    for setting in ("core.fsmonitor", "filter.evil.clean", "filter.evil.process", "filter.a=b.clean"):
        copy.git("config", setting, str(trap))
    copy.git("config", "filter.evil.required", "true")
    hooks = copy.folder / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-index-change", "pre-commit", "post-checkout"):
        (hooks / hook).symlink_to(trap)
    copy.write({".gitattributes": "* filter=evil\nx filter=a=b\n", "app/new": "x", "x": "y"})
    return folder / "sprung"


def test_no_program_that_the_copy_names_is_run(windlass: Windlass, shop: Copy, tmp_path: Path) -> None:
    sprung = set_traps(shop, tmp_path)
    assert windlass().code == 0
    assert not sprung.exists()


def with_submodules(shop: Copy, *paths: str) -> list[Copy]:
    """Commit submodules that ask to be looked into, and change a file of each afterwards."""
    told = ""
    for name, path in enumerate(paths):
        copy = new_copy(shop.folder / path)
        copy.commit({"x": "1", ".gitattributes": "* filter=evil\n"})
        shop.git("config", f"submodule.{name}.ignore", "none")
        told += f'[submodule "{name}"]\n\tpath = {json.dumps(path)}\n\turl = ./\n\tignore = none\n'
    shop.commit({".gitmodules": told})
    copies = [Copy(shop.folder / path) for path in paths]
    for copy in copies:
        copy.write({"x": "2"})
    return copies


def test_no_program_that_a_submodule_names_is_run(windlass: Windlass, shop: Copy, tmp_path: Path) -> None:
    copies = with_submodules(shop, "sub", "app/inner")
    embedded = new_copy(shop.folder / "embedded")
    embedded.commit({"x": "1"})
    for copy in (*copies, embedded):
        folder = tmp_path / f"for-{copy.folder.name}"
        folder.mkdir()
        set_traps(copy, folder)
    shop.git("status")  # which does look into them
    sprung = list(tmp_path.glob("for-*/sprung"))
    assert sprung
    for file in sprung:
        file.unlink()
    assert windlass().code == 0
    assert windlass("--rev", "HEAD").code == 0
    assert not list(tmp_path.glob("for-*/sprung"))


def test_a_submodule_that_two_branches_moved_is_not_looked_into(
    windlass: Windlass, shop: Copy, tmp_path: Path
) -> None:
    (sub,) = with_submodules(shop, "sub")
    ids = ("1" * 40, sub.git("rev-parse", "HEAD"), "3" * 40)
    moved = [f"160000 {id_} {stage}\tsub\n" for stage, id_ in enumerate(ids, start=1)]
    shop.git("rm", "-q", "--cached", "sub")
    subprocess.run(
        ["git", "update-index", "--index-info"],
        cwd=shop.folder, env=ENVIRONMENT, input="".join(moved).encode(), check=True,
    )  # fmt: skip
    sprung = set_traps(sub, tmp_path)
    sprung.unlink(missing_ok=True)
    planned = document(windlass("--json"))
    assert not sprung.exists()
    shop.git("add", "--all")
    assert planned["planned"]["tree"] == shop.git("write-tree")


def test_submodules_count_by_the_commit_that_is_checked_out_in_them(windlass: Windlass, shop: Copy) -> None:
    sub, gone, odd = with_submodules(shop, "sub", "gone", 'o"dd ü')
    shop.git("update-index", "--add", "--cacheinfo", f"160000,{'5' * 40},not-there-yet")
    (shop.folder / "not-there-yet").mkdir()
    sub.commit({"x": "3"})
    shutil.rmtree(gone.folder)
    shutil.rmtree(odd.folder)
    shop.write({'o"dd ü': "a file now"})
    planned = document(windlass("--json"))
    shop.git("add", "--all")
    assert planned["planned"]["tree"] == shop.git("write-tree")
    assert sub.git("rev-parse", "HEAD") in shop.git("ls-files", "-s", "sub")
    assert "5" * 40 in shop.git("ls-files", "-s", "not-there-yet")


def test_what_a_hook_was_told_about_its_repository_does_not_mislead(
    windlass: Windlass, shop: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = new_copy(tmp_path / "other")
    other.commit({FILE: SMALL})
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.folder / ".git/index"))
    assert only(windlass("--json"))["plan"]["stages"][0]["name"] == "staging"


def test_a_copy_without_any_commit_can_be_planned(
    windlass: Windlass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = new_copy(tmp_path / "fresh")
    copy.write({FILE: SMALL, "site/index": "1"})
    monkeypatch.chdir(copy.folder)
    found = document(windlass("--json"))
    assert found["planned"]["commit"] is None
    assert found["pipelines"][0]["plan"]["commit"] == NOT_COMMITTED


def test_very_much_that_is_not_committed_is_refused_before_it_is_copied(
    windlass: Windlass, shop: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_copy, "UNCOMMITTED_BYTES_MAX", 1024**2)
    with (shop.folder / "large").open("wb") as file:
        file.truncate(1024**2 + 1)
    ended = windlass()
    assert ended.code == 1
    assert "is larger than 1 MiB" in ended.err
    shop.write({".gitignore": "large\n"})
    assert windlass().code == 0


def test_a_git_that_does_not_end_is_ended(
    windlass: Windlass, shop: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "git").write_text(f"#!/bin/sh\nsleep 60 & echo $! > {tmp_path}/pid\nwait\n")
    (programs / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(git_program, "GIT_SECONDS_MAX", 0.3)
    wait, child, hangs = git_program._ended, tmp_path / "pid", []
    os.mkfifo(child)

    def wait_for_one_that_hangs(process: "subprocess.Popen[bytes]", given: bytes) -> tuple[bytes, bytes]:
        hangs.append(int(child.read_text()))
        return wait(process, given)

    monkeypatch.setattr(git_program, "_ended", wait_for_one_that_hangs)
    ended = windlass()
    assert (ended.code, ended.err) == (1, "windlass: git did not finish within 0.3 seconds.\n")
    assert [is_over(process) for process in hangs] == [True]


def is_over(process: int) -> bool:
    """Tell whether a process that was killed ends, even if nobody asks for its end."""
    try:
        opened = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    with os.fdopen(opened) as watched:
        return bool(select.select([watched], [], [], 20)[0])


def test_a_machine_without_git_is_told_so(
    windlass: Windlass, shop: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    ended = windlass()
    assert (ended.code, ended.err) == (1, "windlass: The git program is not installed, or not on PATH.\n")


def test_worktrees_and_odd_folder_names_are_no_hindrance(
    windlass: Windlass, shop: Copy, tmp_path: Path
) -> None:
    shop.git("worktree", "add", "-q", "-b", "other", str(tmp_path / 'a:b "c" ü'))
    Copy(tmp_path / 'a:b "c" ü').write({"app/new": "x"})
    odd = tmp_path / "d:e"
    shop.folder.rename(odd)
    Copy(odd).git("worktree", "repair", str(tmp_path / 'a:b "c" ü'))
    for folder in (odd, tmp_path / 'a:b "c" ü'):
        assert windlass(str(folder)).code == 0
