"""A release that answers with its commit; that it was started is an effect.

Run as `python -I -S serving.py LEDGER NAME` with PORT in the environment.
"""

import os
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from effect import note  # type: ignore[import-not-found]


def main(ledger: str, name: str) -> None:
    """Serve until ended."""
    listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
    note(ledger, name, "begin")
    body = os.environ["WINDLASS_COMMIT"].encode()
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    while True:
        connection, _ = listener.accept()
        connection.settimeout(5)
        try:
            connection.recv(65536)
            connection.sendall(head + body)
        except OSError:
            pass
        connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
