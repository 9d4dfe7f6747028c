"""What a file of the corpora is judged with: its first lines may say so, as comments.

# given: dialect devramps
# given: today 2026-11-22
# given: secrets organization NPM_TOKEN
# given: secrets staging DB_PASSWORD
# given: nothing at /web
# given: tag v1.2.0
# given: organization slug acme
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha1
from typing import cast

from shared.ids import Commit, Pipeline, Repository
from shared.language.check import Given
from shared.language.definition import Definition
from shared.language.discovery import Dialect
from shared.language.scope import Facts, Secrets
from shared.tree import Entry

FILES: Mapping[Dialect, str] = {
    "windlass": ".windlass/shop/pipeline.yaml",
    "devramps": ".devramps/shop/pipeline.yaml",
}
_MARK = "# given: "


@dataclass(slots=True)
class Circumstances:
    """What is known beyond the file."""

    dialect: Dialect = "windlass"
    today: date | None = None
    secrets: dict[str, set[str]] = field(default_factory=dict)  # by their owner; empty: not asked
    absent: set[str] = field(default_factory=set)  # sources that the commit does not have
    tag: str = ""
    organization: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        return FILES[self.dialect]

    def given(self, sources: tuple[str, ...]) -> Given:
        """Return what `check` is told."""
        return Given(self.dialect, self._entries(sources), self.today, self._secrets())

    def facts(self, definition: Definition) -> Facts:
        """Return what `synthesize` is told, the same for every file."""
        return Facts(
            pipeline=Pipeline("shop"),
            repository=Repository("acme/shop"),
            remote="https://git.example/acme/shop.git",
            branch="" if self.tag else "main",
            commit=Commit("c0ffee" * 6 + "c0ff"),
            revision=42,
            entries=self._entries(definition.sources),
            pipeline_name=definition.name,
            tag=self.tag,
            organization=self.organization or None,
            secrets=self._secrets(),
            today=self.today,
            for_deployment=False,
        )

    def _entries(self, sources: tuple[str, ...]) -> dict[str, Entry | None]:
        return {path: None if path in self.absent else _entry(path) for path in sources}

    def _secrets(self) -> Secrets | None:
        if not self.secrets:
            return None
        owners = {owner: frozenset(names) for owner, names in self.secrets.items()}
        return Secrets(owners.pop("organization", frozenset()), owners)


def circumstances(source: bytes) -> Circumstances:
    """Return what the first lines of a file say."""
    found = Circumstances()
    for kind, words in _said(source.decode()):
        match kind, words:
            case "dialect", [dialect]:
                found.dialect = cast("Dialect", dialect)
            case "today", [today]:
                found.today = date.fromisoformat(today)
            case "secrets", [owner, *names]:
                found.secrets.setdefault(owner, set()).update(names)
            case "nothing", ["at", path]:
                found.absent.add(path)
            case "tag", [tag]:
                found.tag = tag
            case "organization", [name, value]:
                found.organization[name] = value
            case _:
                raise ValueError(f"not a circumstance: {kind} {words}")
    return found


def _said(text: str) -> Iterator[tuple[str, list[str]]]:
    for line in text.split("\n"):
        if not line.startswith(_MARK):
            return
        kind, *words = line.removeprefix(_MARK).split()
        yield kind, words


def _entry(path: str) -> Entry:
    return Entry(path.removeprefix("/"), "folder", sha1(path.encode()).hexdigest())
