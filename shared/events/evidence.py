"""What was observed when something failed. Facts only: the classifier judges them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

LOG_TAIL_LINES_MAX = 100  # lines of output that travel with a failure
LOG_LINE_CHARACTERS_MAX = 2_000  # the rest of a longer line stays in the log


# Why a probe did not pass, for rules; `problem` says it to people.
ProbeFault = Literal[
    "",  # it passed
    "refused",  # nobody listens
    "unresolved",  # the name has no address
    "unreachable",  # no way to the address
    "forbidden",  # an address that may not be probed
    "tls",  # no trusted connection
    "broken",  # not HTTP, or it broke off
    "timeout",  # no whole answer in time
    "redirect",  # it led nowhere: too many, or to what may not be followed
    "status",
    "release",  # another release answered
    "content",
    "slow",
    "ended",  # the service's process is not there any more
    "restarted",  # another process of it answers than at first
    "command",  # a command that was asked said no, or did not end in time
]
ProbeKind = Literal["http", "tcp", "command", "process"]


# Who found the fault names it: there is nothing to judge, and what was printed before is no cause.
Stated = Literal[
    "",  # nobody: it is judged by what was observed
    "outputs",  # a script ended well, and what it gave as outputs cannot be read
    "report",  # the tests' own report tells of failed ones
    "rejected",  # by a person
    "unanswered",  # nobody decided in time
    "lacking",  # a value that is only known late is not there
    "not_begun",  # the deployment's time was over before the run began
    "deployment_limit",  # the deployment's time was over while the run went on
]


class Fact(BaseModel):
    """A frozen part of an event's body."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class LogLine(Fact):
    """One line of output, without its line end."""

    at: datetime
    text: str


class ProbeResult(Fact):
    """One probe and what came of it."""

    at: datetime
    url: str  # what was asked: an address, "tcp://127.0.0.1:9090", or a command as people read it
    kind: ProbeKind = "http"
    service: str = ""  # whose probe it is
    passed: bool
    status: int | None = None  # None: no HTTP answer
    latency_seconds: float | None = None
    fault: ProbeFault = ""
    problem: str = ""  # why it did not pass, in a sentence
    body_head: str = ""  # the first characters of an unexpected answer, or the last that a command said


class ProbeRound(Fact):
    """All probes of a verification, made once side by side."""

    number: int  # from 1
    at: datetime
    probes: tuple[ProbeResult, ...]
    further: int = 0  # that passed as well and are not told


class Diagnostics(Fact):
    """What was found on the target at the moment of a failure."""

    at: datetime
    process: Literal["running", "exited", "lost", "absent"]
    exit_code: int | None = None
    signal: str = ""
    restarts: int = 0  # since the release came up
    listening: tuple[str, ...] = ()  # where its processes take connections: "127.0.0.1:5000", "[::]:8080"
    log_tail: tuple[LogLine, ...] = ()


class Evidence(Fact):
    """All that is known of one failure, bounded."""

    phase: Literal["clone", "detect", "build", "publish", "setup", "deploy", "rollout", "verify"]
    kind: Literal["process", "probe", "source", "artifact", "target", "timeout", "interrupted", "error"]
    message: str  # one sentence: what was tried and what came back
    what: str = ""  # the step, artifact or service it happened in
    exit_code: int | None = None
    signal: str = ""  # "SIGKILL", when one ended the process
    provider_code: str = ""  # the outside system's own error code
    started_at: datetime | None = None
    finished_at: datetime | None = None
    probes: tuple[ProbeResult, ...] = ()
    log_tail: tuple[LogLine, ...] = ()
    log_first_line: int = 1  # the number of the tail's first line in the whole log
    stated: Stated = ""
    diagnostics: Diagnostics | None = None
