"""Nothing is lost, doubled or undone when anything dies: real processes, a real broker, a real database.

A cut of the faults is in `make test`, the whole in `make test-all`. One after the other: each has the
machine's cores to itself as far as other tests leave them.
"""

from pathlib import Path

import pytest

from tests.distributed.playing import play
from tests.distributed.programme import PROGRAMME
from tests.servers import kafka, postgres, run

SECONDS_MAX = 900  # of two busy cores

CUT = "medley"
SEEDS = {"killing": (1, 2)}  # more than one where chance decides most

pytestmark = [
    pytest.mark.distributed,
    pytest.mark.timeout(SECONDS_MAX),
    pytest.mark.xdist_group("distributed"),
]


@pytest.fixture(scope="module", autouse=True)
def servers() -> None:
    """Have what Maven and the like fetch, before anybody's time runs."""
    run.begin()
    kafka.prepare()
    kafka.prepare_own()
    postgres.prepare()


def test_a_little_of_each_fault_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _nothing_is_wrong(CUT, 1, tmp_path, capsys)


@pytest.mark.long
@pytest.mark.parametrize(
    ("scenario", "seed"),
    [(name, seed) for name in PROGRAMME if name != CUT for seed in SEEDS.get(name, (1,))],
)
def test_a_fault_changes_nothing(
    scenario: str, seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _nothing_is_wrong(scenario, seed, tmp_path, capsys)


def _nothing_is_wrong(scenario: str, seed: int, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = play(scenario, folder, seed, PROGRAMME[scenario].seconds)
    with capsys.disabled():
        print(f"\n{report}")  # the counts are what the test has to show
    assert report.wrongs == [], f"{report}\n{report.logs}"
