"""What happens to mirrors on a bad day: remotes that vanish or hang, kills, damage, crowds."""

import asyncio
import os
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from shared.faults import Refused, TryAgain
from shared.file_lock import held
from shared.git import GitMirrors
from shared.git.program import Limits
from shared.ids import Commit
from tests.contract.git.repository import WorkingCopy, new_repository


def running_with(word: str) -> list[str]:
    """Return the command lines on this machine that mention it."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found += [line] if word in line else []
    return found


class Silence:
    """A server that takes connections and never says anything."""

    def __init__(self) -> None:
        self.connected = asyncio.Event()
        self.port = 0
        self._talks: list[asyncio.Task[None] | None] = []

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Listen, and then wait until whoever has connected is gone."""
        server = await asyncio.start_server(self._hear, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        yield
        server.close()
        await server.wait_closed()
        await asyncio.gather(*filter(None, self._talks))

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._talks.append(asyncio.current_task())
        self.connected.set()
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def nothing_left(folder: Path) -> bool:
    return not list(folder.glob("w*"))


async def test_a_repository_that_vanishes_is_named_and_what_was_fetched_stays(
    source: WorkingCopy, mirrors: GitMirrors
) -> None:
    commit = source.commit({"a": b"x"})
    await mirrors.fetch(source.remote, "main")
    source.folder.rename(source.folder.with_name("elsewhere"))
    with pytest.raises(Refused, match=r"source: .*does not appear"):
        await mirrors.fetch(source.remote, "main", Commit("1" * 40))
    assert await mirrors.fetch(source.remote, "main", commit) == commit
    assert await mirrors.read_blob(source.remote, commit, "a", 9) == b"x"


async def test_a_server_that_refuses_the_connection_is_tried_again(mirrors: GitMirrors) -> None:
    with pytest.raises(TryAgain, match=r"127\.0\.0\.1:1"):
        await mirrors.fetch("http://127.0.0.1:1/x.git", "main")


async def test_a_remote_that_never_answers_ends_with_all_its_processes(tmp_path: Path) -> None:
    silence = Silence()
    mirrors = GitMirrors(tmp_path / "mirrors", limits=Limits(fetch_seconds_max=0.3))
    async with silence.kept():
        with pytest.raises(TryAgain, match="did not finish"):
            await mirrors.fetch(f"http://127.0.0.1:{silence.port}/x.git", "main")
    # The helper that git started hung on the connection; the server saw it gone.
    assert not running_with(f"127.0.0.1:{silence.port}")


async def test_a_full_disk_is_tried_again_and_leaves_no_half_checkout(
    source: WorkingCopy, mirrors: GitMirrors, tmp_path: Path
) -> None:
    source.commit({"small": b"x", "large": os.urandom(300_000)})
    tip = await mirrors.fetch(source.remote, "main")
    (tmp_path / "w.part").mkdir()  # what a killed checkout left
    (tmp_path / "w.part" / "left").touch()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))  # EFBIG, as near as it gets
    try:
        with pytest.raises(Refused, match="could not be written: File too large"):
            await mirrors.checkout(source.remote, tip, tmp_path / "w")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert nothing_left(tmp_path)
    await mirrors.checkout(source.remote, tip, tmp_path / "w")
    assert sorted(path.name for path in (tmp_path / "w").iterdir()) == ["large", "small"]


async def test_what_a_killed_fetch_left_does_not_stop_the_next(
    source: WorkingCopy, mirrors: GitMirrors
) -> None:
    source.commit({"a": b"1"})
    await mirrors.fetch(source.remote, "main")
    mirror = next(mirrors.folder.glob("*.git"))
    kept = sha256(b"main").hexdigest()[:32]
    (mirror / "refs/windlass" / f"{kept}.lock").touch()
    (mirror / "packed-refs.lock").touch()
    (mirror / "objects/pack/tmp_pack_x").touch()
    commit = source.commit({"a": b"2"})
    assert await mirrors.fetch(source.remote, "main", commit) == commit
    assert not list(mirror.rglob("tmp_pack*"))


LEFT_BY_GIT = ("index.lock", "shallow.lock", "config.lock", "HEAD.lock", "objects/info/commit-graph.lock")


async def test_no_lock_file_of_a_killed_git_stays(
    source: WorkingCopy, mirrors: GitMirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.git.bare.PACKS_KEPT", 1)
    for number in range(3):
        source.commit({"a": bytes([number])})
        await mirrors.fetch(source.remote, "main", Commit(source.git("rev-parse", "main")))
    mirror = next(mirrors.folder.glob("*.git"))
    (mirror / "objects/info").mkdir(exist_ok=True)
    for name in LEFT_BY_GIT:
        (mirror / name).touch()
    (mirror / "gc.pid").write_text(f"{os.getpid()} {os.uname().nodename}")  # a living one has its number
    await mirrors.tidy(source.remote)
    assert not [*mirror.rglob("*.lock"), *mirror.glob("gc.pid")]
    assert len(list(mirror.glob("objects/pack/*.pack"))) == 1


async def test_what_another_process_made_anew_is_not_called_damaged_by_who_read_the_old_one(
    source: WorkingCopy, mirrors: GitMirrors
) -> None:
    commit = source.commit({"a": b"x"})
    await mirrors.fetch(source.remote, "main")
    bare = mirrors._bare(source.remote)
    before = bare.identity
    bare.mark_damaged(before)
    await mirrors.fetch(source.remote, "main", commit)
    assert bare.identity not in {None, before}
    bare.mark_damaged(before)  # by somebody whose reader ended as the old mirror was taken away
    assert bare.identity is not None


async def test_a_half_made_mirror_is_made_again(source: WorkingCopy, mirrors: GitMirrors) -> None:
    name = sha256(source.remote.encode()).hexdigest()[:32]
    (mirrors.folder / f"{name}.new" / "objects").mkdir(parents=True)
    (mirrors.folder / f"{name}.git").mkdir()
    commit = source.commit({"a": b"1"})
    assert await mirrors.fetch(source.remote, "main") == commit


@pytest.mark.parametrize("harm", ["objects gone", "pack cut", "ref emptied"])
async def test_a_damaged_mirror_heals_with_one_more_fetch(
    source: WorkingCopy, mirrors: GitMirrors, tmp_path: Path, harm: str
) -> None:
    commit = source.commit({"a": os.urandom(50_000), "b/c": b"x"})
    await mirrors.fetch(source.remote, "main")
    await mirrors.close()
    mirror = next(mirrors.folder.glob("*.git"))
    packs = [path for path in mirror.glob("objects/pack/*") if path.suffix in {".pack", ".idx"}]
    for path in packs:
        path.chmod(0o600)
        if harm == "objects gone":
            path.unlink()
        elif harm == "pack cut" and path.suffix == ".pack":
            os.truncate(path, 1_000)
    if harm == "ref emptied":
        next(mirror.glob("refs/windlass/*")).write_text("")

    async def carried_out() -> None:
        await mirrors.fetch(source.remote, "main", commit)
        await mirrors.checkout(source.remote, commit, tmp_path / "w")

    for _ in range(3):
        try:
            await carried_out()
            break
        except TryAgain:
            continue
    assert (tmp_path / "w" / "b" / "c").read_bytes() == b"x"


async def test_a_reader_that_is_killed_is_started_again(source: WorkingCopy, mirrors: GitMirrors) -> None:
    commit = source.commit({"a": b"x"})
    await mirrors.fetch(source.remote, "main")
    assert await mirrors.read_blob(source.remote, commit, "a", 9) == b"x"
    (opened,) = mirrors._opened.values()
    process = opened.contents.reader._process
    assert process is not None
    process.kill()
    await process.wait()
    assert await mirrors.read_blob(source.remote, commit, "a", 9) == b"x"


async def test_few_readers_are_kept_however_many_repositories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.git.mirror.READERS_MAX", 2)
    mirrors = GitMirrors(tmp_path / "mirrors")
    sources = [new_repository(tmp_path / f"source{number}") for number in range(4)]
    commits = [source.commit({"a": b"x"}) for source in sources]
    for source in sources:
        await mirrors.fetch(source.remote, "main")
    for source, commit in zip(sources, commits, strict=True):
        assert await mirrors.read_blob(source.remote, commit, "a", 9) == b"x"
    assert len(mirrors._opened) == 2
    await mirrors.close()


async def test_two_installations_share_a_folder_without_harm(source: WorkingCopy, tmp_path: Path) -> None:
    pair = [GitMirrors(tmp_path / "mirrors") for _ in range(2)]
    commit = source.commit({"a": b"x"})
    tips = await asyncio.gather(*(one.fetch(source.remote, "main") for one in pair * 3))
    assert set(tips) == {commit}
    for one in pair:
        assert await one.read_blob(source.remote, commit, "a", 9) == b"x"
        await one.close()


async def test_a_lock_that_is_never_given_back_is_waited_for_with_a_limit(
    source: WorkingCopy, tmp_path: Path
) -> None:
    source.commit({"a": b""})
    quick = GitMirrors(tmp_path / "mirrors", limits=replace(Limits(), lock_seconds_max=0.1))
    async with quick._bare(source.remote).locked():
        with pytest.raises(TryAgain, match="too long"):
            await quick.fetch(source.remote, "main")


HOLDER = """
import asyncio, subprocess, sys
from pathlib import Path
from shared.file_lock import held

async def hold() -> None:
    async with held(Path(sys.argv[1]), 5) as lock:
        subprocess.Popen(["cat", sys.argv[2]], stdout=subprocess.DEVNULL, pass_fds=(lock,))
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""


async def test_the_lock_of_a_killed_process_is_held_until_its_git_has_ended(tmp_path: Path) -> None:
    lock, fifo = tmp_path / "x.lock", tmp_path / "fifo"
    os.mkfifo(fifo)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDER, str(lock), str(fifo)),
        cwd=Path(__file__).parents[3],
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"held\n"
    process.kill()
    await process.wait()
    with pytest.raises(TryAgain, match="too long"):
        async with held(lock, 0.1):
            pass
    os.close(os.open(fifo, os.O_WRONLY))  # cat, which stands for git here, comes to its end
    async with held(lock, 20) as descriptor:
        assert descriptor > 0


async def test_a_force_pushed_commit_stays_readable_and_is_no_longer_in_its_branch(
    source: WorkingCopy, mirrors: GitMirrors
) -> None:
    first = source.commit({"a": b"1"})
    pushed_over = source.commit({"a": b"2"})
    await mirrors.fetch(source.remote, "main")
    source.move("main", first)
    other = source.commit({"a": b"3"})
    assert await mirrors.fetch(source.remote, "main", other) == other
    assert not await mirrors.is_ancestor(source.remote, pushed_over, other)
    assert await mirrors.read_blob(source.remote, pushed_over, "a", 9) == b"2"


async def test_ancestry_far_back_is_answered_too(source: WorkingCopy, mirrors: GitMirrors) -> None:
    lines = []
    for number in range(1, 201):
        lines += [
            "commit refs/heads/main",
            f"mark :{number}",
            f"committer Ada <ada@example.test> {number} +0000",
            "data 1",
            "x",
            *([f"from :{number - 1}"] if number > 1 else []),
        ]
    source.git("fast-import", "--quiet", given="\n".join(lines).encode() + b"\n")
    first = Commit(source.git("rev-list", "--max-parents=0", "main"))
    aside = source.commit({"b": b""}, branch="aside")
    tip = await mirrors.fetch(source.remote, "main")
    await mirrors.fetch(source.remote, "aside")
    assert await mirrors.is_ancestor(source.remote, first, tip)
    assert not await mirrors.is_ancestor(source.remote, aside, tip)
    assert not await mirrors.is_ancestor(source.remote, tip, first)


async def test_a_shallow_working_copy_is_a_source_too(
    source: WorkingCopy, mirrors: GitMirrors, tmp_path: Path
) -> None:
    for number in range(5):
        source.commit({"a": bytes(number)})
    tip = source.git("rev-parse", "main")
    source.git("clone", "-q", "--depth=2", f"file://{source.folder}", str(tmp_path / "shallow"))
    shallow = WorkingCopy(tmp_path / "shallow")
    assert await mirrors.fetch(shallow.remote, "main") == tip
    await mirrors.checkout(shallow.remote, Commit(tip), tmp_path / "w")
    assert not await mirrors.is_ancestor(shallow.remote, Commit("1" * 40), Commit(tip))


async def test_tidying_packs_many_fetches_and_loses_nothing(
    source: WorkingCopy, mirrors: GitMirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.git.bare.PACKS_KEPT", 2)
    first = source.commit({"a": b"0"})
    await mirrors.fetch(source.remote, "main")
    for number in range(1, 4):
        commit = source.commit({"a": str(number).encode()})
        await mirrors.fetch(source.remote, "main", commit)
    await mirrors.tidy(source.remote)
    mirror = next(mirrors.folder.glob("*.git"))
    assert len(list(mirror.glob("objects/pack/*.pack"))) == 1
    assert await mirrors.read_blob(source.remote, first, "a", 9) == b"0"
    latest = source.commit({"a": b"latest"})
    assert await mirrors.fetch(source.remote, "main", latest) == latest


async def test_a_cancelled_fetch_leaves_no_process(tmp_path: Path) -> None:
    silence = Silence()
    mirrors = GitMirrors(tmp_path / "mirrors")
    async with silence.kept():
        fetching = asyncio.create_task(mirrors.fetch(f"http://127.0.0.1:{silence.port}/x.git", "main"))
        await silence.connected.wait()
        fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetching
    assert not running_with(f"127.0.0.1:{silence.port}")
