"""The repository against the rules that linters cannot say (`tidy_rules.py`), and the rules against
samples, so that a rule that has stopped working is noticed.
"""

import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path, PurePosixPath

import pytest

from tests import tidy_rules as rules
from tests.tidy_rules import RULES, Module, Rule

ROOT = Path(__file__).resolve().parents[1]

# The top level is a table of contents: what is added to it is decided, not left there.
TOP_LEVEL = {
    "benchmarks", "CHANGELOG.md", "compose.yaml", "CONTRIBUTING.md", "deploy", "docs", "LICENSE",
    "Makefile", "pyproject.toml", "README.md", "services", "shared", "tests",
}  # fmt: skip
# One worker reads the code, and forgets it: syntax trees kept in memory slow down whatever runs behind them.
pytestmark = [pytest.mark.xdist_group("tidy"), pytest.mark.timeout(300)]

NOT_TEXT = {".gz", ".ico", ".png", ".tar", ".woff2"}
LOCKS = PurePosixPath("deploy/locks")


@cache
def files() -> tuple[PurePosixPath, ...]:
    """Return every file that is, or would be, in the repository."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    paths = (PurePosixPath(name) for name in listed.split("\0") if name)
    return tuple(sorted(path for path in set(paths) if (ROOT / path).is_file()))


@cache
def modules() -> tuple[Module, ...]:
    """Return every Python file but the sample applications, which stand for a user's own code."""
    ours = (p for p in files() if p.suffix == ".py" and not p.is_relative_to("deploy/demo/apps"))
    return tuple(Module(str(path), (ROOT / path).read_text(encoding="utf-8")) for path in ours)


@pytest.fixture(scope="module", autouse=True)
def read_once() -> Iterator[None]:
    """Keep what was read of the repository for as long as it is looked at."""
    yield
    modules.cache_clear()
    files.cache_clear()


def refuse(offences: Iterable[str]) -> None:
    """Fail with every offence on a line of its own, as an editor can jump to it."""
    found = list(offences)
    assert not found, "\n".join(["", *found])


def adapters_without_a_double() -> Iterator[str]:
    """Yield adapters that no contract test imports and that have no fake beside them."""
    contracts = {n for m in modules() if m.lies_in(("tests/contract/",)) for n in m.names.values()}
    for module in modules():
        path = PurePosixPath(module.path)
        if path.parent.name == "adapters" and path.stem not in {"__init__", "fakes"}:
            dotted = ".".join(path.with_suffix("").parts)
            tested = any(name.startswith(dotted) for name in contracts)
            if not tested and path.with_name("fakes.py") not in files():
                yield f"{module.path}: no contract test imports it and no fakes.py lies beside it"


def test_the_top_level_holds_only_what_belongs_there() -> None:
    found = {path.parts[0] for path in files() if not path.parts[0].startswith(".")}
    assert found - TOP_LEVEL == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_module_breaks_a_rule(rule: Rule) -> None:
    refuse(chain.from_iterable(map(rule, modules())))


def test_no_file_names_a_machine_a_registry_or_a_chore_without_an_issue() -> None:
    texts = (p for p in files() if p.suffix not in NOT_TEXT and not p.is_relative_to(LOCKS))
    refuse(o for p in texts for o in rules.text_offences(str(p), (ROOT / p).read_text("utf-8")))


def test_no_lock_names_a_registry() -> None:
    locks = [p for p in files() if p.is_relative_to(LOCKS)]
    assert locks
    assert [p for p in locks if "://" in (ROOT / p).read_text(encoding="utf-8")] == []


def test_every_adapter_has_a_fake_or_a_contract() -> None:
    refuse(adapters_without_a_double())


def test_every_folder_of_code_is_a_package() -> None:
    folders = {PurePosixPath(m.path).parent for m in modules() if m.lies_in(("services/", "shared/"))}
    assert [str(f) for f in sorted(folders) if f / "__init__.py" not in files()] == []


# fmt: off
BROKEN = [
    (rules.sizes, "shared/a.py", "\n" * 401),
    (rules.sizes, "shared/a.py", "def f():\n" + "    g()\n" * 51),
    (rules.sizes, "shared/a.py", "def f(a, b, c, d, *, e, g, h): ..."),
    (rules.sizes, "shared/a.py", "def f():\n if a:\n  for b in c:\n   with d:\n    while e:\n     if h: g()"),
    (rules.names, "shared/utils.py", ""),
    (rules.names, "shared/helpers/a.py", ""),
    (rules.names, "shared/a.py", "class RunManager: ..."),
    (rules.names, "shared/a.py", "class AbstractStore: ..."),
    (rules.seams, "shared/a.py", "import time\ntime.time()"),
    (rules.seams, "shared/a.py", "from time import time as t\nt()"),
    (rules.seams, "shared/a.py", "from datetime import UTC, datetime\ndatetime.now(UTC)"),
    (rules.seams, "shared/a.py", "import asyncio\nasync def f(): await asyncio.sleep(1)"),
    (rules.seams, "shared/a.py", "from uuid import uuid4\nfield(default_factory=uuid4)"),
    (rules.seams, "shared/a.py", "import random\nrandom.choice([])"),
    (rules.seams, "shared/a.py", "import secrets\nsecrets.token_hex()"),
    (rules.seams, "shared/a.py", "import threading\nthreading.Thread(target=f)"),
    (rules.seams, "shared/a.py", "from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor()"),
    (rules.seams, "services/ingest/app.py", "import os\nos.environ['HOME']"),
    (rules.seams, "services/ingest/app.py", "from os import getenv\ngetenv('HOME')"),
    (rules.sleeping_tests, "tests/unit/test_a.py", "import time\ntime.sleep(0.1)"),
    (rules.shells, "shared/a.py", "import subprocess\nsubprocess.run(a, shell=True)"),
    (rules.shells, "shared/a.py", "import os\nos.system(a)"),
    (rules.shells, "shared/a.py", "from asyncio import create_subprocess_shell as c\nc(a)"),
    (rules.states, "services/deployer/a.py", "if run.state == State.FAILED: ..."),
    (rules.states, "services/deployer/a.py", "x = 1 if old_state is FAILED else 2"),
    (rules.states, "services/deployer/a.py", "match run.state:\n case 1: ..."),
    (rules.broad_excepts, "services/deployer/a.py", "try: f()\nexcept (OSError, Exception): ..."),
    (rules.broad_excepts, "services/deployer/a.py", "try: f()\nexcept: ..."),
    (rules.core, "services/deployer/stage_queue.py", "async def admit(): ..."),
    (rules.docstrings, "shared/a.py", "x = 1"),
    (rules.service_packages, "services/deployer/__init__.py", ""),
    (rules.service_packages, "services/deployer/__init__.py", '"""Hears a, says b."""'),
    (rules.service_packages, "services/deployer/__init__.py", '"""Hears, says, owns."""\nx = 1'),
    (rules.skips, "tests/unit/test_a.py", "import pytest\n@pytest.mark.skipif(True)\ndef test_a(): ..."),
    (rules.skips, "tests/unit/test_a.py", "from pytest import importorskip\nimportorskip('a')"),
    (rules.acknowledgements, "shared/a.py", "broker.subscriber('a', group_id='b')(take)"),
    (rules.acknowledgements, "shared/a.py", "@broker.subscriber('a')\nasync def take(): ..."),
    (rules.acknowledgements, "shared/a.py", "self.broker.subscriber('a', ack_policy=EMPTY)"),
    (rules.acknowledgements, "shared/a.py", "from faststream.kafka import KafkaBroker as K\nK('a')"),
    (rules.sentences, "tests/unit/test_a.py", "def test_queue(): ..."),
]
KEPT = [
    (rules.sizes, "shared/a.py", 'def f(self, a):\n    """' + "\n" * 60 + '"""\n    g()'),
    (rules.sizes, "shared/a.py", "def f():\n if a: ...\n" + " elif b: ...\n" * 5),
    (rules.names, "shared/database.py", "from sqlalchemy import Engine"),
    (rules.seams, "shared/clock.py", "import time\ntime.time()"),
    (rules.seams, "services/ingest/settings.py", "import os\nos.environ['HOME']"),
    (rules.seams, "shared/a.py", "import asyncio\nasync def f(): await asyncio.sleep(0)"),
    (rules.seams, "shared/a.py", "'time.time()'  # time.time()"),
    (rules.sleeping_tests, "tests/e2e/test_a.py", "import time\ntime.sleep(0.1)"),
    (rules.states, "services/deployer/run_state.py", "TRANSITIONS = {}\nif state == 1: ..."),
    (rules.states, "services/deployer/store.py", "update.where(tables.runs.c.state == run.state)"),
    (rules.states, "services/deployer/a.py", "if run.state in TERMINAL or state is None: ..."),
    (rules.broad_excepts, "shared/delivery.py", "try: f()\nexcept Exception: ..."),
    (rules.broad_excepts, "shared/a.py", "try: f()\nexcept BaseException:\n    g()\n    raise"),
    (rules.core, "services/deployer/a.py", "class A(Protocol):\n    async def f(self) -> None: ..."),
    (rules.core, "services/deployer/handlers.py", "async def revision_planned(): ..."),
    (rules.service_packages, "services/deployer/__init__.py", '"""Hears a, says b, owns c."""'),
    (rules.acknowledgements, "shared/a.py", "broker.subscriber('a', ack_policy=AckPolicy.MANUAL)"),
    (rules.sentences, "tests/unit/test_a.py", "def test_the_newest_wins(): ..."),
]
# fmt: on


@pytest.mark.parametrize(("rule", "path", "source"), BROKEN)
def test_a_rule_refuses_what_it_is_there_for(rule: Rule, path: str, source: str) -> None:
    assert list(rule(Module(path, source))) != []


@pytest.mark.parametrize(("rule", "path", "source"), KEPT)
def test_a_rule_lets_the_rest_pass(rule: Rule, path: str, source: str) -> None:
    assert list(rule(Module(path, source))) == []


@pytest.mark.parametrize(
    "line",
    ["see /work" + "/main", "https://pypi" + ".org/simple", "# TO" + "DO later", "x  # FIX" + "ME: y"],
)
def test_a_text_is_refused_for_what_belongs_elsewhere(line: str) -> None:
    assert list(rules.text_offences("docs/a.md", line)) != []


@pytest.mark.parametrize("line", ["shared/work/claim.py", "# TODO #12: later", "a to-do list"])
def test_a_text_may_say_the_rest(line: str) -> None:
    assert list(rules.text_offences("docs/a.md", line)) == []
