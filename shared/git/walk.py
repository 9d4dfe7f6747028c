"""Looking for one commit in another's history, step by step."""

from collections import deque
from dataclasses import dataclass, field

from shared.ids import Commit


@dataclass(slots=True)
class Walk:
    """A walk from one commit towards its ancestors, in search of another."""

    start: Commit
    wanted: Commit
    _waiting: deque[str] = field(default_factory=deque)
    _seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.go_on_to((self.start,))

    @property
    def over(self) -> bool:
        """Tell whether there is nowhere left to go."""
        return not self._waiting

    def next(self) -> str:
        """Return the commit to look at."""
        return self._waiting.popleft()

    def go_on_to(self, parents: tuple[str, ...]) -> None:
        """Take in where the way leads from the commit looked at."""
        new = [parent for parent in parents if parent not in self._seen]
        self._waiting.extend(new)
        self._seen.update(new)
