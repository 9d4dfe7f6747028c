"""An engine that cannot give an image is no engine, and is found out in bounded time."""

import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.servers import engine

IMAGE = "windlass.test/kafka:1"


class EngineWithoutImages(BaseHTTPRequestHandler):
    """Answers as Docker's engine does that has no way to a registry."""

    def do_GET(self) -> None:
        if self.path.endswith("/version"):
            self._answer(200, {"ApiVersion": "1.44", "Version": "25"})
        elif "/images/" in self.path:
            self._answer(404, {"message": "No such image"})
        else:
            self._answer(200, "OK")

    def do_POST(self) -> None:
        if "/images/create" in self.path:
            self._answer(200, {"error": "no route to the registry"})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so it is called above
        """Say nothing."""

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def engine_without_images(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), EngineWithoutImages) as server:
        serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.server_port}")
        yield
        server.shutdown()
        serving.join()


def test_an_engine_that_cannot_pull_the_image_stands_in_the_way(engine_without_images: None) -> None:
    assert engine.obstacle(IMAGE) == f"Docker cannot get {IMAGE}: no route to the registry"


def test_an_engine_that_does_not_answer_stands_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # so that nobody else listens there either
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{silent.getsockname()[1]}")
        assert engine.obstacle(IMAGE).startswith("no Docker engine answers: ")
