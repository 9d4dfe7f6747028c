"""Names that refer to something elsewhere in the file: a step or artifact, by its name or its id."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.language.problem import Place, Problems, nearest, quoted

ID_RULE = "lower-case letters, digits, hyphens and underscores, at most 63"

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")  # of a pipeline or a stage
_NOT_IN_ID = re.compile(r"[^a-z0-9]+")


class Named(Protocol):
    """What can be referred to."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def place(self) -> Place: ...


@dataclass(frozen=True, slots=True)
class References:
    """Everything of one kind, by name and by id."""

    kind: str  # "step"
    ids: dict[str, str]
    is_whole: bool = True  # False: there are more, which could not be read

    def meant(self, text: str) -> str | None:
        """Return the id of what is meant, be it misspelt."""
        return self.ids.get(text) or self.ids.get(nearest(text, list(self.ids)))

    def find(self, text: str, place: Place, problems: Problems) -> str | None:
        """Return the id of what is meant."""
        found = self.ids.get(text)
        if found is None and self.is_whole:
            message = f"there is no {self.kind} {quoted(text)}"
            problems.add_unknown(place, message, text, list(self.ids))
        return found


def id_from(name: str) -> str:
    """Return the id of something that was only given a name; empty if nothing of it can be kept."""
    return _NOT_IN_ID.sub("-", name.lower()).strip("-")[:63].rstrip("-")


def no_id(title: str, place: Place, problems: Problems) -> None:
    """Report something whose name has no letter or digit that an id could be made of."""
    message = f"{title} needs an id: none can be made of its name"
    problems.add(place, message, ID_RULE, "missing-key")


def references(kind: str, items: Sequence[Named], problems: Problems) -> References:
    """Return the references to these; a name or id given twice is reported."""
    ids: dict[str, str] = {}
    names: dict[str, str] = {}
    for item in items:
        if item.name in names:
            message = f"there is another {kind} named {quoted(item.name)}"
            problems.add(item.place, message, "names are unique in a pipeline", "duplicate")
        elif item.id in ids:
            message = f"{kind} {quoted(item.name)} has the id {quoted(item.id)} of another {kind}"
            problems.add(item.place, message, "give one of them an id of its own", "duplicate")
        names.setdefault(item.name, item.id)
        ids.setdefault(item.id, item.id)
    for name, meant in names.items():
        if ids.get(name, meant) != meant:
            place = next(item.place for item in items if item.name == name)
            message = f"{quoted(name)} names one {kind} and is the id of another"
            problems.add(place, message, "give one of them an id of its own", "duplicate")
    return References(kind, names | ids)
