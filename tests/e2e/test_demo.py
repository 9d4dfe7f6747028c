"""The demo is the main job from end to end: `make demo`, run as a program and judged by what it prints."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS_MAX = 400  # ends a demo that hangs; it takes 20 s on two cores of its own

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(SECONDS_MAX + 30)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder with a short name: a Unix socket lies in it."""
    path = Path(tempfile.mkdtemp(prefix="demo-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def _demo(folder: Path) -> list[str]:
    return [sys.executable, "-m", "deploy.demo", "--json", "--data", str(folder)]


def _running(folder: Path) -> list[str]:
    """Return the processes that were started on the folder and are still there."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid,args"], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if str(folder) in line]


def test_all_five_acts_are_observed_and_nothing_is_left_running(folder: Path) -> None:
    done = subprocess.run(
        _demo(folder), cwd=ROOT, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )
    report = json.loads(done.stdout)
    unmet = [check for act in report["acts"] for check in act["checks"] if not check["met"]]

    assert (unmet, report["trouble"], done.returncode) == ([], "", 0), done.stderr[-4000:]
    assert [act["number"] for act in report["acts"]] == [1, 2, 3, 4, 5]
    assert all(len(act["checks"]) >= 4 for act in report["acts"])
    assert len(report["urls"]) == 4
    for url in report["urls"].values():
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, trust_env=False)
    assert _running(folder) == []


def test_an_interrupted_demo_leaves_nothing_running(folder: Path) -> None:
    with subprocess.Popen(_demo(folder), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as demo:
        assert demo.stderr is not None
        said = next(line for line in demo.stderr if line.startswith(b"Act 2"))
        assert said
        assert len(_running(folder)) > 3  # the demo, the server, the gateway, releases
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=SECONDS_MAX)

    assert demo.returncode == 130
    assert _running(folder) == []
