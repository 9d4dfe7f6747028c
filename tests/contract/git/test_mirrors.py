"""What every `Mirrors` does: the real one on real repositories, and the fake that tests stand on."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio

from shared.faults import Refused, TryAgain
from shared.git import BranchMissing, CommitMissing, GitMirrors, Mirrors
from shared.git.fakes import FakeMirrors, FakeRepository
from shared.ids import Commit
from tests.contract.git.repository import new_repository

NOWHERE = Commit("0" * 40)
FILES = {
    "README": b"read me\n",
    ".windlass/shop/pipeline.yaml": b"version: '1'\n",
    ".windlass/shop/notes": b"",
    "app/main.py": b"print('hello')\n",
    "app.py": b"\x00\xff binary\n",
}


class Source(Protocol):
    def commit(self, files: Mapping[str, bytes], title: str = "", branch: str = "main") -> Commit: ...
    def tag(self, name: str, commit: Commit, message: str = "") -> str: ...


@dataclass
class World:
    mirrors: Mirrors
    source: Source
    remote: str
    folder: Path


@pytest_asyncio.fixture(params=["git", "fake"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    mirrors: Mirrors
    if request.param == "git":
        source = new_repository(tmp_path / "source")
        mirrors = GitMirrors(tmp_path / "mirrors")
        yield World(mirrors, source, source.remote, tmp_path)
        await mirrors.close()
    else:
        repository = FakeRepository()
        mirrors = FakeMirrors({"/source": repository})
        yield World(mirrors, repository, "/source", tmp_path)


async def test_a_branchs_tip_is_fetched_and_fetched_again(world: World) -> None:
    first = world.source.commit(FILES, "one")
    assert await world.mirrors.fetch(world.remote, "main") == first
    second = world.source.commit(FILES | {"new": b""}, "two")
    assert await world.mirrors.fetch(world.remote, "main") == second
    assert await world.mirrors.fetch(world.remote, "main", second) == second
    assert await world.mirrors.fetch(world.remote, "main", first) == second


async def test_a_commit_is_in_what_came_after_it_and_in_nothing_else(world: World) -> None:
    first = world.source.commit(FILES, "one")
    second = world.source.commit(FILES, "two")
    other = world.source.commit(FILES, "aside", branch="aside")
    await world.mirrors.fetch(world.remote, "main")
    await world.mirrors.fetch(world.remote, "aside")
    contained = {
        (older, newer): await world.mirrors.is_ancestor(world.remote, older, newer)
        for older in (first, second, other, NOWHERE)
        for newer in (first, second, other, NOWHERE)
    }
    assert {pair for pair, is_in in contained.items() if is_in} == {
        (first, first),
        (first, second),
        (second, second),
        (other, other),
    }


async def test_of_several_commits_those_count_that_no_other_contains(world: World) -> None:
    first = world.source.commit(FILES, "one")
    second = world.source.commit(FILES, "two")
    other = world.source.commit(FILES, "aside", branch="aside")
    third = world.source.commit(FILES, "two", branch="aside")
    await world.mirrors.fetch(world.remote, "main")
    await world.mirrors.fetch(world.remote, "aside")

    async def independent(*commits: Commit) -> set[Commit]:
        return set(await world.mirrors.independent(world.remote, commits))

    assert await independent() == set()
    assert await independent(first) == await independent(first, first) == {first}
    assert await independent(first, second) == await independent(second, first, first) == {second}
    assert await independent(second, third) == {second, third}
    assert await independent(first, second, other, third) == {second, third}
    with pytest.raises(TryAgain):
        await independent(first, second, NOWHERE)


async def test_a_commit_of_another_branch_is_not_in_the_branch_it_was_claimed_for(
    world: World,
) -> None:
    world.source.commit(FILES, "one")
    other = world.source.commit(FILES, "aside", branch="aside")
    tip = await world.mirrors.fetch(world.remote, "main", other)
    assert not await world.mirrors.is_ancestor(world.remote, other, tip)


async def test_a_commit_is_fetched_by_its_id_from_whichever_branch(world: World) -> None:
    commit = world.source.commit(FILES, "aside", branch="aside")
    await world.mirrors.fetch_commit(world.remote, commit)
    await world.mirrors.fetch_commit(world.remote, commit)
    assert await world.mirrors.read_blob(world.remote, commit, "README", 99) == b"read me\n"
    with pytest.raises(CommitMissing):
        await world.mirrors.fetch_commit(world.remote, NOWHERE)


@pytest.mark.parametrize("message", ["", "Release\n\nMany things."])
async def test_a_tag_stands_for_its_commit_and_every_id_on_the_way_to_it(world: World, message: str) -> None:
    commit = world.source.commit(FILES, "one")
    world.source.commit(FILES, "two")
    named = world.source.tag("v1", commit, message)
    found = await world.mirrors.fetch_tag(world.remote, "v1")
    assert found.commit == commit
    assert found.ids == ((named, commit) if message else (commit,))
    assert await world.mirrors.read_blob(world.remote, commit, "README", 99) == b"read me\n"


async def test_a_tag_that_moved_is_fetched_again_and_one_that_did_not_is_known(world: World) -> None:
    older = world.source.commit(FILES, "one")
    newer = world.source.commit(FILES, "two")
    was = world.source.tag("v1", older, "first")
    assert (await world.mirrors.fetch_tag(world.remote, "v1", was)).commit == older
    now = world.source.tag("v1", newer, "second")
    assert (await world.mirrors.fetch_tag(world.remote, "v1", was)).commit == older
    assert (await world.mirrors.fetch_tag(world.remote, "v1", now)).commit == newer
    assert (await world.mirrors.fetch_tag(world.remote, "v1", newer)).ids == (now, newer)
    assert (await world.mirrors.fetch_tag(world.remote, "v1", was)).commit == newer


async def test_a_tag_and_a_branch_of_one_name_are_two_things(world: World) -> None:
    one = world.source.commit(FILES, "one")
    two = world.source.commit(FILES, "two", branch="v1")
    world.source.tag("v1", one)
    assert (await world.mirrors.fetch_tag(world.remote, "v1")).commit == one
    assert await world.mirrors.fetch(world.remote, "v1") == two
    assert (await world.mirrors.fetch_tag(world.remote, "v1", one)).commit == one


async def test_a_tag_that_is_not_there_is_told_from_a_remote_that_is_not(world: World) -> None:
    world.source.commit(FILES, branch="v1")
    with pytest.raises(BranchMissing):
        await world.mirrors.fetch_tag(world.remote, "v1")
    with pytest.raises(Refused, match="does not appear to be a git repository"):
        await world.mirrors.fetch_tag("/nowhere/at/all", "v1")


@pytest.mark.parametrize("tag", ["", "-d", "a b", "v1:refs/heads/main", "*", "../x", "v1.lock", "a\nb"])
async def test_only_what_a_tag_can_be_called_is_asked_for(world: World, tag: str) -> None:
    world.source.commit(FILES)
    with pytest.raises(Refused, match="a name that a tag can have"):
        await world.mirrors.fetch_tag(world.remote, tag)


async def test_folders_are_listed_to_the_depth_asked_for(world: World) -> None:
    commit = world.source.commit(FILES)
    await world.mirrors.fetch(world.remote, "main")
    listed = await world.mirrors.read_tree(world.remote, commit, ".windlass", 2)
    assert [(entry.path, entry.kind) for entry in listed or ()] == [
        ("shop", "folder"),
        ("shop/notes", "file"),
        ("shop/pipeline.yaml", "file"),
    ]
    top = await world.mirrors.read_tree(world.remote, commit, "/")
    assert [entry.path for entry in top or ()] == [".windlass", "README", "app", "app.py"]
    assert await world.mirrors.read_tree(world.remote, commit, "README") is None
    assert await world.mirrors.read_tree(world.remote, commit, "gone") is None


async def test_files_are_read_to_the_length_asked_for(world: World) -> None:
    commit = world.source.commit({**FILES, "long": b"x" * 3_000_000})
    await world.mirrors.fetch(world.remote, "main")
    read = world.mirrors.read_blob
    assert await read(world.remote, commit, "app.py", 99) == FILES["app.py"]
    assert await read(world.remote, commit, "/app.py", 1) == b"\x00"
    assert await read(world.remote, commit, "long", 10) == b"x" * 10
    assert await read(world.remote, commit, "README", 99) == FILES["README"]
    assert await read(world.remote, commit, "app", 99) is None
    assert await read(world.remote, commit, "README/x", 99) is None
    assert await read(world.remote, commit, "gone", 99) is None


async def test_tree_ids_change_with_what_is_below_and_with_nothing_else(world: World) -> None:
    paths = ["/", "/app", "app/main.py", "/gone"]
    first = world.source.commit(FILES)
    second = world.source.commit(FILES | {"README": b"other"})
    await world.mirrors.fetch(world.remote, "main")
    one = await world.mirrors.tree_entries(world.remote, first, paths)
    two = await world.mirrors.tree_entries(world.remote, second, paths)
    assert [path for path in paths if one[path] != two[path]] == ["/"]
    assert one["/gone"] is None
    entries = [one[path] for path in paths[:3]]
    assert [(entry.path, entry.kind) for entry in entries if entry] == [
        ("", "folder"),
        ("app", "folder"),
        ("app/main.py", "file"),
    ]


async def test_the_fake_gives_the_ids_that_git_gives(tmp_path: Path) -> None:
    source = new_repository(tmp_path / "source")
    commit = source.commit(FILES)
    fake = FakeRepository()
    faked = fake.commit(FILES)
    mirrors = FakeMirrors({"/source": fake})
    await mirrors.fetch("/source", "main")
    entry = (await mirrors.tree_entries("/source", faked, ["/"]))["/"]
    assert entry is not None
    assert entry.id == source.git("rev-parse", f"{commit}^{{tree}}")


async def test_people_see_a_commits_first_line(world: World) -> None:
    commit = world.source.commit(FILES, "Make it faster\n\nMuch.")
    await world.mirrors.fetch(world.remote, "main")
    info = await world.mirrors.commit_info(world.remote, commit)
    assert info.title.splitlines()[0] == "Make it faster"
    assert info.author == "Ada"
    assert info.committed_at.isoformat() == "2025-01-01T00:00:00+00:00"


async def test_a_checkout_has_the_commits_files_and_no_others(world: World) -> None:
    older = world.source.commit(FILES | {"gone": b""})
    commit = world.source.commit(FILES)
    await world.mirrors.fetch(world.remote, "main", older)
    await world.mirrors.fetch(world.remote, "main", commit)
    folder = world.folder / "workspaces" / "one"
    await world.mirrors.checkout(world.remote, commit, folder)
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found == FILES
    with pytest.raises(Refused, match="fresh folder"):
        await world.mirrors.checkout(world.remote, commit, folder)


async def test_what_was_not_fetched_can_not_be_read(world: World) -> None:
    commit = world.source.commit(FILES)
    with pytest.raises(TryAgain, match="not been fetched"):
        await world.mirrors.read_blob(world.remote, commit, "README", 99)
    with pytest.raises(TryAgain, match="not been fetched"):
        await world.mirrors.checkout(world.remote, commit, world.folder / "w")


async def test_a_branch_that_is_not_there_is_told_from_a_remote_that_is_not(world: World) -> None:
    world.source.commit(FILES)
    with pytest.raises(BranchMissing):
        await world.mirrors.fetch(world.remote, "gone")
    with pytest.raises(Refused, match="does not appear to be a git repository") as caught:
        await world.mirrors.fetch("/nowhere/at/all", "main")
    assert not isinstance(caught.value, BranchMissing)


@pytest.mark.parametrize("commit", ["", "main", "HEAD", "--all", "abc123", "A" * 40, "0" * 41])
async def test_only_whole_ids_name_a_commit(world: World, commit: str) -> None:
    world.source.commit(FILES)
    with pytest.raises(Refused, match="commit id"):
        await world.mirrors.read_blob(world.remote, Commit(commit), "README", 9)
    with pytest.raises(Refused, match="commit id"):
        await world.mirrors.fetch_commit(world.remote, Commit(commit))


async def test_a_path_that_leaves_the_repository_is_refused(world: World) -> None:
    commit = world.source.commit(FILES)
    await world.mirrors.fetch(world.remote, "main")
    with pytest.raises(Refused, match="inside the repository"):
        await world.mirrors.read_blob(world.remote, commit, "app/../../etc/passwd", 99)
