"""What a trial has shown, and how to have it again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

WRONGS_SHOWN = 60


@dataclass
class Report:
    """One trial's outcome."""

    scenario: str
    seed: int
    seconds: float
    counts: Counter[str] = field(default_factory=Counter)
    wrongs: Sequence[str] = ()
    logs: str = ""  # everybody's last words, where something is wrong

    @property
    def again(self) -> str:
        """Return the command that plays it again."""
        return f"python -m tests.distributed {self.scenario} --seed {self.seed} --seconds {self.seconds:g}"

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in self.counts.items())
        shown = list(self.wrongs[:WRONGS_SHOWN])
        if len(self.wrongs) > WRONGS_SHOWN:
            shown.append(f"and {len(self.wrongs) - WRONGS_SHOWN} more")
        verdict = [f"  WRONG {wrong}" for wrong in shown] or ["  nothing wrong"]
        return "\n".join([f"{self.scenario}: {counts}", *verdict, f"  again: {self.again}"])
