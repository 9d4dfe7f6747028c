"""What belongs to one test run: a folder, what was started for it, and the end of all of that.

The folder's name is in the environment, so that xdist's workers, and whatever they start, share it. Every
process started for the run is noted in it with the moment of its start, since ids are given again. The
program that made the folder ends what is noted when it ends; if it is killed, the keeper does (`keeper.py`).
"""

import atexit
import fcntl
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

VARIABLE = "WINDLASS_TEST_RUN"
PREFIX = "windlass-tests-"
END_SECONDS_MAX = 10.0  # for those asked to end; then they are killed
LOOK_SECONDS = 0.02
ROOT = Path(__file__).resolve().parents[2]

Facts = dict[str, str]

_made: list[tuple[int, Path, IO[str]]] = []  # in the program that made the folder: itself, folder, lock
_held: list[object] = []  # what would warn if it were let go while it runs on


class NoServer(RuntimeError):  # noqa: N818 - it reads so
    """A server that a test needs cannot be had; the message says what to install."""


def begin() -> Path:
    """Return the run's folder; make it if no program above this one has."""
    folder = Path(os.environ.get(VARIABLE, "/nowhere"))
    if not (folder / "held").is_file():
        _clear_abandoned()
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        folder.chmod(0o711)  # a server may run as another user, in a folder of its own below
        (folder / "processes").mkdir()
        (folder / "containers").mkdir()
        held = (folder / "held.part").open("a")
        fcntl.flock(held, fcntl.LOCK_EX)
        (folder / "held.part").rename(folder / "held")  # nobody sees it unlocked while we live
        _made.append((os.getpid(), folder, held))
        os.environ[VARIABLE] = str(folder)
        atexit.register(end)
    return folder


def _clear_abandoned() -> None:
    """Clear after runs that were killed together with their keeper, or before they had one."""
    for held in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/held"):
        with suppress(OSError), held.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            clear(held.parent)


def end() -> None:
    """End all that was started and remove the folder, if this very program made it."""
    while _made and _made[-1][0] == os.getpid():
        _, folder, held = _made.pop()
        os.environ.pop(VARIABLE, None)
        clear(folder)
        held.close()


def hold(started: object) -> None:
    """Keep what stands for a process that may outlive this one, as the run's servers outlive a worker."""
    if not _held:
        atexit.register(_let_go)
    _held.append(started)


def _let_go() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        _held.clear()
        gc.collect()


def once(name: str, start: Callable[[], Facts]) -> Facts:
    """Return what `start` returned to the first who asked in this run; a failure, too, is had once."""
    noted = begin() / f"{name}.json"
    with _alone(noted.with_suffix(".lock")):
        if not noted.exists():
            _write(noted, json.dumps(_facts(start)))
        facts: Facts = json.loads(noted.read_text())
    if "failed" in facts:
        raise NoServer(facts["failed"])
    return facts


def note_process(pid: int, end_with: signal.Signals = signal.SIGTERM) -> None:
    """See to it that a process does not outlive the run."""
    folder = begin()
    _write(folder / "processes" / str(pid), f"{end_with:d} {_born(pid)}")
    _keep(folder)


def note_container(container: str) -> None:
    """See to it that a container does not outlive the run."""
    folder = begin()
    (folder / "containers" / container).touch()
    _keep(folder)


def clear(folder: Path, seconds: float = END_SECONDS_MAX) -> None:
    """End what is noted in a run's folder, and remove the folder. Safe to repeat, also side by side."""
    _end_processes(folder / "processes", seconds)
    if containers := [each.name for each in (folder / "containers").glob("*")]:
        from tests.servers.engine import remove  # noqa: PLC0415 - slow to import, and seldom needed

        remove(containers)
    shutil.rmtree(folder, ignore_errors=True)


def _facts(start: Callable[[], Facts]) -> Facts:
    try:
        return start()
    except NoServer as problem:
        return {"failed": str(problem)}


def _end_processes(notes: Path, seconds: float) -> None:
    wanted = {}
    for note in notes.glob("[0-9]*"):
        signal_number, _, born = note.read_text().partition(" ")
        wanted[int(note.name)] = (int(signal_number), born)
    for pid, (number, born) in wanted.items():
        _signal(pid, born, number)
    deadline = time.monotonic() + seconds
    while any(born and _born(pid) == born for pid, (_, born) in wanted.items()):
        if time.monotonic() > deadline:
            for pid, (_, born) in wanted.items():
                _signal(pid, born, signal.SIGKILL)
            return
        time.sleep(LOOK_SECONDS)


def _signal(pid: int, born: str, number: int) -> None:
    if born and _born(pid) == born:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _born(pid: int) -> str:
    """Return when a process started, as its system has it; nothing if it has ended."""
    try:
        stat = Path("/proc", str(pid), "stat").read_text()
    except ProcessLookupError:  # it ended while it was read of
        return ""
    except FileNotFoundError:
        return "" if Path("/proc/self").exists() else _born_by_ps(pid)
    state, *fields = stat.rpartition(") ")[2].split()
    return "" if state in {"Z", "X"} else fields[18]


def _born_by_ps(pid: int) -> str:
    asked = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    state, _, born = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.partition(" ")
    return "" if state.startswith("Z") else born.strip()


def _keep(folder: Path) -> None:
    """Start the keeper if that was not done."""
    with _alone(folder / "keeper.lock"):
        started = folder / "keeper"
        if not started.exists():
            keeper = subprocess.Popen(
                [sys.executable, "-m", "tests.servers.keeper", str(folder)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            hold(keeper)
            _write(started, str(keeper.pid))


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _write(file: Path, content: str) -> None:
    part = file.with_name(f"part-{file.name}")
    part.write_text(content)
    part.replace(file)
