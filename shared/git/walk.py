"""Looking for commits in another's history, step by step."""

from collections import deque
from dataclasses import dataclass, field

from shared.ids import Commit


@dataclass(slots=True)
class Walk:
    """A walk from one commit towards its ancestors; for the next question it goes on where it stopped."""

    start: Commit
    is_cut_off: bool = False  # something on the way was not here; it may be later
    _waiting: deque[str] = field(default_factory=deque)
    _seen: set[str] = field(default_factory=set)
    _told: set[str] = field(default_factory=set)  # of others it was found out in another way

    def __contains__(self, commit: Commit) -> bool:
        """Tell whether it has come across the commit; where it has not, nothing is said."""
        return commit in self._seen or commit in self._told

    def __len__(self) -> int:
        return len(self._seen) + len(self._told)

    def __post_init__(self) -> None:
        self.go_on_to((self.start,))

    @property
    def over(self) -> bool:
        """Tell whether there is nowhere left to go."""
        return not self._waiting

    def tell(self, commit: Commit) -> None:
        """Note that the commit lies somewhere on the way."""
        self._told.add(commit)

    def next(self) -> str:
        """Return the commit to look at."""
        return self._waiting.popleft()

    def go_on_to(self, parents: tuple[str, ...]) -> None:
        """Take in where the way leads from the commit looked at."""
        new = [parent for parent in parents if parent not in self._seen]
        self._waiting.extend(new)
        self._seen.update(new)
