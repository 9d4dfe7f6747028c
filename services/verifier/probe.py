"""One question over HTTP and what came back: the values between judging and asking."""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; with a fault there is no answer to judge, only `problem`."""

    url: str  # that answered, after redirects
    latency_seconds: float
    status: int | None = None
    release: str = ""
    body: str = ""  # its first BODY_BYTES_MAX bytes, decoded with replacement
    location: str = ""  # where a redirect points to
    fault: ProbeFault = ""
    problem: str = ""
