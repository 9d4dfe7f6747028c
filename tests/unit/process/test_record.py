"""The shim's record of output on a disk that takes only a part."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.process.output import OutputReader
from shared.process.shim.record import LINE_BYTES_MAX, Output, cut


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let no file of this process grow past `size`; beyond it the kernel writes a part, then fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def texts(folder: Path) -> list[str]:
    reader = OutputReader(folder, 0)
    found = []
    while batch := reader.read():
        found += [line.text for line in batch]
    reader.close()
    return found


@pytest.mark.parametrize("size", range(36, 150, 3))
def test_whole_lines_stay_torn_ones_go_and_the_loss_is_told(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    output = Output(1_000_000, rotates=False)
    with room_for(size):
        output.feed(b"".join(b"line %d\n" % number for number in range(10)))
        taken = texts(tmp_path)
        assert (tmp_path / "output").read_bytes().endswith(b"\n")
    output.feed(b"after\n")
    output.end()
    assert taken == [f"line {number}" for number in range(size // 25)]
    lost = f"windlass: {10 - len(taken)} lines are missing, the disk did not take them"
    assert texts(tmp_path) == [*taken, lost, "after"]


def test_a_loss_is_told_once_and_counts_all_that_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    output = Output(1_000_000, rotates=False)
    with room_for(0):
        for number in range(5):
            output.feed(b"line %d\nand more\n" % number)
        output.end()
    output.end()
    output.end()
    assert texts(tmp_path) == ["windlass: 10 lines are missing, the disk did not take them"]


def test_a_service_whose_file_cannot_be_changed_loses_lines_but_no_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    output = Output(200, rotates=True)
    (tmp_path / "output.5").mkdir()
    output.feed(b"".join(b"%d\n" % number for number in range(10)))
    (tmp_path / "output.5").rmdir()
    output.feed(b"after\n")
    assert texts(tmp_path)[-2:] == [
        "windlass: 5 lines are missing, the disk did not take them",
        "after",
    ]


@pytest.mark.parametrize(
    "line",
    [b"", b"x" * LINE_BYTES_MAX, b"x" * (LINE_BYTES_MAX + 1), b"\x80" * 50_000, b"\xff" * 50_000],
    ids=["empty", "just fits", "one too many", "continuations only", "no utf-8"],
)
def test_a_cut_line_is_the_same_line(line: bytes) -> None:
    pieces = cut(line)
    assert b"".join(pieces) == line
    assert all(len(piece) <= LINE_BYTES_MAX for piece in pieces)
    assert all(pieces) or pieces == [b""]
