"""`python -m deploy.images.ready [PORT]`: the container's health check, for images without curl.

Says what is missing, which `docker inspect` shows. It runs every few seconds in every container, so it
loads next to nothing: an HTTP client would take twice as long to load as all the rest takes.
"""

import socket
import sys

USUAL_PORT = 8400
SECONDS_MAX = 4.0  # for each step; less than the check's own limit, so that the reason is what is seen
ANSWER_BYTES_MAX = 16 * 1024
REQUEST = b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n"


def why_not(port: int) -> str:
    """Return why the process on that port is not ready, or the empty string."""
    try:
        answer = _ask(port)
    except OSError as error:
        return f"no answer on port {port}: {error!r}"
    head, _, body = answer.partition(b"\r\n\r\n")
    version, _, rest = head.partition(b" ")
    if not version.startswith(b"HTTP/1."):
        return f"no HTTP on port {port}"
    status = rest[:3].decode("ascii", "replace")
    return "" if status == "200" else f"{status}: {_reason(body)}"


def _ask(port: int) -> bytes:
    answer = b""
    with socket.create_connection(("127.0.0.1", port), SECONDS_MAX) as connection:
        connection.sendall(REQUEST)
        while len(answer) < ANSWER_BYTES_MAX and (part := connection.recv(ANSWER_BYTES_MAX)):
            answer += part
    return answer


def _reason(body: bytes) -> str:
    import json  # noqa: PLC0415 - only where something is missing

    try:
        document = json.loads(body)
    except ValueError:
        return "no reason given"
    told = document.get("detail") or document.get("title") if isinstance(document, dict) else ""
    return str(told or "no reason given")


def main() -> int:
    """Return the exit code that Docker wants to see."""
    reason = why_not(int(sys.argv[1]) if len(sys.argv) > 1 else USUAL_PORT)
    print(reason or "ready")  # noqa: T201 - for whoever inspects the container
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
