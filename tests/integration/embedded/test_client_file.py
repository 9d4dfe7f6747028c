"""The owner's way in, and who holds the data folder."""

import json
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.embedded import data_folder
from services.embedded.client_file import write_client_file
from shared.access import Access
from shared.clock import ManualClock
from shared.db import metadata
from shared.db.sqlite import SqliteDatabase
from shared.web.faults import CannotStart
from tests.builders import START

URL = "http://127.0.0.1:8400"


@pytest.fixture
async def access(tmp_path: Path) -> AsyncIterator[Access]:
    database = SqliteDatabase(tmp_path / "windlass.db", ManualClock(START))
    metadata.create_all(database.writer)
    yield Access(database)
    await database.close()


def written(folder: Path) -> dict[str, str]:
    document: dict[str, str] = json.loads((folder / "client.json").read_text())
    return document


async def test_the_first_start_makes_a_token_that_only_the_owner_can_read(
    access: Access, tmp_path: Path
) -> None:
    await write_client_file(tmp_path, URL, access)
    known = written(tmp_path)
    assert known["url"] == URL
    assert await access.holder(known["token"]) == "owner"
    assert stat.S_IMODE((tmp_path / "client.json").stat().st_mode) == 0o600
    stored = (tmp_path / "windlass.db").read_bytes() + (tmp_path / "windlass.db-wal").read_bytes()
    assert known["token"].encode() not in stored


async def test_later_starts_keep_the_token_and_tell_the_new_address(access: Access, tmp_path: Path) -> None:
    await write_client_file(tmp_path, URL, access)
    token = written(tmp_path)["token"]
    await write_client_file(tmp_path, "http://127.0.0.1:9000", access)
    assert written(tmp_path) == {"url": "http://127.0.0.1:9000", "token": token}


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"token": 5}', '{"token": ""}'])
async def test_a_broken_file_is_made_anew_and_the_old_token_is_worth_nothing(
    access: Access, tmp_path: Path, broken: str
) -> None:
    await write_client_file(tmp_path, URL, access)
    old = written(tmp_path)["token"]
    (tmp_path / "client.json").write_text(broken)
    await write_client_file(tmp_path, URL, access)
    assert await access.holder(written(tmp_path)["token"]) == "owner"
    assert await access.holder(old) is None


async def test_a_token_kept_from_an_earlier_database_is_granted_again(access: Access, tmp_path: Path) -> None:
    (tmp_path / "client.json").write_text(json.dumps({"url": URL, "token": "wl_kept"}))
    await write_client_file(tmp_path, URL, access)
    assert await access.holder("wl_kept") == "owner"


async def test_nobody_holds_an_empty_or_an_endless_token(access: Access) -> None:
    assert await access.holder("") is None
    assert await access.holder("x" * 10_000) is None


def test_the_data_folder_is_closed_to_others_and_held_by_one(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with data_folder.held(folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        with pytest.raises(CannotStart, match=f"process {os.getpid()}"), data_folder.held(folder):
            pass
    with data_folder.held(folder):
        pass


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart, match="cannot be used"), data_folder.held(tmp_path / "file" / "data"):
        pass
