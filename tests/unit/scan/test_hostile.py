"""Trees made to break a scan: it answers, within its limits, and says what it left."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.scan import MemoryTree, Scan, scan
from shared.scan.tree import DEPTH_MAX, FILE_BYTES_MAX, FILES_MAX, READ_BYTES_MAX, READS_MAX, SERVICES_MAX
from tests.unit.scan import corpus

# Every file that any rule reads.
READ = (
    ".nvmrc", ".tool-versions", "Cargo.toml", "Dockerfile", "Gemfile", "Pipfile", "Procfile", "Staticfile",
    "_config.yml", "a.csproj", "a.sln", "angular.json", "app.py", "astro.config.mjs", "build.gradle",
    "build.gradle.kts", "composer.json", "config.toml", "config/puma.rb", "config/runtime.exs", "deno.jsonc",
    "docker-compose.yml", "global.json", "go.mod", "go.work", "hugo.toml", "index.js", "index.php",
    "lerna.json", "main.go", "main.py", "main.ts", "manage.py", "mise.toml", "mix.exs", "mkdocs.yml",
    "next.config.js", "nx.json", "package.json", "pnpm-workspace.yaml", "pom.xml", "project.json",
    "pubspec.yaml", "pyproject.toml", "requirements.txt", "runtime.txt", "rust-toolchain.toml", "server.js",
    "settings.gradle", "setup.py", "src/main.rs", "src/main/resources/application.properties", "turbo.json",
    "vite.config.ts",
)  # fmt: skip
SIZE = 40_000
PAYLOADS = {
    "brackets": "[" * SIZE,
    "objects": '{"a":' * (SIZE // 5),
    "quotes": '"' * SIZE,
    "escaped quotes": '\\"' * (SIZE // 2),
    "comments that never end": "/*" * (SIZE // 2),
    "XML comments that never end": "<!--" * (SIZE // 4),
    "XML that never closes": "<dependencies>" * (SIZE // 14),
    "XML entities": '<!DOCTYPE a [<!ENTITY b "&c;&c;">]>' + "&b;" * (SIZE // 3),
    "aliases": "&a *a " * (SIZE // 6),
    "dotted keys": "a." * 1_900 + "b = 1",
    "tables": "[[a]]\n" * (SIZE // 6),
    "a file that includes itself": "-r requirements.txt\n" * (SIZE // 20),
    "dashes": "- " * (SIZE // 2),
    "zeros": "\0" * SIZE,
    "lines": "\n" * SIZE,
    "blanks": " " * SIZE,
    "ports": 'port = env("PORT" .listen( "0.0.0.0: ' * (SIZE // 40),
    "digits": "1" * SIZE,
    "merge keys": "<<: " * (SIZE // 4),
    "continued lines": "FROM a \\\n" * (SIZE // 9),
    "commas": "," * SIZE,
    "half a character": "\udcff" * 100,
}


@dataclass
class Watched:
    """A tree that counts what it is asked for."""

    files: dict[str, str]
    reads: list[tuple[str, int]] = field(default_factory=list)

    def paths(self) -> Iterable[str]:
        return self.files

    def read(self, path: str, bytes_max: int) -> bytes | None:
        self.reads.append((path, bytes_max))
        return MemoryTree(self.files).read(path, bytes_max)


def rules(found: Scan) -> set[str]:
    return {caution.rule for caution in found.warnings}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_nonsense_in_every_file_is_no_end_of_the_scan(payload: str) -> None:
    found = scan(MemoryTree(dict.fromkeys(READ, payload)))
    assert found.files == len(READ)
    assert len(found.services) <= 1


@pytest.mark.parametrize("content", ["[]", "null", '"text"', "3", "{}", '{"scripts": []}', "true", ""])
def test_files_of_the_wrong_kind_are_read_as_if_they_were_empty(content: str) -> None:
    assert scan(MemoryTree(dict.fromkeys(READ, content))).files == len(READ)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("package.json", "{"),
        ("pyproject.toml", "[project"),
        ("docker-compose.yml", "a: [b"),
        ("deno.jsonc", "{ /* "),
        ("Cargo.toml", "a = 1\na = 2"),
        ("mkdocs.yml", "a: b: c"),
        ("angular.json", "[" * 100_000),
        ("composer.json", '{"require": ' + "1" * 10_000 + "}"),
    ],
)
def test_a_broken_file_is_told_by_its_name(file: str, content: str) -> None:
    files = {"package.json": '{"dependencies": {"@angular/core": "19"}}', file: content}
    told = [each for each in scan(MemoryTree(files)).warnings if each.rule == "unreadable"]
    assert [each.file for each in told] == [file]
    assert told[0].hint


def test_a_file_that_is_too_large_is_told_and_not_parsed() -> None:
    tree = Watched({"package.json": '{"name": "' + "x" * FILE_BYTES_MAX + '"}'})
    assert "too-large" in rules(scan(tree))
    assert max(size for _, size in tree.reads) == FILE_BYTES_MAX


def test_each_file_is_read_once() -> None:
    for name in corpus.names():
        tree = Watched({path: content or "" for path, content in corpus.load(name)["files"].items()})
        scan(tree)
        paths = [path for path, _ in tree.reads]
        assert len(set(paths)) == len(paths), name


def test_files_that_tell_nothing_are_not_read() -> None:
    tree = Watched({f"src/part{number % 50}/file{number}.ts": "" for number in range(20_000)})
    assert scan(tree).files == 20_000
    assert tree.reads == []


def test_more_files_than_are_looked_over_are_told() -> None:
    files = {f"d{number % 100}/f{number}": "" for number in range(FILES_MAX + 1)}
    found = scan(MemoryTree(files))
    assert (found.complete, found.files) == (False, FILES_MAX)
    assert "limit" in rules(found)


def test_reads_have_an_end_that_is_told() -> None:
    tree = Watched({f"a{number}/package.json": '{"main": "a.js"}' for number in range(READS_MAX * 2)})
    found = scan(tree)
    assert len(tree.reads) == READS_MAX
    assert not found.complete


def test_bytes_have_an_end_that_is_told() -> None:
    size = FILE_BYTES_MAX - 10
    tree = Watched({f"a{number}/pom.xml": "x" * size for number in range(READ_BYTES_MAX // size + 20)})
    found = scan(tree)
    assert len(tree.reads) * size < READ_BYTES_MAX + FILE_BYTES_MAX
    assert not found.complete


def test_services_have_an_end_that_is_told() -> None:
    found = scan(
        MemoryTree({f"a/s{number}/Dockerfile": "FROM scratch" for number in range(SERVICES_MAX + 5)})
    )
    assert len(found.services) == SERVICES_MAX
    assert not found.complete


def test_what_lies_too_deep_is_no_service() -> None:
    deep = "/".join("abcdefghij"[:DEPTH_MAX])
    assert scan(MemoryTree({f"{deep}/Dockerfile": "FROM a"})).services[0].root == deep
    assert scan(MemoryTree({f"{deep}/k/Dockerfile": "FROM a"})).shape is None
    assert scan(MemoryTree({"a/" * 50_000 + "Dockerfile": "FROM a"})).shape is None


@pytest.mark.parametrize(
    "path",
    ["a\nb/Dockerfile", "\udcff/Dockerfile", "\x1b[2J/Dockerfile", "/etc/Dockerfile", "../Dockerfile",
     "a/../Dockerfile", "a//Dockerfile", "", "/", "a/"],
)  # fmt: skip
def test_odd_paths_are_no_services(path: str) -> None:
    tree = Watched({path: "FROM a"})
    assert scan(tree).shape is None
    assert tree.reads == []


def test_odd_names_are_counted_and_told() -> None:
    found = scan(MemoryTree({"a\nb": "", "\udcff": "", "index.html": ""}))
    told = [each.message for each in found.warnings if each.rule == "odd-name"]
    assert told == ["2 files were not looked at: a control character or half a character is in their names"]
    assert found.shape == "static"


class Vanishing:
    """A tree whose files are gone when they are read."""

    def paths(self) -> Iterator[str]:
        yield from READ

    def read(self, path: str, bytes_max: int) -> bytes | None:
        del path, bytes_max
        return None


def test_files_that_vanish_are_read_as_if_they_were_empty() -> None:
    assert scan(Vanishing()).files == len(READ)


LINES = st.sampled_from([
    '"dependencies": {"express": 1, "next": null}', "scripts", "services:\n  web: {build: {context: 3}}",
    "[project]\nname = 3", "web: a $PORT 'b", "module \"x", "go 1.x\nuse (\n..", "<packaging>", "PORT=99999",
    "[tool.uv.workspace]\nmembers = [\"**\", 3]", "packages: ['../*', '!**', '**/**/**']", "EXPOSE $PORT",
    "app = Flask(", "listen(0)", "FROM", "CMD [", "gem 'rails'", "include(':a:b')", "outDir: '../../..'",
])  # fmt: skip
CONTENTS = st.lists(st.one_of(LINES, st.text(max_size=40)), max_size=5).map("\n".join)
PATHS = st.builds("{}{}".format, st.sampled_from(["", "a/", "apps/b/", "packages/c/"]), st.sampled_from(READ))


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.one_of(PATHS, st.text(max_size=20)), CONTENTS, max_size=12))
def test_no_tree_makes_a_scan_raise(files: dict[str, str]) -> None:
    found = scan(MemoryTree(files))
    assert found == scan(MemoryTree(files))
    for service in found.services:
        assert service.step or service.step_reason
        assert ".." not in service.output.split("/")
