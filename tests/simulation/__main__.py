"""`python -m tests.simulation --seed N --verbose`: plays one seed, or `--seeds N` of them on all cores."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter

from tests.simulation.trial import Outcome, play

CHUNK = 10  # seeds handed to a core at once
TOLD_EVERY = 100  # seeds between lines of progress


def main(arguments: Sequence[str]) -> int:
    """Return the exit code."""
    options = _options(arguments)
    if options.seed is not None:
        return _one(options.seed, verbose=options.verbose)
    return _many(options.from_seed, options.seeds, options.jobs)


def _one(seed: int, *, verbose: bool) -> int:
    outcome = play(seed, print if verbose else lambda _line: None)
    if outcome.wrongs and not verbose:
        print(outcome.story)
    print(told(outcome))
    return 1 if outcome.wrongs else 0


def _many(first: int, count: int, jobs: int) -> int:
    began, hours, events, wrong = perf_counter(), 0.0, 0, list[Outcome]()
    for done, outcome in enumerate(_played(first, count, jobs), 1):
        hours += outcome.virtual_seconds / 3600
        events += outcome.events
        if outcome.wrongs:
            wrong.append(outcome)
            print(told(outcome), flush=True)
        if done % TOLD_EVERY == 0 or done == count:
            took = perf_counter() - began
            print(
                f"{done} of {count} seeds, up to {first + done - 1}: {hours:,.0f} virtual hours, "
                f"{events:,} events, {took:.0f} s; {len(wrong)} wrong",
                flush=True,
            )
    return 1 if wrong else 0


def _played(first: int, count: int, jobs: int) -> Iterator[Outcome]:
    seeds = range(first, first + count)
    if jobs == 1:
        yield from map(play, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(_without_story, seeds, chunksize=CHUNK)


def _without_story(seed: int) -> Outcome:
    outcome = play(seed)
    return Outcome(**{**vars(outcome), "story": ""})


def told(outcome: Outcome) -> str:
    """Return what came of a seed, and how to play it again."""
    hours = outcome.virtual_seconds / 3600
    said = f"seed {outcome.seed}: {hours:.1f} virtual hours in {outcome.cpu_seconds:.2f} s of a core, "
    said += f"{outcome.events} events, story {outcome.digest[:16]}"
    if not outcome.wrongs:
        return said
    wrongs = "\n".join(f"  {each}" for each in outcome.wrongs)
    return f"{said}\n{wrongs}\nagain: {again(outcome.seed)}"


def again(seed: int) -> str:
    """Return the one command that plays a seed."""
    return f".venv/bin/python -m tests.simulation --seed {seed} --verbose"


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="The simulation")
    parser.add_argument("--seed", type=int, help="play this one and tell what came of it")
    parser.add_argument("--verbose", action="store_true", help="with --seed: print the story as it happens")
    parser.add_argument("--from-seed", type=int, default=1, help="the first of many")
    parser.add_argument("--seeds", type=int, default=10_000, help="how many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="cores to use")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
