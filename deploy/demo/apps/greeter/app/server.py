"""A small web server: says hello, and which revision of itself it is.

Windlass tells it everything by its environment: where to listen (HOST, PORT) and what it is
(WINDLASS_REVISION, WINDLASS_COMMIT, WINDLASS_STAGE).
"""

import os
import signal
import threading
import traceback
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import health
from greeting import GREETING

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8000"))
GREET = os.environ.get("GREET", "you")
REVISION = os.environ.get("WINDLASS_REVISION", "0")
COMMIT = os.environ.get("WINDLASS_COMMIT", "unknown")
STAGE = os.environ.get("WINDLASS_STAGE", "nowhere")

MARKER = f"revision {REVISION} of commit {COMMIT} in {STAGE}"
PAGE = f"""<!doctype html>
<html lang="en">
<title>Greeter</title>
<style>body {{ font: 2rem system-ui; margin: 20vh auto; max-width: 30em; text-align: center }}
small {{ color: #777; font-size: 1rem }}</style>
<h1>{escape(GREETING)}, {escape(GREET)}!</h1>
<small>{escape(MARKER)}</small>
</html>
"""


class Greeter(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path == "/":
            self._send(HTTPStatus.OK, "text/html", PAGE)
        elif self.path == "/health":
            self._send(*_health())
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", "There is no such page.\n")

    def log_message(self, format: str, *args: object) -> None:
        """Leave the ordinary request out of the log."""

    def _send(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _health() -> tuple[HTTPStatus, str, str]:
    try:
        return HTTPStatus.OK, "text/plain", f"{health.check()}\n"
    except Exception:
        traceback.print_exc()
        return HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain", "not well\n"


def main() -> None:
    """Serve until told to end; requests in hand are finished."""
    server = ThreadingHTTPServer((HOST, PORT), Greeter)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"{MARKER} listens on {HOST} port {PORT}", flush=True)
    server.serve_forever(poll_interval=0.05)
    print("ended", flush=True)


if __name__ == "__main__":
    main()
