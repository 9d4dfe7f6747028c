"""One question to a broker, in its own protocol, without a client library: which nodes it knows of."""

import socket
import struct
from dataclasses import dataclass

METADATA, VERSION = 3, 2
SECONDS_MAX = 2.0
CLIENT = b"windlass"
LENGTH = struct.Struct(">i")


@dataclass(frozen=True)
class View:
    """What a node has to say of its cluster; of nothing, if it does not answer."""

    cluster: str = ""
    nodes: frozenset[int] = frozenset()  # the ids of those that live


def view(port: int) -> View:
    """Ask the node on `port`."""
    no_topics = LENGTH.pack(0)
    question = struct.pack(">hhih", METADATA, VERSION, 0, len(CLIENT)) + CLIENT + no_topics
    try:
        with socket.create_connection(("127.0.0.1", port), SECONDS_MAX) as connection:
            connection.sendall(LENGTH.pack(len(question)) + question)
            (length,) = LENGTH.unpack(_exactly(connection, LENGTH.size))
            return _read(_exactly(connection, length))
    except (OSError, struct.error, UnicodeDecodeError):
        return View()


def _exactly(connection: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        part = connection.recv(length - len(received))
        if not part:
            raise ConnectionResetError
        received += part
    return received


def _read(answer: bytes) -> View:
    """Read [correlation][count]([id][host][port][rack])*[cluster]; what follows is of no interest."""
    (count,) = LENGTH.unpack_from(answer, 4)
    nodes, at = set(), 8
    for _ in range(count):
        nodes.add(LENGTH.unpack_from(answer, at)[0])
        _, at = _string(answer, at + 4)
        _, at = _string(answer, at + 4)
    cluster, _ = _string(answer, at)
    return View(cluster, frozenset(nodes))


def _string(answer: bytes, at: int) -> tuple[str, int]:
    """Return a string, which may be null, and where it ends."""
    (length,) = struct.unpack_from(">h", answer, at)
    end = at + 2 + max(length, 0)
    return answer[at + 2 : end].decode(), end
