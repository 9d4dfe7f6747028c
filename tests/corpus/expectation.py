"""What the files of the corpora come to, as texts that a person reviews in a diff.

`wrong/<name>.yaml` is a definition with mistakes, `wrong/<name>.expected` its report; `plans/<name>.yaml`
is a right one, `plans/<name>.json` its plan. The definitions that we show to others have their plans here
too. `python -m tests.corpus.accept` writes what is expected anew.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.language.check import check
from shared.language.definition_reading import read_definition
from shared.language.synthesis import Synthesis, synthesize
from shared.plan import Problem
from tests.corpus.given import circumstances

CORPUS = Path(__file__).parent
ROOT = CORPUS.parents[1]
DEMO = ROOT / "deploy/demo/apps"


@dataclass(frozen=True, slots=True)
class Case:
    """A definition and the file that says what it comes to."""

    expected: Path
    source: bytes

    @property
    def name(self) -> str:
        return self.expected.stem

    def outcome(self) -> str:
        """Return what it comes to now."""
        return report(self.source) if self.expected.suffix == ".expected" else plan(self.source)


def wrong() -> list[Case]:
    """Return the definitions with mistakes."""
    paths = sorted((CORPUS / "wrong").glob("*.yaml"))
    return [Case(path.with_suffix(".expected"), path.read_bytes()) for path in paths]


def right() -> list[Case]:
    """Return the definitions that have a plan."""
    folder = CORPUS / "plans"
    sources = {path.stem: path.read_bytes() for path in sorted(folder.glob("*.yaml"))}
    return [Case(folder / f"{name}.json", source) for name, source in {**sources, **_shown()}.items()]


def _shown() -> Mapping[str, bytes]:
    [readme] = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    apps = {app: DEMO / app / ".windlass" / app / "pipeline.yaml" for app in ("brochure", "greeter")}
    return {"readme": readme.encode(), **{f"demo-{app}": path.read_bytes() for app, path in apps.items()}}


def synthesis(source: bytes) -> Synthesis:
    """Return what a definition comes to in the circumstances that it names."""
    around = circumstances(source)
    definition = read_definition(around.file, source, around.dialect)
    return synthesize(definition, around.facts(definition))


def plan(source: bytes) -> str:
    """Return a definition's plan, and the warnings about it, for people to read."""
    found = synthesis(source)
    assert found.plan, "\n" + "\n".join(_blocks(found.problems, source.decode().split("\n")))
    warnings = [f"{each.line}:{each.column} {each.rule}: {each.message}" for each in found.problems]
    document = {"warnings": warnings, "plan": json.loads(found.plan.canonical())}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def report(source: bytes) -> str:
    """Return every problem of a definition with all that is said of it."""
    around = circumstances(source)
    definition = read_definition(around.file, source, around.dialect)
    checked = check(around.file, source, around.given(definition.sources))
    assert all(problem.file == around.file for problem in checked.problems)
    return "\n".join(_blocks(checked.problems, definition.lines))


def _blocks(problems: Sequence[Problem], lines: Sequence[str]) -> Iterator[str]:
    for problem in problems:
        block = [f"{problem.line}:{problem.column} {problem.severity} {problem.rule}"]
        if 1 <= problem.line <= len(lines):
            under = " " * (problem.column - 1) + "^" * max(len(problem.text), 1)
            block += [f"  | {lines[problem.line - 1]}", f"  | {under}"]
        block.append(f"  message  {problem.message}")
        block += [f"  hint     {problem.hint}"] if problem.hint else []
        block += [f"  text     {problem.text}"] if problem.text else []
        yield "\n".join(block) + "\n"
