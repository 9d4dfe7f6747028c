"""`python -m deploy.kafka`: runs Kafka on this machine until it is interrupted."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from deploy.kafka.cluster import Cluster
from deploy.kafka.jars import LIBS, ROOT, prepare
from deploy.kafka.java import KafkaError

DATA = ROOT / ".kafka" / "data"
PORT_FIRST = 9092
LOOK_SECONDS = 0.5
ABOUT = """\
Runs Apache Kafka on this machine without Docker, on 127.0.0.1 only, until SIGINT (Ctrl-C) or SIGTERM.
It needs Java 17 or newer, and Maven the first time, to fetch Kafka's jars (43 MB), which are kept.

What runs is written to DATA/cluster.json; what a node has to say, to DATA/node-1/output.log. The data
stays when it ends: the next start on the same folder goes on with it. A node that is killed is left dead;
the others go on."""
EXAMPLES = """\
examples:
  python -m deploy.kafka                    one node on 127.0.0.1:9092
  python -m deploy.kafka --nodes 3          three, on 9092, 9093, 9094: any one may be lost
  python -m deploy.kafka --port 0 --data D  on a free port; read it in D/cluster.json
  python -m deploy.kafka --prepare          fetch the jars now, start nothing"""


class _Ended(Exception):  # noqa: N818 - somebody asked for it
    """A signal to end has come."""


def main(arguments: Sequence[str]) -> int:
    """Return the exit code."""
    options = _options(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    try:
        java = prepare(options.libs)
        if options.prepare:
            print(f"Kafka is ready to run: {java.jars}")
            return 0
        first = options.port
        ports = [first + n if first else 0 for n in range(options.nodes)]
        return _run(Cluster(options.data, ports, java=java))
    except KafkaError as problem:
        print(problem, file=sys.stderr)
        return 1
    except _Ended:
        return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.kafka",
        description=ABOUT,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--nodes", type=int, choices=(1, 3), default=1, help="1 (the default) or 3")
    parser.add_argument(
        "--port", type=int, default=PORT_FIRST,
        help=f"of the first node, {PORT_FIRST} if not given; the others take the next; 0: free ones",
    )  # fmt: skip
    parser.add_argument(
        "--data", type=Path, default=DATA, help="folder of its data; .kafka/data if not given"
    )
    parser.add_argument(
        "--libs", type=Path, default=LIBS, help="folder of the jars; .kafka/libs if not given"
    )
    parser.add_argument("--prepare", action="store_true", help="fetch the jars, start nothing")
    return parser.parse_args(arguments)


def _run(cluster: Cluster) -> int:
    try:
        cluster.start()
        print(f"Kafka is ready: {cluster.bootstrap} (data: {cluster.data})", flush=True)
        return _watch(cluster)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # ending takes seconds at most, and is not left half done
        cluster.stop()


def _watch(cluster: Cluster) -> int:
    """Return when the last node has ended by itself."""
    seen = cluster.running
    while running := cluster.running:
        for node in seen.keys() - running.keys():
            print(f"node {node} has ended; its last words are in {cluster.output(node)}", file=sys.stderr)
        seen = running
        time.sleep(LOOK_SECONDS)
    print("no node runs any more", file=sys.stderr)
    return 1


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
