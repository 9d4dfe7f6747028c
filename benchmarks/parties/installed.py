"""Peers' own environments: made once from a hashed lock, kept among the tools."""

import hashlib
import os
import shutil
import sys
from pathlib import Path

from benchmarks.parties.ran import ran
from benchmarks.suite import Bench, Unavailable

LOCKS = Path(__file__).resolve().parents[2] / "deploy" / "locks"
INSTALL_SECONDS_MAX = 900.0
WAY_OUT = "Mend that and run it again; a mirror or proxy is taken from pip.conf or PIP_* variables."


async def environment(bench: Bench, peer: str) -> Path:
    """Return the folder of a peer's programs; installs it from `deploy/locks` where that was not done."""
    lock = LOCKS / f"{peer}.txt"
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = bench.tools / f"{peer}-{digest}"
    ready = folder / ".ready"  # written last
    if not ready.exists():
        bench.tell(f"{peer}: installing it into {folder} (a minute or two, once)")
        await _install(folder, lock)
        ready.touch()
        bench.tell(f"{peer}: installed")
    return folder / "bin"


async def _install(folder: Path, lock: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    quietly = ("--quiet", "--disable-pip-version-check", "install", "--require-hashes", "--requirement")
    try:
        await ran((sys.executable, "-m", "venv", str(folder)), os.environ, INSTALL_SECONDS_MAX)
        pip = (str(folder / "bin" / "python"), "-m", "pip")
        await ran((*pip, *quietly, str(lock)), os.environ, INSTALL_SECONDS_MAX)
    except Unavailable as why:
        raise Unavailable(f"{lock.stem} could not be installed: {why}\n{WAY_OUT}") from None
