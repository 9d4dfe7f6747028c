"""A web in memory, probed by the same rules as the real one."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

from services.verifier.address import REDIRECTS_MAX, redirect_refusal, refusal, url_refusal
from services.verifier.probe import BODY_BYTES_MAX, Answer, Probe
from shared.events import ProbeFault


@dataclass(frozen=True, slots=True)
class Page:
    """What a server does when it is asked for a path."""

    status: int = 200
    body: str = ""
    release: str = ""
    location: str = ""
    after_seconds: float = 0.0  # how long it takes to answer
    fault: ProbeFault = ""  # what it does instead of answering

    def answer(self, url: str) -> Answer:
        """Return the page as a prober would."""
        body = self.body.encode()[:BODY_BYTES_MAX].decode("utf-8", "replace")
        return Answer(url, self.after_seconds, self.status, self.release, body, self.location)


@dataclass(slots=True)
class FakeProber:
    """Answers from pages and names that a test sets, changes and counts."""

    pages: dict[str, Page | Callable[[], Page]] = field(default_factory=dict)  # by URL without its query
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
                return page.answer(url)
            following = urljoin(url, page.location)
            if why := redirect_refusal(urlsplit(url).scheme, urlsplit(following).scheme):
                return Answer(probe.url, spent, fault="redirect", problem=why)
            url = following
        return Answer(probe.url, spent, fault="redirect", problem="too many redirects")

    def _page(self, url: str) -> Page:
        self.asked.append(url)
        page = self.pages.get(url.partition("?")[0], Page(fault="refused"))
        return page if isinstance(page, Page) else page()

    def _refusal(self, url: str, probe: Probe) -> str:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if why := url_refusal(parts.scheme, host, parts.username or ""):
            return why
        refusals = [refusal(each, private_addresses=probe.private_addresses) for each in self._resolved(host)]
        return "" if "" in refusals else refusals[0]

    def _resolved(self, host: str) -> Sequence[str]:
        try:
            return [str(ip_address(host))]
        except ValueError:
            return self.names.get(host, ["127.0.0.1"])
