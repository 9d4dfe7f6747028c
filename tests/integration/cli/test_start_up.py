"""What a command loads before it does anything: time that everybody pays, each time."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.cli.contents import CONTENTS

ROOT = Path(__file__).resolve().parents[3]
RUN = """\
import json, sys
from services.cli.app import main
try:
    main()
except SystemExit as end:
    loaded = sorted(name for name, module in sys.modules.items() if module)
    print(json.dumps([end.code, loaded]), file=sys.stderr)
"""
SERVE = """\
import gc, json, sys
from services.cli.app import main

class Told:
    # What a start puts off is put off for good, however late we are told to end.
    def write(self, text):
        if "is ready" in text:
            sys.modules["shared.web.afterwards"].AFTER_SECONDS = 3600.0
        return out.write(text)

    def __getattr__(self, name):
        return getattr(out, name)

out, sys.stdout = sys.stdout, Told()
try:
    main()
finally:
    from pydantic import BaseModel
    models, built = [BaseModel], []
    for model in models:
        models += model.__subclasses__()
        built += [model.__name__] * bool(model.__dict__.get("__pydantic_complete__"))
    loaded = sorted(name for name, module in sys.modules.items() if module)
    print(json.dumps([loaded, len(models), len(built), gc.isenabled()]))
"""
# A server's, and what takes tens of milliseconds each.
HEAVY = {
    "aioboto3", "aiohttp", "aiokafka", "aiosqlite", "alembic", "anyio", "asyncpg", "boto3", "botocore",
    "cryptography", "fastapi", "faststream", "jinja2", "prometheus_client", "pydantic_settings", "sqlalchemy",
    "sqlite3", "starlette", "structlog", "uvicorn",
}  # fmt: skip
CLIENT = {"asyncio", "click", "httpx", "pygments", "rich", "ssl"}
LANGUAGE = {"shared.language.check", "shared.plan", "yaml"}
OURS_IN_VALIDATE = (
    "services", "services.cli", "shared", "shared.language", "shared.step_types", "shared.artifact_types",
    "shared.clock", "shared.ids", "shared.placeholder", "shared.plan", "shared.ref_name", "shared.tree",
    "shared.wall_calendar", "shared.window",
)  # fmt: skip

SELDOM_SERVED = {
    "alembic",
    "attr",
    "httpx",
    "pygments",
    "rich",
    "shared.diagnosis.rules",
    "shared.scan",
    "typer",
}


def environ(folder: Path) -> Mapping[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder)}


def loaded(folder: Path, *words: str) -> set[str]:
    """Return the names of all modules that a command that ends with 0 has loaded."""
    command = [sys.executable, "-c", RUN, *words]
    ended = subprocess.run(
        command, cwd=folder, env=environ(folder), capture_output=True, check=True, timeout=50
    )
    code, names = json.loads(ended.stderr)
    assert not code, ended.stderr
    return set(names)


@dataclass(frozen=True, slots=True)
class Served:
    """What a server had loaded when it was told to end, right after it was ready."""

    loaded: list[str]
    models: int
    models_built: int
    collects: bool  # garbage


def served(folder: Path) -> Served:
    """Start a server, and end it when it is ready."""
    command = [sys.executable, "-c", SERVE, "up", "--data", f"{folder}/data", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, env=environ(folder), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        try:
            assert b"Windlass is ready" in process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            return Served(*json.loads(process.stdout.readline()))
        finally:
            process.kill()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / ".windlass/shop/pipeline.yaml"
    file.parent.mkdir(parents=True)
    step = "{name: Hello, type: SCRIPT:EXECUTE, params: {commands: echo hello}}"
    file.write_text(f'version: "1"\npipeline: {{stages: [{{name: a}}], steps: [{step}]}}\n')
    return tmp_path


@pytest.mark.parametrize("form", [[], ["--json"], ["--sarif"]])
def test_validate_loads_the_language_and_no_more(shop: Path, form: list[str]) -> None:
    found = loaded(shop, "validate", *form)
    assert found >= LANGUAGE
    assert found & (HEAVY | CLIENT | {"typer"}) == set()
    ours = {name for name in found if name.partition(".")[0] in {"services", "shared", "deploy"}}
    known = tuple(f"{name}." for name in OURS_IN_VALIDATE if name.count(".") and name != "shared")
    assert {name for name in ours if name not in OURS_IN_VALIDATE and not name.startswith(known)} == set()


def test_the_list_of_commands_loads_none_of_them(tmp_path: Path) -> None:
    found = loaded(tmp_path, "--help")
    assert found & (HEAVY | CLIENT | LANGUAGE | {"pydantic"}) == set()
    assert not [name for name in found if name.startswith("services.cli.commands")]
    assert not [name for name in found if name.startswith("shared")]


@pytest.mark.parametrize("name", CONTENTS)
def test_a_command_that_is_named_loads_nothing_that_only_its_work_needs(tmp_path: Path, name: str) -> None:
    found = loaded(tmp_path, name, "--help")
    assert found & (HEAVY | LANGUAGE | (CLIENT - {"asyncio", "ssl"})) == set()
    commands = {found_ for found_ in found if found_.startswith("services.cli.commands.")}
    assert commands == {f"services.cli.commands.{CONTENTS[name].place.partition(':')[0]}"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder whose server leaves nothing running: the gateway, which outlives it, is ended."""
    yield tmp_path
    down = [sys.executable, "-c", RUN, "down", "--data", f"{tmp_path}/data"]
    subprocess.run(down, cwd=tmp_path, env=environ(tmp_path), capture_output=True, check=True, timeout=50)


@pytest.mark.timeout(240)  # two starts, the first of which makes the tables
def test_a_server_starts_again_without_what_it_seldom_needs(home: Path) -> None:
    assert "alembic" in served(home).loaded, "the first start makes the tables"
    again = served(home)
    assert SELDOM_SERVED & set(again.loaded) == set()
    assert again.models_built < again.models / 4
    assert again.collects
