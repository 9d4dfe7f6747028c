"""The simulation: a few hundred seeds at every run, and that a seed can be played again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.__main__ import told
from tests.simulation.trial import play

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 300
CHUNK = 15  # in one test, so that workers can share them
REPLAYED = 7


@pytest.mark.timeout(240)
@pytest.mark.parametrize("first", range(1, SEEDS + 1, CHUNK))
def test_every_promise_holds_for_these_seeds(first: int) -> None:
    for seed in range(first, first + CHUNK):
        outcome = play(seed)
        if outcome.wrongs:
            pytest.fail(f"{outcome.story}\n{told(outcome)}")


def test_a_seed_tells_the_same_story_twice() -> None:
    assert play(REPLAYED).story == play(REPLAYED).story


def test_two_seeds_tell_different_stories() -> None:
    assert play(REPLAYED).digest != play(REPLAYED + 1).digest


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_tells_the_same_story_in_another_process_with_other_hashes(hash_seed: str) -> None:
    command = [sys.executable, "-m", "tests.simulation", "--seed", str(REPLAYED)]
    env = {**os.environ, "PYTHONHASHSEED": hash_seed}
    played = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=True, text=True)
    assert play(REPLAYED).digest[:16] in played.stdout
