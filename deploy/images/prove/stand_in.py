"""Images in the places of those that cannot be pulled where no registry of images is in reach.

All begin with Debian's own packages, which the machine's `apt` sources give.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.images.prove.engine import SECONDS_MAX, STANDIN, NotProved, run
from deploy.kafka import jars

DEBIAN = "windlass-standin/debian:bookworm"
IMAGES = {
    "python": "windlass-standin/python:3.11",
    "postgres": "windlass-standin/postgres:15",
    "kafka": "windlass-standin/kafka:4.1.1",
}
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")  # this machine's: its way out may have its own


def make() -> None:
    """Make those that are not there."""
    if not _there(DEBIAN):
        _debian()
    for name, tag in IMAGES.items():
        if not _there(tag):
            _build(name, tag)


def _there(tag: str) -> bool:
    return bool(run(["docker", "images", "--quiet", tag]).strip())


def _debian() -> None:
    """Give the engine a minimal Debian, packed as it is made."""
    if shutil.which("mmdebstrap") is None:
        raise NotProved("mmdebstrap is missing: apt-get install mmdebstrap")
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "debian.tar"
        run(["mmdebstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", str(archive)])
        with archive.open("rb") as packed:
            imported = ["docker", "import", "-", DEBIAN]
            subprocess.run(imported, stdin=packed, check=True, timeout=SECONDS_MAX, stdout=subprocess.DEVNULL)


def _build(name: str, tag: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / name
        shutil.copytree(STANDIN / name, context)
        if name == "python":
            shutil.copyfile(AUTHORITIES, context / "authorities.crt")
        if name == "kafka":
            shutil.copytree(jars.prepare().jars, context / "libs")
        run(["docker", "build", "--network", "host", "--tag", tag, str(context)])
