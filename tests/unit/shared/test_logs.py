import os
from pathlib import Path

import pytest

from shared.logs import PatientStream


@pytest.fixture
def stream(tmp_path: Path) -> PatientStream:
    return PatientStream(os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND))


def say(stream: PatientStream, line: str) -> None:
    print(line, file=stream, flush=True)  # as structlog does it


def test_lines_are_written_whole_and_in_order(stream: PatientStream, tmp_path: Path) -> None:
    for line in ("one", "half a character \ud800", "three"):
        say(stream, line)

    assert (tmp_path / "log").read_text("utf-8") == "one\nhalf a character \\ud800\nthree\n"


def test_what_a_full_disk_does_not_take_ends_nothing_and_is_counted(
    stream: PatientStream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = [7]
    really = os.write

    def write(descriptor: int, data: bytes) -> int:
        written = really(descriptor, data[: room[0]]) if room[0] else 0
        room[0] -= written
        if not written:
            raise OSError(28, "No space left on device")
        return written

    monkeypatch.setattr(os, "write", write)
    for line in ("one", "torn here", "lost"):
        say(stream, line)
    room[0] = 10_000
    say(stream, "back")
    say(stream, "again")

    told = (tmp_path / "log").read_text("utf-8").splitlines()
    assert told == ["one", "tor", '{"event": "lines.lost", "count": 2}', "back", "again"]


def test_a_reader_that_is_gone_ends_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stream = PatientStream(writer)

    say(stream, "nobody hears this")
    os.close(writer)
    say(stream, "nor this")
