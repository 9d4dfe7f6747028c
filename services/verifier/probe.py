"""One question and what came back: the values between judging and asking."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.events import ProbeFault

BODY_BYTES_MAX = 64 * 1024  # read of an answer; the rest is not asked for
RELEASE_HEADER = "Windlass-Release"


@dataclass(frozen=True, slots=True)
class Probe:
    """A GET to make, once."""

    url: str
    timeout_seconds: float  # for all of it: name, connection, redirects, body
    private_addresses: bool
    follow_redirects: bool
    marker_header: str = ""  # the service's own header to be told; empty: none is asked for


@dataclass(frozen=True, slots=True)
class Connection:
    """A TCP connection to make, and to close at once."""

    host: str
    port: int
    timeout_seconds: float
    private_addresses: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; with a fault there is no answer to judge, only `problem`."""

    url: str  # that answered, after redirects
    latency_seconds: float
    status: int | None = None  # None without a fault: a connection was taken, and no more was asked
    release: str = ""
    body: str = ""  # its first BODY_BYTES_MAX bytes, decoded with replacement
    location: str = ""  # where a redirect points to
    fault: ProbeFault = ""
    problem: str = ""
    marker: str = ""  # what the service's own header says


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run, once."""

    argv: tuple[str, ...]
    folder: Path
    env: Mapping[str, str]  # beside what every program is given
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    latency_seconds: float
    content: bool  # it ended with 0
    problem: str = ""  # how else it ended, in words
    said: str = ""  # the last of its output
    unable: str = ""  # why it could not be run at all: nothing is known of the service
