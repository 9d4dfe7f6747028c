"""Stable ports for the demo's stages: free now, and below those that Windlass or the kernel hand out."""

import os
import socket
from collections.abc import Iterator

FIRST = 19_000
RANGE = 1_000  # between those of the tests and those that Windlass chooses from
STRIDE = 89  # two demos at a time begin at different places


def free_ports() -> Iterator[int]:
    """Yield ports of loopback on which nobody listens, none twice."""
    for offset in range(RANGE):
        port = FIRST + (os.getpid() * STRIDE + offset) % RANGE
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port
