"""The simulation: a few hundred seeds at every run, what occurs in them, and that one can be played again."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.simulation import tally
from tests.simulation.__main__ import told
from tests.simulation.exploration import Exploration
from tests.simulation.trial import SHORT_SEEDS, play

ROOT = Path(__file__).resolve().parents[2]
CHUNK = 15  # in one test, so that workers can share them
CHUNKS = range(1, SHORT_SEEDS + 1, CHUNK)
REPLAYED = 7


@pytest.fixture
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this test run have in common."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "simulation"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", CHUNKS)
def test_every_promise_holds_for_these_seeds(
    first: int, together: Path, record_property: Callable[[str, object], None]
) -> None:
    explored = Exploration()
    for seed in range(first, first + CHUNK):
        outcome = play(seed)
        if outcome.wrongs:
            pytest.fail(f"{outcome.story}\n{told(outcome)}")
        explored.add(outcome)
    explored.write(together / f"{first}.json")
    _add_up(together, record_property)


def _add_up(together: Path, record_property: Callable[[str, object], None]) -> None:
    """Have whoever comes last see that everything there is occurred: what is never played proves nothing."""
    played = [together / f"{first}.json" for first in CHUNKS]
    if not all(file.exists() for file in played):
        return
    all_of_it = Exploration()
    for file in played:
        all_of_it.read(file)
    record_property("explored", all_of_it.told)
    assert not all_of_it.missing(), "too seldom in all seeds together"


def test_what_did_not_occur_is_missed() -> None:
    counts = Counter(tally.REQUIRED)
    assert not tally.missing(counts)
    counts["fault: power cut"] -= 1
    assert [each.split(":")[1].strip() for each in tally.missing(counts)] == ["power cut"]


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
