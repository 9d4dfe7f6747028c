"""How long a stage stands idle between two steps, and between two runs: `python -m benchmarks.handover`.

A real `windlass up`, real git, signed pushes, one stage of six steps that only tell the time. Read from the
steps' own clocks: from a step's last line to the first line of the next one's process. Between two runs the
later one is queued before the earlier one ends, so that it is the lock that is handed over.
"""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import httpx

from tests.contract.git.repository import new_repository
from tests.e2e.harbour import Harbour
from tests.e2e.program import Program
from tests.ports import free_port

STEPS, RUNS = 6, 20
PAUSE_SECONDS = 0.5  # of a run's first step: time to queue the next revision behind it

HEAD = """\
version: "1"
pipeline:
  stages: [{name: production}]
  steps:
"""
STEP = """\
    - name: step-%(number)d
      type: SCRIPT:EXECUTE
      params:
        env: {EFFECTS: "%(effects)s"}
        commands:
          - echo "step-%(number)d production $WINDLASS_REVISION begin $(date +%%s.%%N)" >> "$EFFECTS"
          - sleep %(pause)s
          - echo "step-%(number)d production $WINDLASS_REVISION end $(date +%%s.%%N)" >> "$EFFECTS"
"""


class Quayside(Harbour):
    """A repository whose steps only tell the time."""

    def commit(self, server: str = "", note: str = "") -> str:  # noqa: ARG002 - there is no server
        """Commit a change, and return the commit."""
        self.pushes += 1
        pauses = [PAUSE_SECONDS] + [0] * (STEPS - 1)
        steps = (
            STEP % {"number": number, "effects": self.effects_file, "pause": pause}
            for number, pause in enumerate(pauses)
        )
        text = HEAD + "".join(steps)
        return self.repository.commit(
            {".windlass/shop/pipeline.yaml": text.encode(), "note": f"{self.pushes}".encode()}
        )


async def measure(folder: Path) -> tuple[list[float], list[float]]:
    """Return the seconds between steps, and between runs."""
    program = Program(folder / "home", free_port())
    quay = Quayside(program, new_repository(folder / "shop"), folder / "effects", {})
    await program.start()
    try:
        quay.register()
        async with httpx.AsyncClient() as http:
            for number in range(1, RUNS + 1):
                await quay.post(http, quay.commit())
                await _begun(quay, number)
            await quay.deployed(RUNS)
    finally:
        await program.end()
    return _gaps(quay)


async def _begun(quay: Quayside, revision: int) -> None:
    """Wait until the revision's first step runs: the next one then queues behind it."""
    async with asyncio.timeout(60):
        while not any(effect.revision == revision for effect in quay.effects()):  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.02)


def _gaps(quay: Quayside) -> tuple[list[float], list[float]]:
    effects = quay.effects()
    pairs = [(one, two) for one, two in pairwise(effects) if two.moment == "begin"]
    steps = [two.at - one.at for one, two in pairs if one.revision == two.revision]
    runs = [two.at - one.at for one, two in pairs if one.revision != two.revision]
    return steps, runs


def told(name: str, seconds: Sequence[float]) -> str:
    """Return a line of the table, in milliseconds."""
    ordered = sorted(seconds)
    p95 = ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)]
    return f"{name:<24}{len(ordered):>5}{statistics.median(ordered) * 1000:>10.1f}{p95 * 1000:>10.1f}"


def main() -> int:
    """Print both."""
    with tempfile.TemporaryDirectory() as folder:
        steps, runs = asyncio.run(measure(Path(folder)))
    head = f"{'milliseconds':<24}{'seen':>5}{'p50':>10}{'p95':>10}"
    table = [head, told("step to next step", steps), told("run to next run", runs)]
    sys.stdout.write("\n".join(table) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
