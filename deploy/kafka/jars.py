"""Kafka's jars: fetched once by Maven, after `pom.xml`, and kept.

Safe beside others and against being ended at any point: all is done under a lock, in a folder of
another name, and takes its own name when it is complete. What belongs to an older `pom.xml` or another
Java has another name.
"""

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from deploy.kafka import archive
from deploy.kafka.java import Java, KafkaError, find_java

ROOT = Path(__file__).resolve().parents[2]
LIBS = ROOT / ".kafka" / "libs"
POM = Path(__file__).with_name("pom.xml")
MAVEN_SECONDS_MAX = 600.0  # of one try; 46 jars, 43 MB: 20 s on a usual line
TRIES = 2
COMPLAINT_LINES = 12


def prepare(libs: Path = LIBS) -> Java:
    """Return what runs Kafka: at once if it is there, else fetched and made ready first."""
    libs = libs.resolve()
    program = find_java()
    jars = libs / _key(POM.read_bytes())
    kept = libs / f"{jars.name}-{_key(_identity(program))}.jsa"
    if not (jars.is_dir() and kept.exists()):
        libs.mkdir(parents=True, exist_ok=True)
        with _alone(libs / "lock"):
            if not jars.is_dir():
                _fetch(jars)
            if not kept.exists():
                archive.make(Java(program, jars), kept)
    return Java(program, jars, kept if archive.usable(kept) else None)


def _key(content: bytes) -> str:
    return sha256(content).hexdigest()[:12]


def _identity(program: str) -> bytes:
    """Return what changes when another Java comes to stand behind the name."""
    real = Path(program).resolve()
    return f"{real} {real.stat().st_mtime_ns}".encode()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _fetch(jars: Path) -> None:
    for abandoned in jars.parent.glob("*.part-*"):  # an earlier one was killed
        shutil.rmtree(abandoned, ignore_errors=True)
    part = Path(tempfile.mkdtemp(prefix=f"{jars.name}.part-", dir=jars.parent))
    try:
        _maven(part)
        part.chmod(0o755)  # readable by the user that the broker may run as
        part.rename(jars)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _maven(output: Path) -> None:
    program = shutil.which("mvn")
    if not program:
        raise KafkaError(
            "Kafka's jars come through Maven, and there is no `mvn` on PATH. Install it "
            "(Debian, Ubuntu: apt install maven; macOS: brew install maven)."
        )
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={output}"]
    command = [program, "--batch-mode", "--quiet", "--no-transfer-progress", "--file", str(POM), *goal]
    complaint = ""
    for _ in range(TRIES):
        try:
            ended = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=MAVEN_SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            complaint = f"no end after {MAVEN_SECONDS_MAX:.0f} s"
            continue
        if ended.returncode == 0 and any(output.glob("kafka_*.jar")):
            return
        complaint = "\n".join((ended.stdout + ended.stderr).strip().splitlines()[-COMPLAINT_LINES:])
    raise KafkaError(
        f"Maven could not fetch Kafka's jars (mirrors and proxies: its settings.xml):\n{complaint}"
    )
