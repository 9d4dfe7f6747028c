"""The child is there before the claim is on the disk; nothing of it has run until it is let go."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.process import ProcessSpec
from shared.process.attempt import encode
from shared.process.shims import PROGRAM
from tests.integration.process.conftest import PATH, alive, until

SHIM = """
import os, sys
sys.path.append(sys.argv[1])
from shim.child import Child, Spec
child = Child()  # before there is a folder
os.chdir(sys.argv[2])
child.tell(sys.argv[2], sys.argv[3], Spec(open("spec", "rb").read()))
child.wait_ready()
print(child.pid, flush=True)
"""


def shim(folder: Path, then: str, unsynced: str = "..") -> subprocess.CompletedProcess[str]:
    """Have a child made ready by a shim that then does this."""
    spec = ProcessSpec(("sh", "-c", "echo ran >> effects"), folder, {"PATH": PATH})
    (folder / "spec").write_bytes(encode(spec))
    command = [sys.executable, "-I", "-S", "-c", SHIM + then, str(PROGRAM.parents[1]), str(folder), unsynced]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)


async def test_a_shim_that_is_killed_before_it_lets_go_has_run_nothing(tmp_path: Path) -> None:
    ended = shim(tmp_path, "os.kill(os.getpid(), 9)")
    assert ended.returncode == -signal.SIGKILL
    child = int(ended.stdout)
    await until(lambda: not alive(child))
    assert int((tmp_path / "group").read_text().split()[0]) == child  # it would have been found
    assert not (tmp_path / "effects").exists()


@pytest.mark.parametrize(
    ("then", "effects"),
    [
        pytest.param("child.dismiss()", "", id="dismissed"),
        pytest.param("child.let_go(); os.waitpid(child.pid, 0)", "ran\n", id="let go"),
    ],
)
def test_a_child_runs_if_it_is_let_go_and_only_then(tmp_path: Path, then: str, effects: str) -> None:
    (tmp_path / "effects").touch()
    ended = shim(tmp_path, then)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not alive(int(ended.stdout))
    assert (tmp_path / "effects").read_text() == effects


def test_a_child_whose_folder_cannot_be_put_on_the_disk_never_runs(tmp_path: Path) -> None:
    ended = shim(tmp_path, "child.let_go(); os.waitpid(child.pid, 0); print(child.problem())", "gone")
    assert ended.stdout.splitlines()[1:] == ["cannot put its folder on the disk: No such file or directory"]
    assert not (tmp_path / "effects").exists()


def test_no_descriptor_is_left_of_a_child_that_could_not_be_forked(tmp_path: Path) -> None:
    then = """
child.dismiss()
def no_room():
    raise BlockingIOError
os.fork = no_room
before = os.listdir("/proc/self/fd")
try:
    Child()
except BlockingIOError:
    print(os.listdir("/proc/self/fd") == before)
"""
    assert shim(tmp_path, then).stdout.splitlines()[1:] == ["True"]


def test_a_child_that_was_killed_while_it_waited_cannot_be_told(tmp_path: Path) -> None:
    then = """
child.dismiss()
child = Child()
os.kill(child.pid, 9)
os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
print(child.tell(sys.argv[2], "", Spec(open("spec", "rb").read())))
"""
    assert shim(tmp_path, then).stdout.splitlines()[1:] == ["False"]
