"""Pushes taken at once, against a stand-in that keeps the books as Buildbot does."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import pytest

from benchmarks.parties.accepting import LINES, Taking, Turn, one_by_one
from benchmarks.parties.buildbot import Buildbot
from benchmarks.parties.forge import NotTaken
from benchmarks.parties.held import Held
from benchmarks.parties.party import pushes
from benchmarks.parties.windlass import Windlass
from benchmarks.parties.work import Work
from benchmarks.suites.accept import CHANGES, REQUESTED, UNREQUESTED, books_of

TABLES = """
CREATE TABLE changes (changeid INTEGER PRIMARY KEY, revision TEXT);
CREATE TABLE sourcestamps (id INTEGER PRIMARY KEY, revision TEXT);
CREATE TABLE buildset_sourcestamps (buildsetid INTEGER, sourcestampid INTEGER);
CREATE TABLE buildrequests (id INTEGER PRIMARY KEY, buildsetid INTEGER);
"""
REQUEST = """
INSERT INTO sourcestamps VALUES (:id, :revision);
INSERT INTO buildset_sourcestamps VALUES (:id, :id);
INSERT INTO buildrequests (buildsetid) VALUES (:id);
"""


class Idle(Held):
    """A program that nobody started."""

    @property
    def cpu_seconds(self) -> float:
        """Return as much as always."""
        return 1.0


@dataclass
class Standin:
    """Answers pushes and writes them down; of the one at `place` it does otherwise."""

    database: Path
    place: int = -1
    otherwise: str = ""
    heard: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with closing(writer):
            while head := await self._head(reader):
                length = int(head.lower().partition(b"content-length:")[2].split()[0])
                commit = json.loads(await reader.readexactly(length))["after"]
                otherwise = self.otherwise if self.heard == self.place else ""
                self.heard += 1
                if otherwise != "refused":
                    self._write_down(commit, otherwise)
                words = b"503 Busy" if otherwise == "refused" else b"202 Accepted"
                writer.write(b"HTTP/1.1 " + words + b"\r\nContent-Length: 0\r\n\r\n")

    @staticmethod
    async def _head(reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return b""

    def _write_down(self, commit: str, otherwise: str) -> None:
        with closing(sqlite3.connect(self.database)) as database, database:
            database.execute("PRAGMA synchronous=OFF")
            for _ in range({"forgotten": 0, "doubled": 2}.get(otherwise, 1)):
                added = database.execute("INSERT INTO changes (revision) VALUES (?)", (commit,)).lastrowid
                for statement in REQUEST.strip().splitlines():
                    database.execute(statement, {"id": added, "revision": commit})


@asynccontextmanager
async def standing_in(folder: Path, place: int = -1, otherwise: str = "") -> AsyncIterator[Buildbot]:
    folder.joinpath("master").mkdir()
    standin = Standin(folder / "master" / "state.sqlite", place, otherwise)
    with closing(sqlite3.connect(standin.database)) as database:
        database.executescript(TABLES)
    server = await asyncio.start_server(standin.serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        party = Buildbot(folder, Work(folder / "told"), folder / "programs", port=port)
        party.held = Idle(folder, ["nothing"], {})
        yield party


async def turn_of(party: Buildbot, alone: int, many: int) -> Turn:
    return await Taking(party, books_of(party), repeat((alone, many))).turn()


async def test_what_was_taken_once_each_is_as_it_has_to_be(tmp_path: Path) -> None:
    async with standing_in(tmp_path) as party:
        first, second = await turn_of(party, 3, 2 * LINES), await turn_of(party, 1, LINES)
    assert [len(first.answered), len(second.answered)] == [3, 1]
    assert [first.wrong, second.wrong] == [0, 0]
    assert first.accepted_a_second > 0


@pytest.mark.parametrize("otherwise", ["refused", "forgotten", "doubled"])
async def test_a_push_that_is_not_there_exactly_once_is_wrong(tmp_path: Path, otherwise: str) -> None:
    async with standing_in(tmp_path, place=5, otherwise=otherwise) as party:
        assert (await turn_of(party, 1, 2 * LINES)).wrong == 1


async def test_one_by_one_a_refusal_spoils_the_measurement(tmp_path: Path) -> None:
    async with standing_in(tmp_path, place=1, otherwise="refused") as party:
        with pytest.raises(NotTaken, match="503"):
            await one_by_one(party, pushes(party, 2))


async def test_a_change_without_a_request_is_not_decided_yet(tmp_path: Path) -> None:
    async with standing_in(tmp_path) as party:
        books = books_of(party)
        await one_by_one(party, [given := pushes(party, 1)[0]])
        with closing(sqlite3.connect(books.database)) as database, database:
            asked = database.execute(UNREQUESTED).fetchone()
            database.execute("DELETE FROM buildrequests")
            left = database.execute(UNREQUESTED).fetchone()
        assert (asked, left) == ((0,), (1,))
        assert [books.often(query)[given.commit] for query in (CHANGES, REQUESTED)] == [1, 0]
        assert books.wrong([given]) == 1


def test_each_partys_books_are_its_own(tmp_path: Path) -> None:
    windlass = books_of(Windlass(tmp_path, Work(tmp_path / "told")))
    assert windlass.database == tmp_path / "home" / "data" / "windlass.db"
    assert len(windlass.once) == len(windlass.undecided) == 2
