"""`python -m tests.distributed SCENARIO --seed N --seconds S`: plays one; exit code 0 if nothing is wrong."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.distributed.playing import play
from tests.distributed.programme import PROGRAMME
from tests.servers import run


def main(arguments: Sequence[str]) -> int:
    """Return the exit code."""
    options = _options(arguments)
    scenario = PROGRAMME[options.scenario]
    load = replace(scenario.load, barges=options.barges) if options.barges else scenario.load
    seconds = options.seconds or scenario.seconds
    run.begin()
    with tempfile.TemporaryDirectory(prefix="trial-", ignore_cleanup_errors=True) as folder:
        report = play(options.scenario, Path(folder), options.seed, seconds, load)
    print(report)
    if report.wrongs:
        print(report.logs)
    return 1 if report.wrongs else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    told = "\n".join(f"  {name:20} {each.about}" for name, each in PROGRAMME.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.distributed",
        description=f"Real processes and faults:\n{told}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenario", choices=PROGRAMME)
    parser.add_argument("--seed", type=int, default=1, help="where chance begins")
    parser.add_argument("--seconds", type=float, help="how long the faults last")
    parser.add_argument("--barges", type=int, help="how many pipelines")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
