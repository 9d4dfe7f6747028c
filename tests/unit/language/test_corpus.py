"""The corpora: every wrong definition has exactly its report, every right one exactly its plan."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.plan import Plan
from tests.corpus.expectation import CORPUS, ROOT, Case, right, synthesis, wrong

WRONG = wrong()
RIGHT = right()
ACCEPT = "review, then: python -m tests.corpus.accept"


def by_name(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", WRONG, ids=by_name)
def test_a_wrong_definition_has_exactly_its_report(case: Case) -> None:
    report = case.outcome()
    assert report == case.expected.read_text("utf-8"), ACCEPT
    assert " error " in report or " warning " in report


@pytest.mark.parametrize("case", RIGHT, ids=by_name)
def test_a_right_definition_has_exactly_its_plan(case: Case) -> None:
    assert case.outcome() == case.expected.read_text("utf-8"), ACCEPT


def test_the_corpora_are_as_large_as_they_have_to_be_and_hold_no_orphans() -> None:
    assert len(WRONG) >= 80
    assert len(RIGHT) >= 25
    kept = {case.expected for case in (*WRONG, *RIGHT)} | set(CORPUS.glob("*/*.yaml"))
    found = {path for folder in ("plans", "wrong") for path in (CORPUS / folder).iterdir()}
    assert found == kept


def test_ten_mistakes_seeded_into_the_devramps_example_are_all_told_at_once() -> None:
    [case] = [case for case in WRONG if case.name == "ten-mistakes-in-the-devramps-example"]
    lines = case.source.decode().split("\n")
    errors = [found for found in _problems(case) if found[1] == "error"]
    assert [lines[line - 1].strip() for line, _ in errors] == [
        "pipeline_updates_require_approval: DESTRUCTIVE",
        "account_id: 100000000001",
        "variables: {tier: beta, api_host: beta.shop.example}",
        "skip: [soke]",
        "architecture: linux/arm",
        "dockerfile: server.Dockerfile",
        "image: ${{ stage.artifacts.sever.image_url }}",
        "goes_after: [infar]",
        "params: {testCommand: npm run smoke, testType: mocha, workingDirectory: ./web, timeout: 10}",
        "release: [{on: pr_closed}, {on: timeout}]",
    ]


def _problems(case: Case) -> list[tuple[int, str]]:
    return [(found.line, found.severity) for found in synthesis(case.source).problems]


@pytest.mark.parametrize("case", RIGHT, ids=by_name)
def test_what_is_reviewed_is_the_plan_to_the_byte(case: Case) -> None:
    found = synthesis(case.source).plan
    assert found
    shown = json.loads(case.expected.read_text("utf-8"))["plan"]
    canonical = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    assert found.canonical() == canonical.encode()
    assert Plan.model_validate(shown) == found


def _reversed(value: Any, key: str = "") -> Any:
    """Return mappings in another order, but for `artifacts`: theirs is that in which people see them."""
    if isinstance(value, dict):
        entries = list(value.items())
        return {
            name: _reversed(each, name) for name, each in (entries if key == "artifacts" else entries[::-1])
        }
    return [_reversed(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("case", RIGHT, ids=by_name)
def test_the_order_of_keys_makes_no_difference(case: Case) -> None:
    lines = case.source.decode().splitlines(keepends=True)
    given = "".join(line for line in lines if line.startswith("# given:"))
    turned = yaml.safe_dump(_reversed(_texts(case.source)), sort_keys=False, allow_unicode=True)
    plan, other = synthesis(case.source).plan, synthesis((given + turned).encode()).plan
    assert plan
    assert other
    assert plan.canonical() == other.canonical()


def _texts(source: bytes) -> Any:
    return yaml.load(source, Loader=_AsWritten)


class _AsWritten(yaml.SafeLoader):
    """Makes no difference between a number and its text but the quotes, which the dump puts back."""


class _Plain(str):
    """A word that stood without quotes."""

    __slots__ = ()


def _scalar(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return node.value if node.style in {"'", '"', "|", ">"} else _Plain(node.value)


def _written(dumper: yaml.SafeDumper, word: _Plain) -> yaml.ScalarNode:
    node: yaml.ScalarNode = dumper.represent_scalar("tag:yaml.org,2002:str", str(word))
    node.tag = dumper.resolve(yaml.ScalarNode, str(word), (True, False))  # type: ignore[no-untyped-call]
    return node


_AsWritten.yaml_implicit_resolvers = {}
_AsWritten.add_constructor("tag:yaml.org,2002:str", _scalar)
yaml.SafeDumper.add_representer(_Plain, _written)


PRINT_HASHES = """
from tests.corpus.expectation import right, synthesis
for case in right():
    print(case.name, synthesis(case.source).plan.content_hash())
"""

SURROUNDINGS: Mapping[str, Mapping[str, str]] = {
    "one": {"PYTHONHASHSEED": "1", "TZ": "Asia/Kolkata", "LC_ALL": "C", "PYTHONUTF8": "0"},
    "another": {
        "PYTHONHASHSEED": "4242",
        "TZ": "America/St_Johns",
        "LC_ALL": "C.UTF-8",
        "LANG": "tr_TR.UTF-8",
    },
}


@pytest.mark.parametrize("surrounding", SURROUNDINGS.values(), ids=list(SURROUNDINGS))
def test_plans_do_not_depend_on_where_they_are_made(surrounding: Mapping[str, str], tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-c", PRINT_HASHES],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **surrounding},
        capture_output=True,
        check=True,
        text=True,
    )
    here = [f"{case.name} {plan.content_hash()}" for case in RIGHT if (plan := synthesis(case.source).plan)]
    assert made.stdout.splitlines() == here
