"""What packing makes of a folder that a build left, friendly or not."""

import os
import socket
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from shared.artifacts.archive import Limits
from shared.artifacts.pack import pack
from shared.faults import Refused, TryAgain

NARROW = Limits(
    bytes_max=1_000_000,
    entries_max=5,
    path_bytes_max=200,
    depth_max=4,
    ratio_max=10,
    ratio_free_bytes=100_000,
)


def site(root: Path) -> Path:
    (root / "dist/img").mkdir(parents=True)
    (root / "dist/index.html").write_text("<h1>boats</h1>")
    (root / "dist/img/boat.svg").write_text("<svg/>")
    (root / "dist/run").write_text("#!/bin/sh\n")
    (root / "dist/run").chmod(0o777)
    (root / "dist/home").symlink_to("img/boat.svg")
    return root


def packed(root: Path, path: str = "dist", limits: Limits | None = None) -> bytes:
    into = BytesIO()
    pack(root, path, into, limits or Limits())
    return into.getvalue()


def names(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        return tar.getnames()


def test_equal_content_gives_equal_bytes_whatever_its_owner_times_modes_and_order(
    tmp_path: Path,
) -> None:
    first = site(tmp_path / "a")
    second = tmp_path / "b"
    (second / "dist").mkdir(parents=True)
    (second / "dist/run").write_text("#!/bin/sh\n")
    (second / "dist/run").chmod(0o700)
    (second / "dist/home").symlink_to("img/boat.svg")
    (second / "dist/index.html").write_text("<h1>boats</h1>")
    (second / "dist/index.html").chmod(0o600)
    (second / "dist/img").mkdir(mode=0o700)
    (second / "dist/img/boat.svg").write_text("<svg/>")
    os.utime(second / "dist/img/boat.svg", (1, 1))

    assert packed(first) == packed(second)


def test_any_tar_program_can_read_an_archive(tmp_path: Path) -> None:
    with tarfile.open(fileobj=BytesIO(packed(site(tmp_path)))) as tar:
        entries = {entry.name: entry for entry in tar}

    assert list(entries) == ["home", "img", "img/boat.svg", "index.html", "run"]
    assert {entry.mode for entry in entries.values() if entry.isreg()} == {0o644, 0o755}
    assert {(entry.uid, entry.gid, entry.mtime) for entry in entries.values()} == {(0, 0, 0)}
    assert entries["home"].linkname == "img/boat.svg"


def test_a_single_file_is_packed_under_its_own_name(tmp_path: Path) -> None:
    assert names(packed(site(tmp_path), "dist/index.html")) == ["index.html"]


def test_a_link_to_the_output_is_followed_while_it_stays_inside(tmp_path: Path) -> None:
    site(tmp_path)
    (tmp_path / "latest").symlink_to("dist")

    assert packed(tmp_path, "latest") == packed(tmp_path, "dist")


def test_the_repositorys_own_plumbing_is_left_out(tmp_path: Path) -> None:
    site(tmp_path)
    (tmp_path / ".git/objects").mkdir(parents=True)

    assert not [name for name in names(packed(tmp_path, ".")) if ".git" in name]


def test_names_that_are_long_or_not_text_survive(tmp_path: Path) -> None:
    long = "n" * 200 + "/" + "m" * 200
    (tmp_path / "dist" / long).parent.mkdir(parents=True)
    (tmp_path / "dist" / long).write_text("x")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/dist/\xff\xfe")).write_text("y")

    assert names(packed(tmp_path))[1:] == [long, "\udcff\udcfe"]


def fifo(root: Path) -> None:
    os.mkfifo(root / "dist/pipe")


def socket_file(root: Path) -> None:
    here = Path.cwd()
    os.chdir(root / "dist")  # a socket's name has at most 107 characters
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("door")
    finally:
        os.chdir(here)


def absolute_link(root: Path) -> None:
    (root / "dist/python").symlink_to("/usr/bin/python3")


def link_out(root: Path) -> None:
    (root / "dist/img/secrets").symlink_to("../../secrets")


def link_that_climbs_through_another(root: Path) -> None:
    (root / "dist/img/top").symlink_to("..")
    (root / "dist/zz").symlink_to("img/top/../../secrets")


def too_many_entries(root: Path) -> None:
    for number in range(6):
        (root / f"dist/n{number}").touch()


def too_many_bytes(root: Path) -> None:
    with (root / "dist/sparse").open("wb") as file:
        file.truncate(1_000_001)


def too_deep(root: Path) -> None:
    (root / "dist/1/2/3/4/5").mkdir(parents=True)


def too_long(root: Path) -> None:
    (root / "dist" / ("l" * 201)).touch()


def a_bomb(root: Path) -> None:
    (root / "dist/zeros").write_bytes(bytes(500_000))


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        pytest.param(fifo, "pipe is a fifo", id="a fifo"),
        pytest.param(socket_file, "door is a socket", id="a socket"),
        pytest.param(absolute_link, "python to /usr/bin/python3 is absolute", id="an absolute link"),
        pytest.param(link_out, "img/secrets to ../../secrets leads out", id="a link out"),
        pytest.param(link_that_climbs_through_another, "zz to img/top/../../secrets climbs", id="a sly link"),
        pytest.param(too_many_entries, "passes 5 entries", id="too many entries"),
        pytest.param(too_many_bytes, "at sparse the artifact passes 1000000 bytes", id="too large"),
        pytest.param(too_deep, "1/2/3/4/5 lies deeper than 4", id="too deep"),
        pytest.param(too_long, "longer than 200 bytes", id="a long name"),
        pytest.param(a_bomb, "compresses more than 10 times", id="a bomb"),
    ],
)
def test_what_no_artifact_may_hold_is_refused_by_name(
    harm: Callable[[Path], None], named: str, tmp_path: Path
) -> None:
    (tmp_path / "dist/img").mkdir(parents=True)
    harm(tmp_path)

    with pytest.raises(Refused) as refused:
        packed(tmp_path, limits=NARROW)

    assert named in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize(
    ("path", "named"),
    [
        pytest.param("gone", "gone is not there", id="missing"),
        pytest.param("dist/index.html/x", "is not there", id="below a file"),
        pytest.param("..", "leads out", id="above"),
        pytest.param("/etc", "leads out", id="absolute"),
        pytest.param("way-out", "way-out leads out", id="through a link"),
        pytest.param("circle", "circle is not a path", id="a link to itself"),
        pytest.param("device", "leads out", id="a link to a device"),
        pytest.param("pipe", "pipe is neither a file nor a folder", id="a fifo"),
        pytest.param("a\0b", "not a path", id="a name with a zero byte"),
    ],
)
def test_an_output_path_must_be_a_file_or_folder_inside(path: str, named: str, tmp_path: Path) -> None:
    site(tmp_path)
    (tmp_path / "way-out").symlink_to("..")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "device").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(Refused, match=named):
        packed(tmp_path, path)


def test_a_name_made_to_deceive_is_shown_escaped_and_cut(tmp_path: Path) -> None:
    deceiving = "\x1b[2J" + "d" * 240
    (tmp_path / "dist").mkdir()
    os.mkfifo(tmp_path / "dist" / deceiving)

    with pytest.raises(Refused) as refused:
        packed(tmp_path)

    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_a_full_disk_can_be_tried_again_because_space_comes_back(tmp_path: Path) -> None:
    site(tmp_path)
    (tmp_path / "dist/noise").write_bytes(os.urandom(1_000_000))

    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(TryAgain, match="No space left"):
        pack(tmp_path, "dist", full)
