"""What prepares an installation: `windlass migrate`, `windlass topics create`, `windlass token`."""

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.migrations import HEAD
from services.cli.app import main
from shared.access import Access
from shared.db.postgres import PostgresDatabase
from shared.events import TOPICS
from tests.integration.distributed.process import WINDLASS, environment
from tests.ports import free_port


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


@dataclass
class Operator:
    """Runs commands in this process, beside the test's loop."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def has(self, **environ: str) -> None:
        for name, value in environ.items():
            self.monkeypatch.setenv(f"WINDLASS_{name.upper()}", value)

    async def windlass(self, *words: str) -> Ended:
        self.monkeypatch.setattr(sys, "argv", ["windlass", *words])
        self.capsys.readouterr()
        code = await asyncio.to_thread(_code)
        printed = self.capsys.readouterr()
        return Ended(code, printed.out, printed.err)


def _code() -> int:
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Operator:
    """Give an operator in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return Operator(monkeypatch, capsys)


async def test_topics_are_created_once_and_what_differs_is_left_alone(
    operator: Operator, kafka_address: str, kafka_prefix: str
) -> None:
    operator.has(kafka=kafka_address, kafka_prefix=kafka_prefix, kafka_partitions="1")
    first = await operator.windlass("topics", "create")
    assert first.code == 0, first.err
    assert first.out.count("created") == len(TOPICS)
    again = await operator.windlass("topics", "create", "--json")
    assert {each["outcome"] for each in json.loads(again.out)["topics"]} == {"there"}

    more = await operator.windlass("topics", "create", "--partitions", "2", "--json")
    assert (more.code, {each["partitions"] for each in json.loads(more.out)["topics"]}) == (1, {1})
    assert "windlass topics create --help" in more.err
    grown = await operator.windlass("topics", "create", "--partitions", "2", "--grow", "--json")
    assert (grown.code, {each["outcome"] for each in json.loads(grown.out)["topics"]}) == (0, {"grown"})


@pytest.mark.timeout(150)  # three programs are loaded at once, beside whatever else the machine has to do
async def test_three_migrations_at_once_are_one(postgres_url: str, tmp_path: Path) -> None:
    environ = environment(tmp_path, {"WINDLASS_DATABASE": postgres_url})
    started = [
        await asyncio.create_subprocess_exec(
            WINDLASS, "migrate", env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(3)
    ]
    said = [(await each.communicate())[0].decode() for each in started]
    assert [each.returncode for each in started] == [0, 0, 0], said
    assert sum(HEAD in text for text in said) == 1
    assert sum("Nothing to do" in text for text in said) == 2


async def test_a_token_is_printed_alone_and_is_worth_more_than_the_one_before(
    operator: Operator, database: PostgresDatabase, schema_url: str
) -> None:
    operator.has(database=schema_url)
    first, refused = [await operator.windlass("token", "ann") for _ in range(2)]
    assert (refused.code, refused.out) == (1, "")
    assert "a token of ann already" in refused.err
    second = await operator.windlass("token", "ann", "--replace")
    access = Access(database)
    assert await access.holder(second.out.removesuffix("\n")) == "ann"
    assert await access.holder(first.out.removesuffix("\n")) is None


@pytest.mark.parametrize("words", [["migrate"], ["token", "ann"], ["topics", "create"]], ids=" ".join)
async def test_what_is_not_there_is_said_in_a_sentence_that_keeps_the_password(
    operator: Operator, words: list[str]
) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    operator.has(database=f"postgresql://windlass:geheim@{nobody}/windlass", kafka=nobody)
    ended = await operator.windlass(*words)
    assert ended.code == 3
    assert ended.err.startswith("windlass: ")
    assert "geheim" not in ended.out + ended.err
    assert len(ended.err.splitlines()) == 2


async def test_a_token_before_there_is_a_schema_is_refused_in_a_sentence(
    operator: Operator, postgres_url: str
) -> None:
    operator.has(database=postgres_url)
    ended = await operator.windlass("token", "ann")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        f"windlass: The schema is at nothing, this release needs {HEAD}: run windlass migrate.\n"
    )


async def test_a_database_that_does_not_exist_is_told_with_how_to_make_it(
    operator: Operator, postgres_url: str
) -> None:
    operator.has(database=urlsplit(postgres_url)._replace(path="/nowhere").geturl())
    for words in (["migrate"], ["token", "ann"]):
        ended = await operator.windlass(*words)
        assert (ended.code, "createdb" in ended.err, "nowhere" in ended.err) == (3, True, True), ended.err


async def test_no_database_is_told_with_the_form_before_anything_is_said_to_begin(operator: Operator) -> None:
    ended = await operator.windlass("migrate")
    assert (ended.code, ended.out) == (1, "")
    assert "WINDLASS_DATABASE" in ended.err
    assert "postgresql://user:password@host:port/name" in ended.err


@pytest.mark.parametrize("password", ["ge/heim", "1/geheim", "ge#heim", "ge?heim", "[geheim", "g/c?e@/heim"])
async def test_a_password_that_breaks_the_address_is_told_to_be_encoded(
    operator: Operator, password: str
) -> None:
    operator.has(database=f"postgresql://windlass:{password}@db/windlass")
    ended = await operator.windlass("migrate")
    assert (ended.code, "percent-encoded" in ended.err, "heim" in ended.err) == (1, True, False), ended.err


async def test_options_of_the_address_that_cannot_be_read_are_refused(operator: Operator) -> None:
    operator.has(database="postgresql://a:b@c/d?sslmode")
    ended = await operator.windlass("migrate")
    assert (ended.code, ended.out, "WINDLASS_DATABASE" in ended.err) == (1, "", True)


async def test_a_replica_is_told_in_words_what_its_name_may_be(operator: Operator) -> None:
    operator.has(database="postgresql://a@b/c", replica="vm 1")
    ended = await operator.windlass("serve", "verifier")
    assert ended.code == 1
    assert "WINDLASS_REPLICA) cannot be 'vm 1': it has 1 to 100 letters, digits and . _ -" in ended.err


@pytest.mark.parametrize("database", ["", "geheim", "mysql://a:geheim@b/c", "postgresql://a:geheim@b:x/c"])
async def test_an_address_that_is_none_is_refused_without_repeating_it(
    operator: Operator, database: str
) -> None:
    operator.has(database=database)
    ended = await operator.windlass("migrate")
    assert ended.code == 1
    assert "WINDLASS_DATABASE" in ended.err
    assert "geheim" not in ended.err


async def test_a_service_that_is_none_is_told_with_the_one_that_was_meant(operator: Operator) -> None:
    ended = await operator.windlass("serve", "deplyer")
    assert ended.code == 2
    assert "Did you mean deployer?" in ended.err


@pytest.mark.parametrize("settings", ["database = ", 'database = "mysql://a@b/c"'])
async def test_a_database_that_the_settings_file_names_badly_is_told_before_a_server_is_asked(
    operator: Operator, tmp_path: Path, settings: str
) -> None:
    (tmp_path / "windlass.toml").write_text(settings, "utf-8")
    ended = await operator.windlass("token", "ann")
    assert (ended.code, "windlass.toml" in ended.err or "WINDLASS_DATABASE" in ended.err) == (1, True)


async def test_with_neither_a_database_nor_a_server_both_ways_are_told(operator: Operator) -> None:
    ended = await operator.windlass("token", "ann")
    assert (ended.code, ended.out) == (3, "")
    assert "windlass up" in ended.err


async def test_a_name_with_spaces_gets_no_token(operator: Operator) -> None:
    assert (await operator.windlass("token", "ann smith")).code == 2


async def test_the_release_is_told(operator: Operator) -> None:
    ended = await operator.windlass("--version")
    assert (ended.code, ended.out.split()[0]) == (0, "windlass")
