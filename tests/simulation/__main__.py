"""`python -m tests.simulation --seed N --verbose`: plays one seed, or `--seeds N` of them on all cores."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from time import perf_counter

from tests.simulation.exploration import Exploration, play_briefly
from tests.simulation.trial import Outcome, play

AHEAD = 8  # seeds handed out for each core beyond those that are done
SEEDS_OF_A_PROCESS = 200  # then another takes its place, with nothing left over from them
TOLD_EVERY_SECONDS = 10.0


def main(arguments: Sequence[str]) -> int:
    """Return the exit code."""
    options = _options(arguments)
    if options.seed is not None:
        return _one(options.seed, verbose=options.verbose)
    return Many(options.from_seed, options.seeds, options.jobs, options.failures).play()


def _one(seed: int, *, verbose: bool) -> int:
    outcome = play(seed, print if verbose else lambda _line: None)
    if outcome.wrongs and not verbose:
        print(outcome.story)
    print(told(outcome))
    return 1 if outcome.wrongs else 0


@dataclass
class Many:
    """Many seeds, one after the other, with a line of progress now and then."""

    first: int
    count: int
    jobs: int
    failures_max: int

    def play(self) -> int:
        """Return the exit code."""
        began = told_at = perf_counter()
        explored, wrong = Exploration(), list[int]()
        for outcome in self._outcomes():
            explored.add(outcome)
            if outcome.wrongs:
                wrong.append(outcome.seed)
                print(told(outcome), flush=True)
            over = explored.seeds == self.count or len(wrong) >= self.failures_max
            if over or perf_counter() - told_at > TOLD_EVERY_SECONDS:
                told_at = perf_counter()
                print(self._progress(explored, told_at - began, len(wrong)), flush=True)
            if over:
                break
        return self._close(explored, wrong)

    def _progress(self, explored: Exploration, seconds: float, wrong: int) -> str:
        rate = explored.seeds / seconds
        left = (self.count - explored.seeds) / rate
        return (
            f"{explored.seeds} of {self.count} seeds, up to {self.first + explored.seeds - 1}: "
            f"{rate:.1f} a second, {left / 60:.0f} min left; {wrong} wrong"
        )

    def _close(self, explored: Exploration, wrong: list[int]) -> int:
        print(f"explored: {explored.told}")
        if self.count >= COVERS_FROM and not wrong:
            for name in explored.missing():
                print(f"too seldom: {name}")
        for seed in wrong:
            print(f"again: {again(seed)}")
        last = self.first + explored.seeds - 1
        if explored.seeds < self.count:
            print(f"go on: .venv/bin/python -m tests.simulation --from-seed {last + 1}")
        return 1 if wrong or (self.count >= COVERS_FROM and explored.missing()) else 0

    def _outcomes(self) -> Iterator[Outcome]:
        """Give what came of each seed, in their order."""
        seeds = range(self.first, self.first + self.count)
        if self.jobs == 1:
            yield from map(play, seeds)
            return
        spawning = get_context("spawn")
        with ProcessPoolExecutor(
            self.jobs, mp_context=spawning, max_tasks_per_child=SEEDS_OF_A_PROCESS
        ) as pool:
            ahead = [pool.submit(play_briefly, seed) for seed in seeds[: AHEAD * self.jobs]]
            try:
                for place in range(self.count):
                    yield ahead.pop(0).result()
                    further = place + AHEAD * self.jobs
                    if further < self.count:
                        ahead.append(pool.submit(play_briefly, seeds[further]))
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


COVERS_FROM = 300  # seeds; fewer need not have everything in them


def told(outcome: Outcome) -> str:
    """Return what came of a seed, and how to play it again."""
    hours = outcome.virtual_seconds / 3600
    said = f"seed {outcome.seed}: {hours:.1f} virtual hours in {outcome.cpu_seconds:.2f} s of a core, "
    said += f"{outcome.events} events, {outcome.faults} faults, story {outcome.digest[:16]}"
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
    parser.add_argument("--failures", type=int, default=5, help="how many wrong seeds are enough to stop")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
