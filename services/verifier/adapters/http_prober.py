"""Probes over the network. Names are resolved once a hop, guarded, and the connection goes to the judged
address with the name kept in `Host` and in the TLS handshake.

The transport is used without a client around it: no cookies, no credentials, no proxies from the
environment, no redirects but those followed here. A connection serves one probe.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from ipaddress import ip_address

import httpx

from services.verifier.adapters.prober import CONNECTIONS_MAX
from services.verifier.address import REDIRECTS_MAX, port_refusal, redirect_refusal, refusal, url_refusal
from services.verifier.probe import BODY_BYTES_MAX, RELEASE_HEADER, Answer, Connection, Probe
from shared.clock import Clock
from shared.events import ProbeFault

ADDRESSES_MAX = 4  # of one name, tried in the resolver's order until one takes the connection
RELEASE_CHARACTERS_MAX = 200

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class NoAnswer(Exception):  # noqa: N818 - named for what happened
    """There is nothing to judge; says why."""

    def __init__(self, fault: ProbeFault, problem: str) -> None:
        super().__init__(problem)
        self.fault: ProbeFault = fault


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name as the machine's resolver knows them."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class HttpProber:
    """The prober of a running Windlass. Waiting for one of its connections is no part of a probe's time."""

    def __init__(
        self,
        clock: Clock,
        resolve: Resolve = resolve_host,
        tls: ssl.SSLContext | None = None,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self._clock = clock
        self._connections = asyncio.Semaphore(connections_max)
        self._resolve = resolve
        self._transport = httpx.AsyncHTTPTransport(
            verify=tls or ssl.create_default_context(),
            trust_env=False,
            limits=httpx.Limits(max_connections=connections_max, max_keepalive_connections=0),
        )

    async def ask(self, probe: Probe) -> Answer:
        """Make the GET; every fault of the other side comes back as an answer."""
        async with self._connections:
            return await self._ask(probe)

    async def connect(self, connection: Connection) -> Answer:
        """Make the connection, guarded as a GET is."""
        async with self._connections:
            return await self._take(connection)

    async def close(self) -> None:
        """Give back what the transport holds."""
        await self._transport.aclose()

    async def _ask(self, probe: Probe) -> Answer:
        began = self._clock.now()
        try:
            async with asyncio.timeout(probe.timeout_seconds):
                url, response = await self._follow(probe)
                try:
                    body = await _head(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            silent = f"it was not complete within {probe.timeout_seconds:g} s"
            return Answer(probe.url, self._since(began), fault="timeout", problem=silent)
        except NoAnswer as none:
            return Answer(probe.url, self._since(began), fault=none.fault, problem=str(none))
        except (httpx.TransportError, httpx.StreamError) as error:
            fault, problem = _fault(error)
            return Answer(probe.url, self._since(began), fault=fault, problem=problem)
        return Answer(
            url=str(url),
            latency_seconds=self._since(began),
            status=response.status_code,
            release=_header(response, RELEASE_HEADER),
            body=body.decode("utf-8", "replace"),
            location=response.headers.get("Location", "") if response.is_redirect else "",
            marker=_header(response, probe.marker_header),
        )

    async def _take(self, connection: Connection) -> Answer:
        began = self._clock.now()
        url = f"tcp://{connection.host}:{connection.port}"
        fault: ProbeFault = ""
        problem = ""
        try:
            async with asyncio.timeout(connection.timeout_seconds):
                await self._connect(connection)
        except TimeoutError:
            fault, problem = "timeout", f"nobody took it within {connection.timeout_seconds:g} s"
        except NoAnswer as none:
            fault, problem = none.fault, str(none)
        except OSError as error:
            fault, problem = _fault(error)
        return Answer(url, self._since(began), fault=fault, problem=problem)

    async def _follow(self, probe: Probe) -> tuple[httpx.URL, httpx.Response]:
        """Return the answer to judge: the first, or the end of the redirects."""
        url = _parsed(probe.url)
        for _ in range(REDIRECTS_MAX + 1):
            response = await self._connect_and_get(url, probe)
            if not (probe.follow_redirects and response.has_redirect_location):
                return url, response
            await response.aclose()
            url = _next_hop(url, response.headers["Location"])
        raise NoAnswer("redirect", f"more than {REDIRECTS_MAX} redirects, the last to {url}")

    async def _connect_and_get(self, url: httpx.URL, probe: Probe) -> httpx.Response:
        why = url_refusal(url.scheme, _host(url), url.userinfo.decode("ascii", "replace"))
        if why := why or port_refusal(_port(url)):
            raise NoAnswer("forbidden", f"{_named(url)} may not be probed: {why}")
        failure: httpx.ConnectError | None = None
        at = Connection(_host(url), _port(url), probe.timeout_seconds, probe.private_addresses)
        for address in await self._permitted(at):
            try:
                return await self._transport.handle_async_request(_request(url, address))
            except httpx.ConnectError as error:
                failure = error
        assert failure is not None, "there is at least one permitted address"
        raise failure

    async def _connect(self, connection: Connection) -> None:
        named = f"{connection.host}:{connection.port}"
        if why := "it names no host" if not connection.host else port_refusal(connection.port):
            raise NoAnswer("forbidden", f"{named} may not be probed: {why}")
        failure: OSError | None = None
        for address in await self._permitted(connection):
            try:
                _, writer = await asyncio.open_connection(address, connection.port)
            except OSError as error:
                failure = error
            else:
                writer.transport.abort()  # nothing was said that could be waited for
                return
        assert failure is not None, "there is at least one permitted address"
        raise failure

    async def _permitted(self, connection: Connection) -> Sequence[str]:
        """Return the addresses of the host that may be probed; at least one."""
        addresses = await self._addresses(connection.host, connection.port)
        allowed = connection.private_addresses
        refusals = {each: refusal(each, private_addresses=allowed) for each in addresses}
        permitted = [each for each, why in refusals.items() if not why]
        if not permitted:
            why = next(iter(refusals.values()), "it has no address")
            named = f"{connection.host}:{connection.port}"
            raise NoAnswer("forbidden", f"{named} may not be probed: {why}")
        return permitted[:ADDRESSES_MAX]

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            return [str(ip_address(host.partition("%")[0]))]
        except ValueError:
            pass
        try:
            return await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise NoAnswer("unresolved", f"the name {host} has no address: {error}") from error

    def _since(self, began: datetime) -> float:
        return (self._clock.now() - began).total_seconds()


def _parsed(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except httpx.InvalidURL as error:
        raise NoAnswer("forbidden", f"it is no address: {error}") from error


def _next_hop(url: httpx.URL, location: str) -> httpx.URL:
    try:
        following = url.join(location)
    except httpx.InvalidURL as error:
        raise NoAnswer("redirect", f"it redirects to what is no address: {error}") from error
    if why := redirect_refusal(url.scheme, following.scheme):
        raise NoAnswer("redirect", f"a redirect to {_named(following)} is not followed: {why}")
    return following


def _request(url: httpx.URL, address: str) -> httpx.Request:
    headers = [
        ("Host", url.netloc.decode("ascii")),
        ("User-Agent", "windlass-verifier"),
        ("Accept", "*/*"),
        ("Accept-Encoding", "identity"),  # a compressed body could be any size, and hides its text
        ("Cache-Control", "no-store"),
        ("Connection", "close"),
    ]
    named = {"sni_hostname": _host(url)}
    return httpx.Request("GET", url.copy_with(host=address), headers=headers, extensions=named)


async def _head(response: httpx.Response) -> bytes:
    """Return the start of the body; the connection is closed on the rest."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) >= BODY_BYTES_MAX:
            break
    return bytes(body[:BODY_BYTES_MAX])


def _named(url: httpx.URL) -> str:
    """Return the URL for people, without what may be secret in it."""
    return f"{url.scheme}://{_host(url)}:{_port(url)}{url.path}"


def _host(url: httpx.URL) -> str:
    """Return the host as the network knows it; its readable form need not exist."""
    return url.raw_host.decode("ascii")


def _port(url: httpx.URL) -> int:
    return (443 if url.scheme == "https" else 80) if url.port is None else url.port


def _header(response: httpx.Response, name: str) -> str:
    """Return a header's value; one that is there twice reads as neither of them."""
    value: str = response.headers.get(name, "") if name else ""
    return value[:RELEASE_CHARACTERS_MAX]


def _fault(error: httpx.TransportError | httpx.StreamError | OSError) -> tuple[ProbeFault, str]:
    """Return what a vendor's error means to us, by the first cause that says it."""
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return "tls", f"its certificate is not trusted: {cause.verify_message}"
            case ssl.SSLError():
                return "tls", f"no TLS connection: {cause.reason or cause}"
            case ConnectionRefusedError():
                return "refused", "connection refused"
            case OSError(errno=errno.ENETUNREACH | errno.EHOSTUNREACH | errno.EADDRNOTAVAIL):
                return "unreachable", f"no way to its address: {cause.strerror}"
            case ConnectionError():
                return "broken", "the connection broke before the answer was complete"
    return "broken", f"what came back is no complete HTTP answer: {str(error) or type(error).__name__}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors behind an error, the nearest to the network first."""
    seen: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in seen:
        seen.append(following)
        following = following.__cause__ or following.__context__
    for each in reversed(seen):
        if isinstance(each, BaseExceptionGroup):
            yield from each.exceptions
        yield each
