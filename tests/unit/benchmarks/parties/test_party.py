"""What the parties' own files are, before anything is started."""

import ast
import json
import sqlite3
from pathlib import Path

import yaml

from benchmarks.parties.buildbot import Buildbot, configuration
from benchmarks.parties.commits import NOBODY
from benchmarks.parties.party import counted, pushes
from benchmarks.parties.prefect import Call, flow
from benchmarks.parties.windlass import pipeline
from benchmarks.parties.work import STEPS, Work

WORK = Work(Path("told 'here'"), pause_seconds=1.0)


def commands_in(program: str) -> object:
    [commands] = [
        ast.literal_eval(node.value)
        for node in ast.parse(program).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "commands"
    ]
    return commands


def test_everybody_is_given_the_same_lines_for_the_shell() -> None:
    document = yaml.safe_load(pipeline(WORK))
    ours = [(step["name"], step["params"]["commands"]) for step in document["pipeline"]["steps"]]
    assert ours == [(step, WORK.script(step)) for step in STEPS]
    assert commands_in(configuration(WORK, 8010)) == commands_in(flow(WORK, 8010)) == ours


def test_a_flow_run_is_asked_for_with_the_commit() -> None:
    head, _, body = Call(4200, "an-id").push("c0ffee", NOBODY).wire.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/deployments/an-id/create_flow_run HTTP/1.1\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert json.loads(body) == {"parameters": {"commit": "c0ffee"}}


def test_pushes_follow_one_another(tmp_path: Path) -> None:
    party = Buildbot(tmp_path, Work(tmp_path / "told"), tmp_path / "programs")
    first, second = pushes(party, 2)
    [third] = pushes(party, 1)
    chain = [(NOBODY, first), (first.commit, second), (second.commit, third)]
    assert all(f'"before":"{old}","after":"{push.commit}"'.encode() in push.wire for old, push in chain)


def test_builds_are_counted_when_they_have_ended(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "db") as database:
        database.execute("CREATE TABLE builds (complete_at INTEGER)")
        database.execute("INSERT INTO builds VALUES (1), (NULL), (?)", (3,))
    database.close()
    query = "SELECT count(*) FROM builds WHERE complete_at IS NOT NULL"
    assert counted(tmp_path / "db", query) == 2
