"""The HTTP API as the command line uses it; every failure becomes a `CommandFault`."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

# httpx would load its own command line, and with it three libraries, as a tenth of a second of every command.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # as the import system has it: not to be had

import httpx  # noqa: E402

from services.cli.connection import START_IT, Connection  # noqa: E402
from services.cli.faults import FAILED, UNREACHABLE, CommandFault  # noqa: E402
from services.cli.output import Document  # noqa: E402

CONNECT_SECONDS_MAX = 5.0
ANSWER_SECONDS_MAX = 30.0
SILENCE_SECONDS_MAX = 60.0  # on a stream; the server breaks it more often than that

NO_SUCH_ROUTE = "urn:windlass:problem:not-found"  # any other 404 is about what was asked for

# What ingest serves; in a distributed installation it may have an address of its own.
_OF_INGEST = re.compile(r"/tokens|/alarms/.+|/repositories(/.*)?|/pipelines/[^/]+/deploy")


class Api:
    """A session with one Windlass."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._clients: dict[str, httpx.Client] = {}

    def close(self) -> None:
        """Hang up."""
        for client in self._clients.values():
            client.close()

    def get(self, path: str, **query: object) -> Document:
        """Return a document."""
        return self._ask("GET", path, query, None)

    def post(self, path: str, body: Mapping[str, object], **query: object) -> Document:
        """Ask for something and return the answer."""
        return self._ask("POST", path, query, body)

    def stream(self, path: str, **query: object) -> Iterator[tuple[str, Document]]:
        """Yield the events of a stream, name and data, until the server ends it."""
        timeout = httpx.Timeout(SILENCE_SECONDS_MAX, connect=CONNECT_SECONDS_MAX)
        accept = {"Accept": "text/event-stream"}
        url = self.url_of(path)
        with (
            _reached(url),
            self._client(url).stream(
                "GET", path, params=_given(query), headers=accept, timeout=timeout
            ) as response,
        ):
            if response.status_code >= httpx.codes.BAD_REQUEST:
                response.read()
            _refuse(response)
            yield from _events(response.iter_lines())

    def _ask(
        self, method: str, path: str, query: Mapping[str, object], body: Mapping[str, object] | None
    ) -> Document:
        url = self.url_of(path)
        with _reached(url):
            response = self._client(url).request(method, path, params=_given(query), json=body)
        if _OF_INGEST.fullmatch(path):
            _refuse_another_service(response, url)
        _refuse(response)
        return _document(response, url)

    def url_of(self, path: str) -> str:
        """Return where that path is asked for."""
        return self._connection.ingest_url if _OF_INGEST.fullmatch(path) else self._connection.url

    def _client(self, url: str) -> httpx.Client:
        if url not in self._clients:
            self._clients[url] = httpx.Client(
                base_url=f"{url}/api/v1",
                headers={"Authorization": f"Bearer {self._connection.token}"},
                timeout=httpx.Timeout(ANSWER_SECONDS_MAX, connect=CONNECT_SECONDS_MAX),
                trust_env=False,  # a proxy has no business between us and loopback
                verify=not url.startswith("http://"),  # reading the certificates takes longer than asking
            )
        return self._clients[url]


def _document(response: httpx.Response, url: str) -> Document:
    try:
        document = response.json() if response.content else {}
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise CommandFault(f"What answers at {url} is no Windlass.", next_=START_IT)
    return document


@contextmanager
def _reached(url: str) -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException:
        message = f"Windlass at {url} takes too long to answer."
        raise CommandFault(message, next_="Its log tells what it is doing.", code=UNREACHABLE) from None
    except (httpx.TransportError, httpx.InvalidURL):
        message = f"No Windlass answers at {url}."
        raise CommandFault(message, next_=START_IT, code=UNREACHABLE) from None


def _given(query: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in query.items() if value is not None}


def _refuse(response: httpx.Response) -> None:
    if response.status_code < httpx.codes.BAD_REQUEST:
        return
    try:
        problem = response.json()
        detail, next_, type_ = str(problem["detail"]), str(problem["next"]), str(problem.get("type", ""))
    except (ValueError, KeyError, TypeError):
        detail, next_, type_ = f"The server answered {response.status_code}.", "Is it a Windlass?", ""
    raise CommandFault(detail, next_=next_, code=FAILED, problem=type_)


def _refuse_another_service(response: httpx.Response, url: str) -> None:
    """Say so where a Windlass answers that has no such route: each service may have an address of its own."""
    if response.status_code != httpx.codes.NOT_FOUND:
        return
    with suppress(ValueError, AttributeError):
        if response.json().get("type") == NO_SUCH_ROUTE:
            raise CommandFault(
                f"The process at {url} does not serve ingest.",
                next_="Set WINDLASS_INGEST_URL to where `windlass serve ingest` is, beside WINDLASS_URL.",
            )


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Document]]:
    name, data = "message", ""
    for line in lines:
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            data += line.removeprefix("data:").removeprefix(" ")
        elif not line and data:
            yield name, json.loads(data)
            name, data = "message", ""
