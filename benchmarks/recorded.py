"""Ten deployments recorded of a real `windlass up`, with marks where the next ten differ from them.

Nine revisions go through three stages of two steps, one fails on its way; the ninth is rolled back by a
person and let in again. Whatever tells these ten from the next ten of the same pipeline, or from those of
another, is replaced by a mark of its own: names, revisions, ids, commits, instants, positions.
"""

import asyncio
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.contract.git.repository import new_repository
from tests.e2e.harbour import Harbour
from tests.e2e.program import Program
from tests.ports import free_port

PIPELINE = "name-of-pipeline"  # a mark itself: everything is recorded of a pipeline of this name
REVISIONS = 10  # recorded
FAILS, GOES_BACK = 4, 9  # which fails in the second stage, from which a person rolls back
STAGES = ("staging", "canary", "production")

# The marks. No two of them, and nothing else that is recorded, have one of the same shape.
ID = "feedbeef"  # an id's first eight digits; a commit's third to tenth
DAY = "2001-02-03"
DAY_BEGINS = datetime(2001, 2, 3, 12, tzinfo=UTC)  # recorded days begin at noon: none ends in between
REVISION_0 = 900_000_000  # and the revision
POSITION_0 = 700_000_000  # and the place in the log

MANIFEST = """\
version: "1"
pipeline:
  stages: [{name: staging}, {name: canary}, {name: production}]
  steps:
    - name: migrate
      type: SCRIPT:EXECUTE
      params:
        commands:
          - echo "migrate revision $WINDLASS_REVISION in $WINDLASS_STAGE"
          - test "$WINDLASS_REVISION $WINDLASS_STAGE" != "4 canary"
    - name: release
      type: SCRIPT:EXECUTE
      params:
        commands:
          - echo "release revision $WINDLASS_REVISION in $WINDLASS_STAGE"
"""

Row = dict[str, Any]  # as it is in the table

_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_HEX_ID = re.compile(r"[0-9a-f]{32}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
_COMMIT = re.compile(r'"commit":"([0-9a-f]{40})"')
_REVISION = re.compile(
    rf'(?<="revision":)\d+|(?<="by_revision":)\d+|(?<="restores":)\d+|(?<=\brevision )\d+|(?<=--to )\d+'
    rf"|(?<={PIPELINE}@)\d+|(?<=logs {PIPELINE} )\d+"
)


class Quay(Harbour):
    """A repository whose steps only say a word."""

    def commit(self, server: str = "", note: str = "") -> str:  # noqa: ARG002 - there is no server
        """Commit a change, and return the commit."""
        self.pushes += 1
        file = f".windlass/{PIPELINE}/pipeline.yaml"
        return self.repository.commit({file: MANIFEST.encode(), "note": f"{self.pushes}".encode()})


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was heard, in order, with marks."""

    events: tuple[Row, ...]  # of `status_history`
    chunks: tuple[Row, ...]  # of `status_log_chunks`


async def record(folder: Path) -> Recorded:
    """Have the ten deployed, in a folder that is empty."""
    program = Program(folder / "home", free_port())
    quay = Quay(program, new_repository(folder / "source"), folder / "effects", {})
    await program.start()
    try:
        quay.register()
        async with httpx.AsyncClient() as http:
            for revision in range(1, REVISIONS + 1):
                await quay.post(http, quay.commit())
                if revision != FAILS:  # the next one takes its place where it waits
                    await quay.deployed(revision)
                if revision == GOES_BACK:
                    await _go_back(program)
        await asyncio.sleep(1)  # the last events are written down
    finally:
        await program.end()
    return marked(program.data / "windlass.db", folder / "source")


async def _go_back(program: Program) -> None:
    where = (PIPELINE, STAGES[-1])
    for words in (("rollback", "checkout is slow"), ("release-hold", "it was the database")):
        done = program.cli(words[0], *where, "--reason", words[1])
        assert done.returncode == 0, done.stderr
        await asyncio.sleep(1)


def marked(file: Path, source: Path) -> Recorded:
    """Read what was recorded, and put the marks in."""
    with sqlite3.connect(file) as database:
        database.row_factory = sqlite3.Row
        events = [dict(row) for row in database.execute("SELECT * FROM status_history ORDER BY sequence")]
        chunks = [dict(row) for row in database.execute("SELECT * FROM status_log_chunks ORDER BY sequence")]
    marks = _Marks([*events, *chunks], {str(source): "/srv/source"})
    return Recorded(tuple(map(marks.of_row, events)), tuple(map(marks.of_row, chunks)))


class _Marks:
    """Which mark takes which thing's place."""

    def __init__(self, rows: list[Row], others: Mapping[str, str]) -> None:
        self._ids: dict[str, int] = {}
        begun = min(datetime.fromisoformat(row["time"]) for row in rows)
        self._later = DAY_BEGINS - begun
        self._others = dict(others) | dict(_commits(rows))

    def of_row(self, row: Row) -> Row:
        """Return the row with its marks, without its sequence."""
        told = {name: self._of(name, value) for name, value in row.items() if name != "sequence"}
        return told | {"position": POSITION_0 + row["position"]}

    def _of(self, name: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if name in {"id", "causation"}:
            return _HEX_ID.sub(lambda found: self._id(found[0]).replace("-", ""), value)
        for one, other in self._others.items():
            value = value.replace(one, other)
        value = _UUID.sub(lambda found: self._id(found[0].replace("-", "")), value)
        value = _INSTANT.sub(lambda found: self._instant(found[0]), value)
        return _REVISION.sub(lambda found: str(REVISION_0 + int(found[0])), value)

    def _id(self, digits: str) -> str:
        number = self._ids.setdefault(digits, len(self._ids))
        return f"{ID}-0000-5000-8000-{number:012x}"

    def _instant(self, text: str) -> str:
        later = datetime.fromisoformat(text) + self._later
        if text.endswith("Z"):  # in a body, as pydantic writes it
            return later.isoformat().replace("+00:00", "Z")
        return later.isoformat(timespec="microseconds")


def _commits(rows: list[Row]) -> Iterator[tuple[str, str]]:
    """Yield each commit, and what it is cut to for people, with what takes its place."""
    found = dict.fromkeys(commit for row in rows for commit in _COMMIT.findall(row["body"]))
    for number, commit in enumerate(found):
        mark = f"{number:02x}{ID}{commit[10:]}"
        yield commit, mark
        yield commit[:8], mark[:8]
