"""A cluster of one or three nodes on this machine, each of which can be stopped, killed and started again.

    with Cluster(folder, ports=(0, 0, 0)) as cluster:
        cluster.kill(2)

Everything blocks until it is done: from a coroutine, `await asyncio.to_thread(cluster.kill, 2)`. What runs
is written to `cluster.json`. A lock keeps a second one off the folder; nodes that a killed program has
left on it are ended at the next start.
"""

import fcntl
import json
import os
import signal
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from uuid import NAMESPACE_URL, uuid5

from deploy.kafka.jars import prepare
from deploy.kafka.java import Java, KafkaError
from deploy.kafka.node import KILL_SECONDS_MAX, LOOK_SECONDS, OPTIONS, Node
from deploy.kafka.ports import free_ports, is_free
from deploy.kafka.properties import Seat, properties

STOP_SECONDS_MAX = 5.0  # then they are killed


class Cluster:
    """Kafka in one folder. Node ids count from 1; every verb is safe to repeat."""

    def __init__(
        self,
        data: Path,
        ports: Sequence[int] = (0,),  # one a node; 0: any that is free, kept for the cluster's life
        own: Mapping[str, str] | None = None,  # properties that overrule ours, the same for every node
        java: Java | None = None,
        options: tuple[str, ...] = OPTIONS,  # for Java
        started: Callable[[int], object] = lambda _: None,  # told the id of each process at once
    ) -> None:
        self.data = data.resolve()
        self._own = dict(own or {})
        self._started = started
        self._lock: IO[str] | None = None
        java = java or prepare()
        self._seats = _seats(ports)
        cluster = _cluster_id(self.data)
        self._nodes = {
            seat.node: Node(seat, cluster, self.data / f"node-{seat.node}", java, options)
            for seat in self._seats
        }

    @property
    def bootstrap(self) -> str:
        """Where clients find it: host:port,host:port."""
        return ",".join(f"127.0.0.1:{seat.port}" for seat in self._seats)

    @property
    def running(self) -> dict[int, int]:
        """The process id of each node that runs."""
        return {number: node.pid for number, node in self._nodes.items() if node.pid}

    def start(self, *numbers: int) -> None:
        """Start these nodes, or all, and return when they serve clients and know of each other."""
        chosen = self._chosen(numbers)
        if self._lock is None:
            self._lock = self._take_over()
        _insist_on_ports([node.seat for node in chosen if not node.pid])
        with ThreadPoolExecutor(len(chosen)) as beside:
            list(beside.map(self._format, chosen))
        for node in chosen:
            self._started(node.launch())
        self._note()
        for node in chosen:
            node.wait(frozenset(self.running))

    def stop(self, *numbers: int) -> None:
        """End these nodes, or all, in good order."""
        chosen = self._chosen(numbers)
        for node in chosen:
            node.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS_MAX
        # One that is left without a quorum would wait for it; killed, it loses nothing.
        while any(node.pid for node in chosen) and self._has_quorum() and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        for node in chosen:
            node.kill()
        self._note()

    def kill(self, *numbers: int) -> None:
        """End these nodes, or all, as a power cut would."""
        for node in self._chosen(numbers):
            node.kill()
        self._note()

    def output(self, number: int) -> Path:
        """Return the file with what a node says: warnings and worse."""
        return self._nodes[number].folder / "output.log"

    def __enter__(self) -> Self:
        """Start all."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all."""
        self.stop()

    def _has_quorum(self) -> bool:
        return len(self._nodes) == 1 or 2 * len(self.running) > len(self._nodes)

    def _chosen(self, numbers: tuple[int, ...]) -> list[Node]:
        return [self._nodes[number] for number in numbers or self._nodes]

    def _format(self, node: Node) -> None:
        node.format(lambda log: properties(node.seat, self._seats, log, self._own))

    def _alone(self) -> IO[str]:
        self.data.mkdir(parents=True, exist_ok=True)
        lock = (self.data / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            lock.close()
            raise KafkaError(f"another program runs Kafka in {self.data}") from problem
        return lock

    def _note(self) -> None:
        """Write what runs; when nothing does, let others have the folder."""
        if self._lock is None:
            return
        nodes = [
            {"node": seat.node, "port": seat.port, "controller_port": seat.controller_port,
             "pid": self._nodes[seat.node].pid} for seat in self._seats
        ]  # fmt: skip
        part = self.data / "cluster.json.part"
        part.write_text(json.dumps({"bootstrap": self.bootstrap, "nodes": nodes}, indent=2) + "\n")
        part.replace(self.data / "cluster.json")
        if not self.running:
            self._lock.close()
            self._lock = None

    def _take_over(self) -> IO[str]:
        """Make the folder ours: end what a killed program left running, refuse what is not ours to run."""
        lock = self._alone()
        noted = _noted(self.data / "cluster.json")
        if len(noted) not in {0, len(self._seats)}:
            lock.close()
            raise KafkaError(f"{self.data} holds a cluster of {len(noted)}, which cannot go on as another")
        for node in noted:
            if node["pid"]:
                _end_if_ours(node["pid"], str(self.data / f"node-{node['node']}" / "server.properties"))
        return lock


def _seats(ports: Sequence[int]) -> list[Seat]:
    free = iter(free_ports(2 * len(ports), but=ports))
    return [Seat(number, port or next(free), next(free)) for number, port in enumerate(ports, 1)]


def _insist_on_ports(seats: Sequence[Seat]) -> None:
    for seat in seats:
        for port in (seat.port, seat.controller_port):
            if not is_free(port):
                raise KafkaError(f"port {port} of 127.0.0.1, for node {seat.node}, is taken")


def _cluster_id(data: Path) -> str:
    """Return a name of Kafka's form that is the same for all nodes in a folder, now and later."""
    return urlsafe_b64encode(uuid5(NAMESPACE_URL, data.as_uri()).bytes).decode().rstrip("=")


def _noted(file: Path) -> list[dict[str, Any]]:
    try:
        nodes: list[dict[str, Any]] = json.loads(file.read_text())["nodes"]
    except (OSError, ValueError, KeyError):
        return []
    return nodes


def _end_if_ours(pid: int, properties_file: str) -> None:
    """Kill a process if it is a node on that file; ids are given again, so its command line is looked at.

    Where there is no /proc nothing is killed: Kafka's own lock then refuses the start and says so.
    """
    command = Path("/proc", str(pid), "cmdline")
    mark = properties_file.encode()
    deadline = time.monotonic() + KILL_SECONDS_MAX
    with suppress(OSError):
        while mark in command.read_bytes().split(b"\0") and time.monotonic() < deadline:
            os.kill(pid, signal.SIGKILL)
            time.sleep(LOOK_SECONDS)
