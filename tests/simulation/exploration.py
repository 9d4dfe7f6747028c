"""What many seeds came to together."""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.simulation import tally
from tests.simulation.trial import Outcome, play


@dataclass
class Exploration:
    """Seeds, and all that took place in them."""

    seeds: int = 0
    virtual_seconds: float = 0.0
    cpu_seconds: float = 0.0
    events: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Add what came of a seed."""
        self.seeds += 1
        self.virtual_seconds += outcome.virtual_seconds
        self.cpu_seconds += outcome.cpu_seconds
        self.events += outcome.events
        self.counts.update(outcome.counts)

    @property
    def told(self) -> str:
        """Return it in a line."""
        hours = self.virtual_seconds / 3600
        faults = sum(count for name, count in self.counts.items() if name.startswith("fault: "))
        return (
            f"simulation: {self.seeds:,} seeds, {hours:,.0f} virtual hours, {self.events:,} events, "
            f"{faults:,} faults; {hours / self.cpu_seconds:,.0f} virtual hours a second of a core"
        )

    def missing(self) -> list[str]:
        """Return what occurred too seldom to prove anything."""
        return tally.missing(self.counts)

    def write(self, file: Path) -> None:
        """Keep it for whoever adds up."""
        written = file.with_suffix(".part")
        written.write_text(json.dumps(vars(self)))
        written.rename(file)

    def read(self, file: Path) -> None:
        """Add what somebody kept."""
        kept: dict[str, Any] = json.loads(file.read_text())
        self.counts.update(kept.pop("counts"))
        for name, value in kept.items():
            setattr(self, name, getattr(self, name) + value)


def play_briefly(seed: int) -> Outcome:
    """Play a seed and leave its story out, which is long."""
    return replace(play(seed), story="")
