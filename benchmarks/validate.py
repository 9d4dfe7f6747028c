"""How long `windlass validate` takes, start-up included: `python -m benchmarks.validate`.

It is set against a Python that does nothing, started in turn with it: their ratio says more of Windlass than
of the machine. Prints the best of some rounds, as `benchmarks.plan` does.
"""

import subprocess
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.plan import FILE, SCRIPT, pipeline, say, seconds

ROUNDS = 10
NOTHING = ("-c", "pass")
VALIDATE = ("-m", "services.cli", "validate")
ROOT = Path(__file__).resolve().parents[1]


def python(*words: str) -> None:
    """Run Python to its end, which must be a good one."""
    command = [sys.executable, *words]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Measure, and print one line a figure."""
    with TemporaryDirectory() as folder:
        file = Path(folder, FILE)
        file.parent.mkdir(parents=True)
        file.write_bytes(pipeline(3, 8, SCRIPT))
        python(*VALIDATE, folder)  # what is compiled at the first start is not of the command
        rounds = [
            (seconds(partial(python, *NOTHING), 1), seconds(partial(python, *VALIDATE, folder), 1))
            for _ in range(ROUNDS)
        ]
    nothing, taken = map(min, zip(*rounds, strict=True))
    say("a Python that does nothing", nothing)
    say(f"windlass validate, 3 stages of 8 steps: {taken / nothing:.1f} times that", taken)


if __name__ == "__main__":
    main()
