"""What every vault promises, shown on the one that keeps its key in a file."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from services.ingest.adapters.vault import FileVault
from shared.faults import Refused, TryAgain


def test_what_is_sealed_opens_again_in_a_later_life(tmp_path: Path) -> None:
    sealed = FileVault(tmp_path / "secret.key").seal(b"s3cret")
    assert b"s3cret" not in sealed
    assert FileVault(tmp_path / "secret.key").open(sealed) == b"s3cret"


def test_the_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    FileVault(tmp_path / "ingest" / "secret.key").seal(b"s3cret")
    key = tmp_path / "ingest" / "secret.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert list(key.parent.iterdir()) == [key]


def test_a_secret_sealed_under_another_key_is_refused(tmp_path: Path) -> None:
    sealed = FileVault(tmp_path / "a.key").seal(b"s3cret")
    with pytest.raises(Refused):
        FileVault(tmp_path / "b.key").open(sealed)


def test_of_two_that_make_the_key_at_once_both_use_the_first(tmp_path: Path) -> None:
    one, other = FileVault(tmp_path / "secret.key"), FileVault(tmp_path / "secret.key")
    assert other.open(one.seal(b"a")) == b"a"
    assert one.open(other.seal(b"b")) == b"b"


def test_a_full_disk_leaves_no_key_and_is_a_matter_of_trying_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    vault = FileVault(tmp_path / "secret.key")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(TryAgain):
            vault.seal(b"s3cret")
    assert list(tmp_path.iterdir()) == []
    assert vault.open(vault.seal(b"s3cret")) == b"s3cret"


SEALER = """
import sys
from pathlib import Path
from services.ingest.adapters.vault import FileVault
vault = FileVault(Path(sys.argv[1]))
sys.stdin.readline()
print(vault.seal(b"s3cret").decode())
"""


def test_processes_that_make_the_key_at_the_same_first_start_use_one(tmp_path: Path) -> None:
    key = tmp_path / "ingest" / "secret.key"
    root = Path(__file__).parents[3]
    sealers = [
        subprocess.Popen(
            [sys.executable, "-c", SEALER, str(key)],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for sealer in sealers:
        assert sealer.stdin
        sealer.stdin.write("\n")
        sealer.stdin.flush()
    said = [sealer.communicate(timeout=50)[0] for sealer in sealers]
    assert [FileVault(key).open(each.strip().encode()) for each in said] == [b"s3cret"] * 4
    assert list(key.parent.iterdir()) == [key]
