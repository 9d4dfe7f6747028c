"""Every small repository of the corpus, and what must hold for all of them."""

import json
import shlex
from collections.abc import Iterable
from typing import get_args

import pytest

from shared.scan import MemoryTree, PartialTree, Scan, Shape, document, scan
from tests.unit.scan import corpus

NAMES = corpus.names()


def found_in(name: str) -> tuple[Scan, dict[str, str]]:
    files = corpus.load(name)["files"]
    return corpus.scanned(files), files


@pytest.mark.parametrize("name", NAMES)
def test_a_scan_says_exactly_what_is_expected(name: str) -> None:
    tree = corpus.load(name)
    assert corpus.told(corpus.scanned(tree["files"])) == tree["scan"]


@pytest.mark.parametrize("name", NAMES)
def test_every_fact_names_a_file_that_is_there(name: str) -> None:
    found, files = found_in(name)
    facts = {"build_commands", "dockerfile", "framework", "output", "port", "start_command", "static_hint"}
    for service in found.services:
        assert {each.file for each in service.evidence} <= set(files)
        told = {fact for fact in facts if getattr(service, fact)}
        assert told <= {each.fact for each in service.evidence}


@pytest.mark.parametrize("name", NAMES)
def test_the_order_in_which_files_are_listed_changes_nothing(name: str) -> None:
    found, files = found_in(name)
    backwards = MemoryTree({path: content or "" for path, content in reversed(files.items())})
    assert scan(backwards, corpus.NAME) == found


@pytest.mark.parametrize("name", NAMES)
def test_what_a_local_step_is_given_can_be_run_without_a_shell_of_ours(name: str) -> None:
    for service in found_in(name)[0].services:
        if service.step == "LOCAL:SERVICE:DEPLOY":
            words = shlex.split(service.start_command)
            assert words
            shell = words[:2] == ["sh", "-c"]
            assert shell or not any(mark in each for each in words for mark in "$&|<>`*")
            assert service.port_given in {"variable", "unknown"}
            assert service.bundle == service.commands_in
        elif service.step:
            assert service.bundle == service.output != ""
        else:
            assert service.step_reason


@pytest.mark.parametrize("name", NAMES)
def test_the_document_is_plain_json(name: str) -> None:
    found = found_in(name)[0]
    read_back = json.loads(json.dumps(document(found)))
    assert read_back["version"] == "1"
    assert [each["name"] for each in read_back["services"]] == [each.name for each in found.services]


def test_a_tree_that_is_fetched_bit_by_bit_gives_the_same_in_a_few_rounds() -> None:
    for name in NAMES:
        found, files = found_in(name)
        whole = MemoryTree({path: content or "" for path, content in files.items()})
        part = PartialTree(list(files))
        rounds, last = 1, scan(part, corpus.NAME)
        while part.wanted:
            part.contents |= {path: whole.read(path, size) for path, size in part.wanted.items()}
            rounds, last = rounds + 1, scan(part, corpus.NAME)
        assert rounds <= 6, name
        assert last == found


def test_names_are_unique_and_fit_for_a_step() -> None:
    for name in NAMES:
        names = [service.name for service in found_in(name)[0].services]
        assert len(set(names)) == len(names)
        assert all(each.replace("-", "").isalnum() and each == each.lower() for each in names)


def test_the_corpus_covers_every_shape_and_language() -> None:
    scans = [found_in(name)[0] for name in NAMES]
    assert len(scans) >= 45
    assert {found.shape for found in scans} == {*get_args(Shape), None}
    languages = set(_values(scans, "language"))
    assert languages >= {"bun", "deno", "dotnet", "elixir", "go", "html", "java", "kotlin", "node", "php",
                         "python", "ruby", "rust", "unknown"}  # fmt: skip
    hints = set(_values(scans, "static_hint"))
    assert hints >= {"vite", "cra", "vue", "angular", "svelte", "astro", "next-export", "static-html"}
    managers = set(_values(scans, "package_manager"))
    assert managers >= {"bun", "bundler", "cargo", "composer", "go", "gradle", "maven", "npm", "pdm", "pip",
                        "pipenv", "pnpm", "poetry", "uv", "yarn"}  # fmt: skip


def _values(scans: Iterable[Scan], fact: str) -> Iterable[str]:
    return (getattr(service, fact) for found in scans for service in found.services)
