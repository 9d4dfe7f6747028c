"""What is asked of a target, one question at a time.

Without a word about it the well-known paths are asked for. Which of them a service has is only known
from its answers, so one that it does not have, or keeps behind a login, does not count; but one must.
Ports, commands and a marker are asked beside paths, never in their place.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from services.verifier.bounds import within
from services.verifier.probe import Connection, Probe
from shared.events import LocalPlace, ProbeTarget
from shared.plan import CommandCheck, PathCheck, ReleaseMarker

WELL_KNOWN = ("/", "/health", "/healthz", "/api/health")
LATENCY_SECONDS_MIN = 0.001
LATENCY_SECONDS_MAX = 60.0  # whatever a pipeline asks for
COMMAND_SECONDS_MIN = 0.1
COMMAND_SECONDS_MAX = 120.0


@dataclass(frozen=True, slots=True)
class Check:
    """One path of one target."""

    target: ProbeTarget
    path: PathCheck
    well_known: bool = False  # nobody named it: it counts only where the service has it
    marker: ReleaseMarker | None = None  # of the service's own, and its answer carries it

    @property
    def url(self) -> str:
        """Return what to ask for: joined as text, so that no path leads to another host."""
        return f"{self.target.base_url.rstrip('/')}/{self.path.path.lstrip('/')}"

    @property
    def latency_seconds_max(self) -> float:
        """Return the latency limit, within bounds that hold for everybody."""
        return latency_limit(self.target)

    @property
    def marker_header(self) -> str:
        """Return the header that carries the service's own marker, if one does."""
        return self.marker.header if self.marker else ""

    @property
    def marker_expected(self) -> str:
        """Return what the service's own marker has to say."""
        return (self.marker.value if self.marker else "") or self.target.commit

    @property
    def follows_redirects(self) -> bool:
        """Tell whether a redirect is followed rather than judged."""
        asks_for_content = bool(self.path.contains) or (self.marker is not None and not self.marker.header)
        return self.path.status is None and asks_for_content

    @property
    def expected_status(self) -> str:
        """Return the statuses that pass, for people."""
        return "2xx/3xx" if self.path.status is None else str(self.path.status)

    def question(self, timeout_seconds: float, *, private_addresses: bool) -> Probe:
        """Return it as it is asked."""
        follows = self.follows_redirects
        return Probe(self.url, timeout_seconds, private_addresses, follows, self.marker_header)


@dataclass(frozen=True, slots=True)
class PortCheck:
    """A port of a target's machine that must take a connection."""

    target: ProbeTarget
    port: int

    @property
    def host(self) -> str:
        """Return where the port is: where the service is."""
        return _host(self.target.base_url)

    @property
    def url(self) -> str:
        """Return the port as people read it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"

    @property
    def latency_seconds_max(self) -> float:
        """Return the latency limit, within bounds that hold for everybody."""
        return latency_limit(self.target)

    def question(self, timeout_seconds: float, *, private_addresses: bool) -> Connection:
        """Return it as it is asked."""
        return Connection(self.host, self.port, timeout_seconds, private_addresses)


@dataclass(frozen=True, slots=True)
class ProgramCheck:
    """A program beside a target that must be content with it."""

    target: ProbeTarget
    command: CommandCheck

    @property
    def url(self) -> str:
        """Return the command as people read it."""
        return shlex.join(self.command.command)

    @property
    def timeout_seconds(self) -> float:
        """Return its time limit, within bounds that hold for everybody."""
        return within(self.command.timeout_seconds, COMMAND_SECONDS_MIN, COMMAND_SECONDS_MAX)


@dataclass(frozen=True, slots=True)
class ProcessCheck:
    """The processes of a target, looked at rather than asked."""

    target: ProbeTarget
    place: LocalPlace

    @property
    def url(self) -> str:
        """Return the process as people read it."""
        return f"process of {self.target.service}"


AnyCheck = Check | PortCheck | ProgramCheck | ProcessCheck


def latency_limit(target: ProbeTarget) -> float:
    """Return how long an answer of the target may take, within bounds that hold for everybody."""
    return within(target.criteria.latency_seconds_max, LATENCY_SECONDS_MIN, LATENCY_SECONDS_MAX)


def checks_of(target: ProbeTarget) -> tuple[AnyCheck, ...]:
    """Return all that is asked of a target: its process first, which explains the rest."""
    return tuple(_checks(target))


def _checks(target: ProbeTarget) -> Iterator[AnyCheck]:
    criteria = target.criteria
    if target.place and target.place.lives:
        yield ProcessCheck(target, target.place)
    yield from _of_http(target)
    yield from (PortCheck(target, port) for port in criteria.tcp)
    yield from (ProgramCheck(target, command) for command in criteria.commands)


def _of_http(target: ProbeTarget) -> Iterator[Check]:
    criteria = target.criteria
    own = criteria.release
    everywhere = own if own and not own.path else None
    yield from (Check(target, path, marker=everywhere) for path in criteria.paths)
    if own and own.path:
        yield Check(target, PathCheck(path=own.path), marker=own)
    if not criteria.paths:
        for path in WELL_KNOWN:
            yield Check(target, PathCheck(path=path), well_known=True, marker=everywhere)


def _host(base_url: str) -> str:
    try:
        return urlsplit(base_url).hostname or ""
    except ValueError:
        return ""
