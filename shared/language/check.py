"""Checking a pipeline file by itself: all that can be said of it without its repository's history.

Values that only a push has (the commit, the revision, the sources' ids) are stood in for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from shared.ids import Commit, Pipeline, Repository
from shared.language.definition import Definition
from shared.language.definition_reading import read_definition
from shared.language.discovery import Dialect
from shared.language.scope import Facts, Secrets
from shared.language.synthesis import synthesize
from shared.plan import Problem
from shared.tree import Entry

_SOMETHING = Entry("", "folder", "0" * 40)


@dataclass(frozen=True, slots=True)
class Given:
    """What the caller knows beyond the file."""

    dialect: Dialect = "windlass"
    entries: Mapping[str, Entry | None] | None = None  # of the tree around the file; None: not looked at
    today: date | None = None  # None: windows are not held against the calendar
    secrets: Secrets | None = None  # None: not asked


@dataclass(frozen=True, slots=True)
class Checked:
    """A file and everything that is wrong with it."""

    definition: Definition
    problems: tuple[Problem, ...]

    @property
    def is_valid(self) -> bool:
        """Tell whether a push of it would get a plan, as far as the file decides that."""
        return all(problem.severity == "warning" for problem in self.problems)


def check(file: str, source: bytes, given: Given = Given()) -> Checked:
    """Return what a file says and every problem in it, warnings included. Never raises."""
    definition = read_definition(file, source, given.dialect)
    known = given.entries
    facts = Facts(
        pipeline=Pipeline("pipeline"),
        repository=Repository("repository"),
        remote="",
        branch="main",
        commit=Commit("0" * 40),
        revision=1,
        entries={path: _SOMETHING if known is None else known.get(path) for path in definition.sources},
        pipeline_name=definition.name,
        secrets=given.secrets,
        today=given.today,
        for_deployment=False,
        of_commit=False,
    )
    return Checked(definition, synthesize(definition, facts).problems)
