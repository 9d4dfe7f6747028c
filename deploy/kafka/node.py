"""One node: its storage, its process, and whether it answers.

Its folder holds `server.properties`, `log/` (Kafka's own data) and `output.log`. A node is started in a
session of its own, so that an interrupt at the terminal reaches only whoever looks after it. Killing one
loses nothing that it acknowledged: what was written is with the operating system.
"""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from deploy.kafka.java import Java, KafkaError
from deploy.kafka.probe import view
from deploy.kafka.properties import Seat

OPTIONS = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # to start soon, and stay small
FORMAT_OPTIONS = ("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
START_SECONDS_MAX = 60.0  # a second or two on an idle machine
KILL_SECONDS_MAX = 10.0
LOOK_SECONDS = 0.02
COMPLAINT_BYTES = 4000


class Node:
    """A broker and controller that can be stopped, killed and started again on its port and data.

    Every verb blocks until it is done, and is safe to repeat.
    """

    def __init__(self, seat: Seat, cluster: str, folder: Path, java: Java, options: tuple[str, ...]) -> None:
        self.seat = seat
        self.folder = folder
        self._cluster = cluster
        self._java = java
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id, while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def log(self) -> Path:
        """Where Kafka keeps its data."""
        return self.folder / "log"

    def format(self, properties: Callable[[Path], str]) -> None:
        """Lay out the storage if that was not done, and write `properties(log)`, whatever was there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.log.exists():
            part = self.folder / "log.part"  # takes its name when it is complete
            shutil.rmtree(part, ignore_errors=True)
            self._properties.write_text(properties(part), encoding="utf-8")
            self._format()
            part.rename(self.log)
        self._properties.write_text(properties(self.log), encoding="utf-8")

    def launch(self) -> int:
        """Start the process and return its id; `wait` tells when it is of use."""
        if self._process is None or not self.pid:
            with (self.folder / "output.log").open("ab") as output:
                self._process = subprocess.Popen(
                    self._java.command(self._options, "kafka.Kafka", str(self._properties)),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        return self._process.pid

    def wait(self, beside: frozenset[int]) -> None:
        """Return when this node serves clients and knows the nodes `beside` it."""
        needed = beside | {self.seat.node}
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._knows(needed):
            if not self.pid:
                raise KafkaError(f"Kafka's node {self.seat.node} ended at its start:\n{self._complaint()}")
            if time.monotonic() > deadline:
                late = f"does not answer after {START_SECONDS_MAX:.0f} s"
                raise KafkaError(f"Kafka's node {self.seat.node} {late}:\n{self._complaint()}")
            time.sleep(LOOK_SECONDS)

    def _knows(self, needed: frozenset[int]) -> bool:
        seen = view(self.seat.port)
        return seen.cluster == self._cluster and seen.nodes >= needed  # another's may have our port

    def ask_to_stop(self) -> None:
        """Let it begin to end in good order."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._signal(signal.SIGKILL)
        self.wait_for_end(KILL_SECONDS_MAX)

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)  # does nothing to one that has ended

    def wait_for_end(self, seconds: float) -> None:
        if self._process is not None:
            self._process.wait(seconds)

    def _format(self) -> None:
        arguments = ("format", f"--cluster-id={self._cluster}", "--config", str(self._properties))
        ended = subprocess.run(
            self._java.command(FORMAT_OPTIONS, "kafka.tools.StorageTool", *arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=START_SECONDS_MAX,
            check=False,
        )
        if ended.returncode != 0:
            raise KafkaError(
                f"the storage of Kafka's node {self.seat.node} could not be formatted:\n"
                f"{ended.stdout}{ended.stderr}"
            )

    def _complaint(self) -> str:
        output = (self.folder / "output.log").read_bytes()
        return output[-COMPLAINT_BYTES:].decode("utf-8", "replace")
