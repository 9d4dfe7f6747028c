"""Free ports for nodes whose port nobody chose."""

import os
import socket
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from itertools import count

# Below what systems give to outgoing connections, so that none takes the port of a node that is down, and
# below what Windlass chooses for what it deploys.
FIRST, RANGE = 19_000, 1_000


def free_ports(wanted: int, but: Collection[int] = ()) -> list[int]:
    """Return ports of 127.0.0.1 that nobody listens on, each another, `but` none of these."""
    with ExitStack() as held:
        found: list[int] = []
        for port in _candidates():
            if len(found) == wanted:
                break
            if port in but:
                continue
            if _bound(held.enter_context(socket.socket()), port):
                found.append(port)
        return found


def is_free(port: int) -> bool:
    """Tell whether a port of 127.0.0.1 can be listened on."""
    with socket.socket() as probe:
        return _bound(probe, port)


def _bound(probe: socket.socket, port: int) -> bool:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def _candidates() -> Iterator[int]:
    begin = count(os.getpid() * 7)  # programs beside each other begin at different places
    return (FIRST + number % RANGE for number in begin)
