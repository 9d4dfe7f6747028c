"""Free ports for tests: below those that the kernel gives to outgoing connections, and never one twice.

The workers of a run have ports of their own: one that is given may be bound much later.
"""

import os
import socket
from itertools import count

FIRST = 10_000
RANGE = 9_000  # ends before the ports that Windlass itself chooses from
STRIDE = 97  # runs beside each other begin at different places

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_range = RANGE // _workers
_first = FIRST + _worker % _workers * _range
_numbers = count(os.getpid() * STRIDE)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    for number in _numbers:
        port = _first + number % _range
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("counting does not end")
