"""What was expected, and what was seen instead or as well."""

from dataclasses import asdict, dataclass, field
from typing import Any


class Unmet(Exception):  # noqa: N818 - named for what is the case
    """What an act waits for has not come about; without it there is nothing more to see."""


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation of an act."""

    expected: str
    observed: str
    met: bool


@dataclass(slots=True)
class Act:
    """One act and what came of it."""

    number: int
    title: str
    checks: list[Check] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def met(self) -> bool:
        """Tell whether all of it was observed."""
        return bool(self.checks) and all(check.met for check in self.checks)


@dataclass(slots=True)
class Report:
    """All acts, in order."""

    acts_expected: int
    acts: list[Act] = field(default_factory=list)
    seconds: float = 0.0
    trouble: str = ""  # what ended the demo before its time

    @property
    def met(self) -> bool:
        """Tell whether everything was observed."""
        played = len(self.acts) == self.acts_expected
        return played and not self.trouble and all(act.met for act in self.acts)

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        acts = [{**asdict(act), "met": act.met, "seconds": round(act.seconds, 2)} for act in self.acts]
        return {"met": self.met, "seconds": round(self.seconds, 2), "trouble": self.trouble, "acts": acts}
