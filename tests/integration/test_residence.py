"""Who may live in a data folder: those of the installation whose folder it is, on one machine at a time."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.clock import SystemClock
from shared.db import ServiceDatabase, metadata
from shared.db.sqlite import SqliteDatabase
from shared.db.tables import data_folders
from shared.faults import Refused
from shared.residence import Residence


class Landlord:
    """One database, and how often it was told that a lost folder is replaced."""

    def __init__(self, folder: Path) -> None:
        self.database = SqliteDatabase(folder / "windlass.db", SystemClock())
        metadata.create_all(self.database.writer)
        self.replaced = 0

    async def note(self) -> None:
        self.replaced += 1

    async def stay(self, data: Path, replaces: str = "") -> None:
        async with Residence(ServiceDatabase(self.database, "deployer"), data, replaces).taken_up(self.note):
            pass

    async def noted(self) -> list[str]:
        async with self.database.reading() as reading:
            return list((await reading.execute(sa.select(data_folders.c.folder))).scalars())


@pytest.fixture
async def landlord(tmp_path: Path) -> AsyncIterator[Landlord]:
    made = Landlord(tmp_path)
    yield made
    await made.database.close()


async def test_replicas_live_together_and_come_back(landlord: Landlord, tmp_path: Path) -> None:
    await asyncio.gather(*(landlord.stay(tmp_path / "data") for _ in range(5)))
    identity = (tmp_path / "data/identity").read_text().strip()
    await landlord.stay(tmp_path / "data")
    assert await landlord.noted() == [identity]
    assert landlord.replaced == 0


async def test_another_folder_is_refused_in_a_sentence_with_the_way_out(
    landlord: Landlord, tmp_path: Path
) -> None:
    await landlord.stay(tmp_path / "data")
    [identity] = await landlord.noted()
    for replaces in ("", "some other"):
        with pytest.raises(Refused, match=f"WINDLASS_DATA.*WINDLASS_REPLACES_FOLDER={identity}"):
            await landlord.stay(tmp_path / "elsewhere", replaces)
    assert await landlord.noted() == [identity]


async def test_a_lost_folder_is_replaced_once_and_never_comes_back(
    landlord: Landlord, tmp_path: Path
) -> None:
    await landlord.stay(tmp_path / "data")
    [lost] = await landlord.noted()
    for _ in range(2):
        await landlord.stay(tmp_path / "elsewhere", replaces=lost)
    assert landlord.replaced == 1
    with pytest.raises(Refused, match="another data folder"):
        await landlord.stay(tmp_path / "data", replaces=lost)


async def test_whoever_sees_other_processes_is_refused_for_as_long_as_somebody_lives_there(
    landlord: Landlord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Residence(ServiceDatabase(landlord.database, "deployer"), tmp_path / "data")
    async with here.taken_up(landlord.note):
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr("shared.residence.identity", lambda _: "7 boot:pid:[1]")
            with pytest.raises(Refused, match="cannot be seen from here"):
                await landlord.stay(tmp_path / "data")
        await landlord.stay(tmp_path / "data")
    monkeypatch.setattr("shared.residence.identity", lambda _: "7 boot:pid:[1]")
    await landlord.stay(tmp_path / "data")  # nobody is left: a container that was started again
    residents = (tmp_path / "data/deployer/residents").read_text()
    assert residents.startswith("boot:pid:[1] ")


async def test_nobody_is_kept_out_by_one_who_was_refused(
    landlord: Landlord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await landlord.stay(tmp_path / "data")
    [lost] = await landlord.noted()
    with pytest.raises(Refused):
        await landlord.stay(tmp_path / "elsewhere")
    residents = os.open(tmp_path / "elsewhere/deployer/residents", os.O_RDWR)
    fcntl.flock(residents, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(residents)
    assert lost
