"""A web in memory, probed by the same rules as the real one; processes and commands that are only told of."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from socket import inet_aton, inet_ntoa
from urllib.parse import urljoin, urlsplit

from services.verifier.address import REDIRECTS_MAX, port_refusal, redirect_refusal, refusal, url_refusal
from services.verifier.probe import BODY_BYTES_MAX, Answer, Command, Connection, Outcome, Probe
from services.verifier.signals import Signals
from shared.events import Diagnostics, LocalPlace, ProbeFault


@dataclass(frozen=True, slots=True)
class Page:
    """What a server does when it is asked for a path."""

    status: int = 200
    body: str = ""
    release: str = ""
    location: str = ""
    after_seconds: float = 0.0  # how long it takes to answer
    fault: ProbeFault = ""  # what it does instead of answering
    headers: Mapping[str, str] = field(default_factory=dict)  # of the service's own

    def answer(self, url: str, marker_header: str) -> Answer:
        """Return the page as a prober would."""
        body = self.body.encode()[:BODY_BYTES_MAX].decode("utf-8", "replace")
        answer = Answer(url, self.after_seconds, self.status, self.release, body, self.location)
        named = {name.lower(): value for name, value in self.headers.items()}
        return replace(answer, marker=named.get(marker_header.lower(), ""))


@dataclass(slots=True)
class FakeProber:
    """Answers from pages and names that a test sets, changes and counts."""

    pages: dict[str, Page | Callable[[], Page]] = field(default_factory=dict)  # by URL without its query
    ports: set[str] = field(default_factory=set)  # that take connections, as "host:port"
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)  # host -> addresses
    asked: list[str] = field(default_factory=list)  # each URL that a connection was made for
    heard: asyncio.Event = field(default_factory=asyncio.Event)  # set by every probe
    hanging: asyncio.Event | None = None  # while it is there and not set, nothing is answered

    async def ask(self, probe: Probe) -> Answer:
        """Follow the pages as the network would lead."""
        self.heard.set()
        if self.hanging:
            await self.hanging.wait()
        url, spent = probe.url, 0.0
        for _ in range(REDIRECTS_MAX + 1):
            if why := self._refusal(url, probe):
                return Answer(url, spent, fault="forbidden", problem=f"{url} may not be probed: {why}")
            page = self._page(url)
            spent += page.after_seconds
            if spent > probe.timeout_seconds or page.fault:
                return Answer(probe.url, spent, fault=page.fault or "timeout", problem="nothing came back")
            if not (probe.follow_redirects and page.location):
                return page.answer(url, probe.marker_header)
            following = urljoin(url, page.location)
            if why := redirect_refusal(urlsplit(url).scheme, urlsplit(following).scheme):
                return Answer(probe.url, spent, fault="redirect", problem=why)
            url = following
        return Answer(probe.url, spent, fault="redirect", problem="too many redirects")

    async def connect(self, connection: Connection) -> Answer:
        """Take the connection where a port is open, or a page is."""
        self.heard.set()
        if self.hanging:
            await self.hanging.wait()
        url = f"tcp://{connection.host}:{connection.port}"
        allowed = connection.private_addresses
        why = port_refusal(connection.port) or self._address_refusal(
            connection.host, private_addresses=allowed
        )
        if why:
            return Answer(url, 0.0, fault="forbidden", problem=f"it may not be probed: {why}")
        self.asked.append(url)
        if f"{connection.host}:{connection.port}" in self.ports | {
            urlsplit(each).netloc for each in self.pages
        }:
            return Answer(url, 0.0)
        return Answer(url, 0.0, fault="refused", problem="connection refused")

    def _page(self, url: str) -> Page:
        self.asked.append(url)
        asked = url.partition("?")[0]
        here = any(urlsplit(each).netloc == urlsplit(asked).netloc for each in self.pages)
        page = self.pages.get(asked, Page(404) if here else Page(fault="refused"))
        return page if isinstance(page, Page) else page()

    def _refusal(self, url: str, probe: Probe) -> str:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if why := url_refusal(parts.scheme, host, parts.username or ""):
            return why
        return self._address_refusal(host, private_addresses=probe.private_addresses)

    def _address_refusal(self, host: str, *, private_addresses: bool) -> str:
        if not host:
            return "it names no host"
        refusals = [refusal(each, private_addresses=private_addresses) for each in self._resolved(host)]
        return "" if "" in refusals else refusals[0]

    def _resolved(self, host: str) -> Sequence[str]:
        with suppress(ValueError):
            return [str(ip_address(host))]
        with suppress(OSError, UnicodeError):
            return [inet_ntoa(inet_aton(host))]  # as resolvers read "2130706433" and "0x7f.1"
        return self.names.get(host, ["127.0.0.1"])


@dataclass(slots=True)
class FakeObserver:
    """Sees what a test sets; of any other place nothing can be seen."""

    seen: dict[str, Signals] = field(default_factory=dict)  # by the place's folder of lives
    found: dict[str, Diagnostics] = field(default_factory=dict)
    ports: dict[str, set[str]] = field(default_factory=dict)  # of the latest process, as "host:port"

    async def signals(self, place: LocalPlace) -> Signals | None:
        """See `Observer`."""
        return self.seen.get(place.lives)

    async def diagnostics(self, place: LocalPlace) -> Diagnostics | None:
        """See `Observer`."""
        return self.found.get(place.lives)

    async def takes_connections(self, place: LocalPlace, host: str, port: int) -> bool | None:
        """See `Observer`."""
        held = self.ports.get(place.lives)
        return None if held is None else f"{host}:{port}" in held


@dataclass(slots=True)
class FakeCommands:
    """Commands that end as a test sets; one that is not known ends well."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)  # by the program
    run_so_far: list[Command] = field(default_factory=list)

    async def run(self, command: Command) -> Outcome:
        """See `Commands`."""
        self.run_so_far.append(command)
        return self.outcomes.get(command.argv[0], Outcome(0.0, content=True))

    async def end_leftovers(self) -> None:
        """See `Commands`; nothing outlives a fake."""
