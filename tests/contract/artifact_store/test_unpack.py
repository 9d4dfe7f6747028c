"""What unpacking makes of archives that somebody made to do harm."""

import gzip
import os
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from shared.artifacts.archive import Limits
from shared.artifacts.pack import pack
from shared.artifacts.unpack import unpack
from shared.faults import Refused, TryAgain

NARROW = Limits(bytes_max=100_000, entries_max=5, path_bytes_max=200, ratio_max=10, ratio_free_bytes=200_000)
Made = Callable[[tarfile.TarFile], None]


def archive(made: Made, form: int = tarfile.GNU_FORMAT) -> BytesIO:
    into = BytesIO()
    with tarfile.open(fileobj=into, mode="w:gz", format=form) as tar:
        made(tar)
    return into


def put(tar: tarfile.TarFile, name: str, content: bytes = b"", **more: object) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    for key, value in more.items():
        setattr(entry, key, value)
    tar.addfile(entry, BytesIO(content))


def folder_and_back(tar: tarfile.TarFile) -> None:
    put(tar, "sub", type=tarfile.SYMTYPE, linkname="..")
    put(tar, "sub/evil", b"x")


def link_then_file(tar: tarfile.TarFile) -> None:
    put(tar, "there", type=tarfile.DIRTYPE)
    put(tar, "here", type=tarfile.SYMTYPE, linkname="there")
    put(tar, "here/file", b"x")


def folder_becomes_link(tar: tarfile.TarFile) -> None:
    put(tar, "d", type=tarfile.DIRTYPE)
    put(tar, "d", type=tarfile.SYMTYPE, linkname=".")


def one(name: str, content: bytes = b"", **more: object) -> Made:
    return lambda tar: put(tar, name, content, **more)


def many(tar: tarfile.TarFile) -> None:
    for number in range(6):
        put(tar, f"n{number}")


def huge_name(tar: tarfile.TarFile) -> None:
    put(tar, "x", b"n" * 150_000, type=tarfile.GNUTYPE_LONGNAME)


def negative(tar: tarfile.TarFile) -> None:
    entry = tarfile.TarInfo("x")
    entry.size = -512
    tar.addfile(entry)


@pytest.mark.parametrize(
    ("made", "named"),
    [
        pytest.param(one("../evil", b"x"), "'../evil' is not a plain path", id="above"),
        pytest.param(one("/etc/evil", b"x"), "not a plain path", id="absolute"),
        pytest.param(one("a/../../evil", b"x"), "not a plain path", id="above in its middle"),
        pytest.param(one("", b"x"), "not a plain path", id="no name"),
        pytest.param(one("a/b", b"x"), "a/b lies in no folder", id="in a folder never made"),
        pytest.param(folder_and_back, "leads out", id="a link up, then through it"),
        pytest.param(link_then_file, "here/file lies in no folder", id="through a link"),
        pytest.param(folder_becomes_link, "d stands twice", id="a folder replaced by a link"),
        pytest.param(one("l", type=tarfile.SYMTYPE, linkname="/etc"), "is absolute", id="link to /"),
        pytest.param(one("h", type=tarfile.LNKTYPE, linkname="l"), "hard link", id="a hard link"),
        pytest.param(one("d", type=tarfile.CHRTYPE), "d is a device", id="a character device"),
        pytest.param(one("d", type=tarfile.BLKTYPE), "d is a device", id="a block device"),
        pytest.param(one("f", type=tarfile.FIFOTYPE), "f is a fifo", id="a fifo"),
        pytest.param(one("s", type=b"S"), "s is a sparse file", id="a sparse file"),
        pytest.param(one("x", type=b"g"), "of a kind", id="an extended header"),
        pytest.param(many, "passes 5 entries", id="too many entries"),
        pytest.param(one("big", bytes(100_001)), "at big the archive passes", id="too large"),
        pytest.param(huge_name, "a name longer than 200", id="a name that fills memory"),
        pytest.param(negative, "a size that cannot be", id="a negative size"),
    ],
)
def test_a_hostile_archive_is_refused_by_name_and_leaves_nothing(
    made: Made, named: str, tmp_path: Path
) -> None:
    destination = tmp_path / "in/release"

    with pytest.raises(Refused) as refused:
        unpack(archive(made), destination, NARROW)

    assert named in str(refused.value)
    assert list((tmp_path / "in").iterdir()) == []
    assert [inner.name for inner in tmp_path.iterdir()] == ["in"]


def test_a_bomb_is_stopped_by_its_ratio_long_before_it_has_unpacked(tmp_path: Path) -> None:
    seen = 0

    def each() -> None:
        nonlocal seen
        seen += 1

    bomb = archive(one("zeros", bytes(200_000_000)))
    with pytest.raises(Refused, match="bomb"):
        unpack(bomb, tmp_path / "release", Limits(ratio_max=10, ratio_free_bytes=1_000_000), each)

    assert seen < 20
    assert list(tmp_path.iterdir()) == []


def good() -> bytes:
    return archive(one("file", os.urandom(10_000))).getvalue()


@pytest.mark.parametrize(
    ("damaged", "named"),
    [
        pytest.param(lambda _: b"", "ends too early", id="empty"),
        pytest.param(lambda _: b"#!/bin/sh", "cannot be decompressed", id="not an archive"),
        pytest.param(lambda whole: whole[:-100], "ends too early", id="cut"),
        pytest.param(lambda whole: whole[:5000] + b"\xff" * 9 + whole[5009:], "damaged", id="flipped"),
        pytest.param(lambda whole: whole + b"more", "goes on after its end", id="followed"),
        pytest.param(lambda whole: whole + whole, "goes on after its end", id="twice"),
        pytest.param(lambda _: gzip.compress(b"\1" * 512), "header", id="no tar inside"),
        pytest.param(
            lambda whole: gzip.compress(gzip.decompress(whole) + b"\1" * 512),
            "goes on after its end",
            id="more inside",
        ),
    ],
)
def test_a_damaged_archive_is_refused_and_leaves_nothing(
    damaged: Callable[[bytes], bytes], named: str, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match=named):
        unpack(BytesIO(damaged(good())), tmp_path / "release", Limits())

    assert list(tmp_path.iterdir()) == []


def test_what_was_packed_is_what_is_unpacked(tmp_path: Path) -> None:
    long = "n" * 120 + "/" + "m" * 120
    source = tmp_path / "source"
    (source / "sub/empty").mkdir(parents=True)
    (source / long).parent.mkdir()
    (source / long).write_bytes(os.urandom(700_000))
    (source / "sub/run").write_text("#!/bin/sh\n")
    (source / "sub/run").chmod(0o700)
    (source / "sub/up").symlink_to("../" + long)
    (source / "sub/dangling").symlink_to("not-there")
    into = BytesIO()
    pack(source, ".", into)

    unpack(into, tmp_path / "release")
    again = BytesIO()
    pack(tmp_path / "release", ".", again)

    assert again.getvalue() == into.getvalue()
    assert (tmp_path / "release/sub/up").read_bytes() == (source / long).read_bytes()
    assert (tmp_path / "release/sub/run").stat().st_mode & 0o777 == 0o755


def test_unpacking_again_leaves_what_is_there_alone(tmp_path: Path) -> None:
    unpack(BytesIO(good()), tmp_path / "release")
    (tmp_path / "release/made-since").touch()

    unpack(BytesIO(b"not read at all"), tmp_path / "release")

    assert (tmp_path / "release/made-since").exists()


def test_what_a_killed_worker_left_half_unpacked_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / ".release.part/old").mkdir(parents=True)
    (tmp_path / ".release.part/file").write_text("half")

    unpack(BytesIO(good()), tmp_path / "release")

    assert [inner.name for inner in tmp_path.iterdir()] == ["release"]
    assert [inner.name for inner in (tmp_path / "release").iterdir()] == ["file"]


def test_two_workers_never_unpack_into_one_place_at_a_time(tmp_path: Path) -> None:
    whole = good()
    seconds: list[str] = []

    def each() -> None:
        with pytest.raises(TryAgain) as second:
            unpack(BytesIO(whole), tmp_path / "release")
        seconds.append(str(second.value))

    unpack(BytesIO(whole), tmp_path / "release", Limits(), each)

    assert set(seconds) == {"release is being made by another worker"}
    assert (tmp_path / "release/file").stat().st_size == 10_000


def test_work_that_is_ended_leaves_nothing(tmp_path: Path) -> None:
    def each() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unpack(BytesIO(good()), tmp_path / "release", Limits(), each)

    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_hold_it_is_said_and_left_empty(tmp_path: Path, short_files: None) -> None:
    with pytest.raises(Refused, match="unpacking file: File too large"):
        unpack(BytesIO(good()), tmp_path / "release")

    assert list(tmp_path.iterdir()) == []
