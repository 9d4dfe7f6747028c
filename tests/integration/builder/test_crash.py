"""A builder killed at any named point finishes the build in its next life, and runs it once."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from shared.artifacts import LocalArtifactStore
from shared.ids import Digest
from tests.integration.builder.bench_program import COMMANDS, one_life

REPOSITORY = Path(__file__).parents[3]
LOG = [f"$ {COMMANDS[0]}", f"$ {COMMANDS[1]}", "building", f"$ {COMMANDS[2]}", f"$ {COMMANDS[3]}"]


def life(root: Path, crash_at: str, trace: str = "") -> int:
    """Let a builder live as a process of its own and return how it ended."""
    root.mkdir(exist_ok=True)
    program = [sys.executable, "-m", "tests.integration.builder.bench_program"]
    done = subprocess.run(
        [*program, str(root), crash_at, trace],
        cwd=REPOSITORY,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in {0, -9}, done.stderr.decode()
    return done.returncode


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Every crash point that a build passes, in order."""
    root = tmp_path_factory.mktemp("points")
    assert life(root, "", str(root / "trace")) == 0
    return (root / "trace").read_text().split()


@pytest.mark.timeout(300)  # two programs for each of many points
async def test_a_build_killed_at_any_point_is_finished_and_its_commands_run_once(
    points: list[str], tmp_path: Path
) -> None:
    assert len(points) >= 16
    two_at_a_time = asyncio.Semaphore(2)

    async def two_lives(crash_at: str) -> None:
        root = tmp_path / crash_at
        async with two_at_a_time:
            assert await asyncio.to_thread(life, root, crash_at) == -9, crash_at
        await one_life(root)
        assert (root / "effects").read_text() == "once\n", crash_at
        assert (root / "log").read_text().splitlines() == LOG, crash_at
        assert list((root / "workspaces").iterdir()) == [], crash_at
        assert list((root / "store/arriving").iterdir()) == [], crash_at
        digest = Digest((root / "answer").read_text())
        await LocalArtifactStore(root / "store").unpack(digest, root / "release")
        assert (root / "release/out").read_text() == "boats", crash_at

    await asyncio.gather(*(two_lives(name) for name in points))
