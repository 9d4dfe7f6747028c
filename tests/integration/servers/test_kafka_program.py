"""`python -m deploy.kafka`: says what it runs, ends what it started, and goes on after it was killed."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from deploy.kafka import Cluster, KafkaError
from deploy.kafka.probe import View, view
from tests.servers import kafka, run

pytestmark = pytest.mark.timeout(240)  # a broker is started, some of them more than once
ENDS_SECONDS_MAX = 60.0


@pytest.fixture(scope="module", autouse=True)
def jars() -> None:
    kafka.prepare_own()


def start(data: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "deploy.kafka", "--port", "0", "--data", str(data)]
    program = subprocess.Popen(
        command, cwd=run.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    run.note_process(program.pid)
    return program


def told(program: subprocess.Popen[str]) -> str:
    assert program.stdout
    return program.stdout.readline()


def node(data: Path) -> dict[str, Any]:
    (noted,) = json.loads((data / "cluster.json").read_text())["nodes"]
    if noted["pid"]:
        run.note_process(noted["pid"])
    return dict(noted)


def nodes_at(port: int) -> frozenset[int]:
    """Ask until there is an answer: a broker that is busy takes longer than a question waits."""
    while not (answer := view(port)).nodes:
        time.sleep(0.1)
    return answer.nodes


def test_what_a_killed_program_left_running_is_ended_by_the_next(tmp_path: Path) -> None:
    with start(tmp_path) as killed:
        assert told(killed).startswith("Kafka is ready: 127.0.0.1:")
        left = node(tmp_path)
        assert nodes_at(left["port"]) == {1}
        killed.kill()
    with start(tmp_path) as program:
        assert told(program).startswith("Kafka is ready: 127.0.0.1:")
        assert view(left["port"]) == View()
        runs = node(tmp_path)
        with start(tmp_path) as second:
            assert told(second) == f"another program runs Kafka in {tmp_path}\n"
            assert second.wait(ENDS_SECONDS_MAX) == 1
        assert nodes_at(runs["port"]) == {1}
        program.terminate()
        assert program.wait(ENDS_SECONDS_MAX) == 0
    assert view(runs["port"]) == View()
    assert node(tmp_path)["pid"] is None


def test_a_port_that_is_taken_is_named(tmp_path: Path, kafka_address: str) -> None:
    port = kafka_address.rpartition(":")[2]
    command = [sys.executable, "-m", "deploy.kafka", "--port", port, "--data", str(tmp_path)]
    ended = subprocess.run(command, cwd=run.ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == f"port {port} of 127.0.0.1, for node 1, is taken\n"


def test_the_data_of_three_nodes_is_not_run_by_one(tmp_path: Path) -> None:
    nodes = [{"node": number, "port": 1, "controller_port": 2, "pid": None} for number in (1, 2, 3)]
    (tmp_path / "cluster.json").write_text(json.dumps({"bootstrap": "", "nodes": nodes}))
    cluster = Cluster(tmp_path)
    with pytest.raises(KafkaError, match="holds a cluster of 3"):
        cluster.start()
    cluster.stop()
    assert len(json.loads((tmp_path / "cluster.json").read_text())["nodes"]) == 3
