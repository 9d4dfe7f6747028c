import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LIFE = """
import sys
from pathlib import Path
from shared import crash
crash.arm(sys.argv[1], sys.argv[2])
for turn in range(3):
    for name in ("deployer.step.claimed", "deployer.step.deciding"):
        crash.point(name)
        print(turn, name, flush=True)
"""


def live(crash_at: str, trace: str = "") -> subprocess.CompletedProcess[str]:
    life = [sys.executable, "-c", LIFE, crash_at, trace]
    return subprocess.run(life, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)


@pytest.mark.parametrize(
    ("crash_at", "passed"),
    [
        pytest.param("deployer.step.claimed", 0, id="at the first passing"),
        pytest.param("deployer.step.deciding", 1, id="at another point"),
        pytest.param("deployer.step.claimed#3", 4, id="at the third passing"),
    ],
)
def test_a_process_dies_at_the_point_it_was_told_to(crash_at: str, passed: int) -> None:
    ended = live(crash_at)
    assert ended.returncode == -signal.SIGKILL
    assert len(ended.stdout.splitlines()) == passed


@pytest.mark.parametrize("crash_at", ["", "deployer.step", "deployer.step.claimed#4"])
def test_a_process_that_was_told_of_no_such_passing_lives(crash_at: str) -> None:
    ended = live(crash_at)
    assert ended.returncode == 0
    assert len(ended.stdout.splitlines()) == 6


def test_a_trace_names_each_point_once_and_survives_the_crash(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    ended = live("deployer.step.claimed#2", str(trace))
    assert ended.returncode == -signal.SIGKILL
    assert trace.read_text().split() == ["deployer.step.claimed", "deployer.step.deciding"]
