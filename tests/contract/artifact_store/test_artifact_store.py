"""What every artifact store promises, the fake included."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.artifacts import (
    ArtifactStore,
    Corrupted,
    FakeArtifactStore,
    LocalArtifactStore,
    Missing,
    Stored,
)
from shared.faults import Refused
from shared.ids import Digest


@dataclass(frozen=True)
class Harness:
    """A store, and a hand that can reach behind it."""

    store: ArtifactStore
    overwrite: Callable[[Digest, bytes], None]


def local(root: Path) -> Harness:
    def overwrite(digest: Digest, archive: bytes) -> None:
        digits = digest.removeprefix("sha256:")
        (root / "sha256" / digits[:2] / digits).write_bytes(archive)

    return Harness(LocalArtifactStore(root), overwrite)


def fake(root: Path) -> Harness:
    store = FakeArtifactStore()

    def overwrite(digest: Digest, archive: bytes) -> None:
        store.archives[digest] = archive

    return Harness(store, overwrite)


@pytest.fixture(params=[local, fake], ids=["local", "fake"])
def harness(request: pytest.FixtureRequest, tmp_path: Path) -> Harness:
    made: Harness = request.param(tmp_path / "store")
    return made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source/dist").mkdir(parents=True)
    (tmp_path / "source/dist/index.html").write_text("boats")
    return tmp_path / "source"


async def test_what_was_put_is_found_and_unpacked(harness: Harness, source: Path, tmp_path: Path) -> None:
    stored = await harness.store.put(source, "dist")
    await harness.store.unpack(stored.digest, tmp_path / "release")

    assert await harness.store.find(stored) == stored
    assert (tmp_path / "release/index.html").read_text() == "boats"


async def test_putting_the_same_content_again_gives_the_same_digest(harness: Harness, source: Path) -> None:
    assert await harness.store.put(source, "dist") == await harness.store.put(source, "dist")


async def test_ten_workers_may_put_the_same_content_at_once(harness: Harness, source: Path) -> None:
    stored = await asyncio.gather(*(harness.store.put(source, "dist") for _ in range(10)))

    assert len(set(stored)) == 1
    assert await harness.store.find(stored[0]) == stored[0]


async def test_what_was_never_put_is_missing(harness: Harness, tmp_path: Path) -> None:
    never = Stored(Digest("sha256:" + "0" * 64), 12)

    assert isinstance(await harness.store.find(never), Missing)
    with pytest.raises(Refused, match="is not in the artifact store"):
        await harness.store.unpack(never.digest, tmp_path / "release")
    assert not (tmp_path / "release").exists()


@pytest.mark.parametrize("digest", ["", "sha256:../../etc/passwd", "sha256:" + "0" * 63, "md5:0"])
async def test_what_is_no_digest_is_refused(harness: Harness, digest: str, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        await harness.store.unpack(Digest(digest), tmp_path / "release")


async def test_an_artifact_of_another_size_is_named_and_absent_from_then_on(
    harness: Harness, source: Path
) -> None:
    stored = await harness.store.put(source, "dist")
    harness.overwrite(stored.digest, b"cut")

    first = await harness.store.find(stored)
    second = await harness.store.find(stored)

    assert isinstance(first, Missing)
    assert stored.digest in first.reason
    assert "damaged" in first.reason
    assert second == Missing(f"{stored.digest} is not in the artifact store")


async def test_an_artifact_with_other_bytes_is_never_unpacked_and_absent_from_then_on(
    harness: Harness, source: Path, tmp_path: Path
) -> None:
    stored = await harness.store.put(source, "dist")
    harness.overwrite(stored.digest, bytes(stored.size_bytes))

    with pytest.raises(Corrupted, match=stored.digest):
        await harness.store.unpack(stored.digest, tmp_path / "release")

    assert not (tmp_path / "release").exists()
    assert isinstance(await harness.store.find(stored), Missing)


async def test_putting_again_mends_a_damaged_artifact(harness: Harness, source: Path, tmp_path: Path) -> None:
    stored = await harness.store.put(source, "dist")
    harness.overwrite(stored.digest, bytes(stored.size_bytes))

    assert await harness.store.put(source, "dist") == stored
    await harness.store.unpack(stored.digest, tmp_path / "release")
    assert (tmp_path / "release/index.html").read_text() == "boats"


async def test_what_was_removed_is_missing_and_may_be_removed_again(harness: Harness, source: Path) -> None:
    stored = await harness.store.put(source, "dist")
    await harness.store.remove(stored.digest)
    await harness.store.remove(stored.digest)

    assert isinstance(await harness.store.find(stored), Missing)


async def test_what_cannot_be_packed_is_refused_and_nothing_is_kept(
    harness: Harness, source: Path, tmp_path: Path
) -> None:
    os.mkfifo(source / "dist/pipe")

    with pytest.raises(Refused, match="pipe is a fifo"):
        await harness.store.put(source, "dist")

    assert [file for file in (tmp_path / "store").rglob("*") if file.is_file()] == []


async def test_a_store_on_a_full_disk_keeps_nothing_half_written(
    source: Path, tmp_path: Path, short_files: None
) -> None:
    noise = os.urandom(3_000)
    for number in range(5):
        (source / f"dist/noise{number}").write_bytes(noise + bytes([number]))
    (source / "dist/other").write_bytes(os.urandom(4_000))

    with pytest.raises(Refused, match="File too large"):
        await LocalArtifactStore(tmp_path / "store").put(source, "dist")

    assert [file for file in (tmp_path / "store").rglob("*") if file.is_file()] == []


async def test_tidying_removes_what_the_dead_left_and_spares_what_the_living_write(
    source: Path, tmp_path: Path
) -> None:
    store = LocalArtifactStore(tmp_path / "store")
    left = tmp_path / "store/arriving/left"
    left.parent.mkdir(parents=True)
    left.write_text("half")
    (source / "dist/large").write_bytes(os.urandom(3_000_000))

    putting = asyncio.create_task(store.put(source, "dist"))
    while not putting.done():
        await store.tidy()
        await asyncio.sleep(0)
    stored = await putting

    assert await store.find(stored) == stored
    assert list(left.parent.iterdir()) == []


async def test_a_put_that_is_cancelled_has_ended_and_left_nothing(source: Path, tmp_path: Path) -> None:
    with (source / "dist/large").open("wb") as file:
        file.truncate(3_000_000_000)  # sparse: seconds of packing, no space
    store = LocalArtifactStore(tmp_path / "store")
    arriving = tmp_path / "store/arriving"

    putting = asyncio.create_task(store.put(source, "dist"))
    while not (arriving.is_dir() and list(arriving.iterdir())):  # noqa: ASYNC110 - a thread's work
        await asyncio.sleep(0)
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting

    assert list(arriving.iterdir()) == []


async def test_of_two_who_find_it_damaged_neither_takes_away_what_was_put_meanwhile(
    source: Path, tmp_path: Path
) -> None:
    store = LocalArtifactStore(tmp_path / "store")
    stored = await store.put(source, "dist")
    place = store._place(stored.digest)
    place.write_bytes(b"damaged")
    seen = place.stat()
    assert isinstance(await store.find(stored), Missing)
    assert "set aside" in store._set_aside(stored.digest, seen, "as the other saw it")
    await store.put(source, "dist")
    store._set_aside(stored.digest, seen, "as a third one saw it, before it slept")
    assert await store.find(stored) == stored


async def test_of_many_processes_that_put_and_read_one_artifact_all_succeed(
    source: Path, tmp_path: Path
) -> None:
    async def work(number: int) -> Stored:
        store = LocalArtifactStore(tmp_path / "store")
        await store.tidy()
        stored = await store.put(source, "dist")
        await store.unpack(stored.digest, tmp_path / f"release-{number}")
        assert await store.find(stored) == stored
        return stored

    assert len(set(await asyncio.gather(*(work(number) for number in range(12))))) == 1
    assert list((tmp_path / "store/arriving").iterdir()) == []
