"""Rules about the way to what is fetched from or talked to: names, connections, TLS, limits, a server's
own errors.

Such a fault makes a failure retryable, so it must be the tool's own final word: in the tool's own format,
not got over afterwards, and not printed by the application's tests, which fail under their runner's summary
and are settled first.
"""

import re

from shared.diagnosis.evidence import Case
from shared.diagnosis.network_words import (
    BROKEN,
    CUT,
    LIMITED,
    SERVER,
    TRUST,
    UNNAMED,
    UNREACHED,
    Words,
    alone,
    begun,
)
from shared.diagnosis.rule import Find, Finding, Rule, block, first_of, got_over, line, network
from shared.diagnosis.sample import failed
from shared.diagnosis.tool_words import (
    AGAIN,
    BUILDS,
    GOT_OVER,
    LOGS,
    NPM,
    PASSES,
    STARTS,
    TOOLS,
    spoken,
)

_PIP_EXHAUSTED = re.compile(r"WARNING: Retrying \(Retry\(total=0,")
_PIP_FOUND_NOTHING = re.compile(
    r"ERROR: (?:Could not find a version .{0,300}\(from versions: none\)|HTTPS?Conn"
    r"|Could not install packages)"
)
_PIP_UNNAMED = re.compile(r".{0,600}(?:[Nn]ame or service not known|name resolution|getaddrinfo failed)")
_PIP_TRUST = re.compile(r".{0,600}CERTIFICATE_VERIFY_FAILED")


def _pip(holds: Find) -> Find:
    return lambda case: holds(case) if case.phase in {"build", "rollout", "deploy", "unknown"} else None


def _pip_unreached(case: Case) -> Finding | None:
    """Find pip out of retries: what it then calls a missing version is a network that is not there."""
    place = next((n for n, text in enumerate(case.lines) if _PIP_EXHAUSTED.match(text)), None)
    if place is None:
        return None
    after = range(place, len(case.lines))
    said = next((n for n in after if _PIP_FOUND_NOTHING.match(case.lines[n])), None)
    return Finding(place, (place, said)) if said is not None else None


def _pip_says(what: re.Pattern[str]) -> Find:
    def find(case: Case) -> Finding | None:
        finding = _pip_unreached(case)
        return finding if finding and what.match(case.lines[finding.place]) else None

    return _pip(find)


_RETRIES = re.compile(
    r"info There appears to be trouble with your network connection|warning: spurious network error"
    r"|WARNING: Retrying \(Retry\(total=| ?\[?\s?WARN\s?\]?\s{1,2}(?:GET"
    r"|POST) .{1,300} error \(.{1,60}Will retry"
    r"|npm http fetch .{1,300} failed with |npm (?:warn|WARN) .{0,200}(?:ECONN\w{1,10}|ETIMEDOUT|EAI_AGAIN)"
    r"|Retrying (?:fetcher|download|in \d)|\s{0,20}Retrying\.$|Connecting to \S{1,200}\.\.\. ?$"
)


_SOCKETS = (  # the last word of a build's own program; nobody listening on this machine is not the network
    r"(?:Uncaught )?Error: getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ",
    r"(?:Uncaught )?Error: connect E(?:CONNREFUSED|TIMEDOUT|HOSTUNREACH|NETUNREACH) (?!127\.|::1|localhost)",
    r"(?:Uncaught )?Error: (?:read ECONNRESET|Client network socket disconnected)",
    r"socket\.gaierror: |TimeoutError: \[Errno 110\] |ConnectionResetError: \[Errno 104\] ",
)


def _in_a_build(find: Find) -> Find:
    """Find it only where the log is known to be a build's: a service says the same of what it needs."""
    return lambda case: find(case) if case.phase in BUILDS else None


def _tries_again(case: Case) -> Finding | None:
    """Find a tool that was trying to reach something when its time was over."""
    if case.kind != "timeout" or case.phase not in TOOLS:
        return None
    places = range(len(case.lines))[-2:]
    place = next((each for each in places if _RETRIES.match(case.lines[each])), None)
    return None if place is None else Finding(place, (place,))


def _final(*kinds: Words) -> Find:
    """Find such words as a tool's last, and for long."""
    whole = [pattern for words in kinds for pattern in alone(words)]
    installs = [NPM + r"code " + words.npm + r"\b" for words in kinds if words.npm]
    said = re.compile("|".join(words.said for words in kinds))
    squeezed = "|".join(words.squeezed for words in kinds)
    return spoken(
        first_of(
            line(TOOLS, *whole, unless_later=GOT_OVER),
            line(STARTS, *installs, unless_later=GOT_OVER),
            _saying(said),
            block(TOOLS, BROKEN, squeezed),
        )
    )


def _saying(said: re.Pattern[str]) -> Find:
    """Find a line that begins as a tool's last word and goes on with this."""

    def find(case: Case) -> Finding | None:
        if case.phase not in TOOLS and case.phase != "unknown":
            return None
        first = got_over(case, GOT_OVER)
        for place, end in begun(case.lines):
            if place >= first and said.search(case.lines[place], end):
                return Finding(place, (place,))
        return None

    return find


NETWORK_RULES: tuple[Rule, ...] = (
    Rule(
        "rate_limited",
        _final(LIMITED),
        "The other side limits how much may be asked of it in a time; it passes.",
        (AGAIN,),
        answer=network,
        home="build",
        check=(
            "Whether the step is signed in: without a name, registries let through far less.",
            "Whether many builds fetch the same things at once: a cache or a mirror asks once.",
        ),
        done_when="The same request is answered, some minutes later or signed in.",
        confidence="certain",
        example=failed(
            "build", "Error response from daemon: toomanyrequests: You have reached your pull limit"
        ),
        near_miss=failed("build", "npm error code E404\nnpm error 404 Not Found - too-many-requests@1"),
    ),
    Rule(
        "certificate_not_trusted",
        first_of(_final(TRUST), _pip_says(_PIP_TRUST)),
        "The server's certificate is not trusted here: it has expired, is for another name, or its issuer is"
        " not known.",
        ("openssl s_client -connect HOST:443 -servername HOST", "date"),
        answer=network,
        home="build",
        check=(
            "Whether the certificate has expired or is for another name: the message says which.",
            "Whether a proxy signs in its place: then its certificate has to be given to the tool.",
            (
                "Whether the image has certificates at all (the package ca-certificates), "
                "and its clock is right."
            ),
        ),
        done_when="`openssl s_client` says `Verify return code: 0 (ok)` from where the step runs.",
        confidence="certain",
        example=failed("build", "curl: (60) SSL certificate problem: certificate has expired"),
        near_miss=failed("build", "curl: (6) Could not resolve host: files.example.com"),
    ),
    Rule(
        "name_not_resolved",
        first_of(_final(UNNAMED), _pip_says(_PIP_UNNAMED)),
        "A host's name could not be found: the name is wrong, or the name server does not answer.",
        ("getent hosts HOST", "cat /etc/resolv.conf"),
        answer=network,
        home="build",
        check=(
            "Whether the name in the message is spelt right.",
            (
                "Whether the machine, or the container in which it runs, has a name server that knows it:"
                " names inside a company are often known only there."
            ),
        ),
        done_when="`getent hosts` gives an address for it where the step runs.",
        confidence="certain",
        example=failed("build", "curl: (6) Could not resolve host: files.example.com"),
        near_miss=failed("build", "npm error code E404\nnpm error 404 Not Found - GET /enotfound-handler"),
    ),
    Rule(
        "server_has_errors",
        _final(SERVER),
        "The registry or forge answered with an error of its own; it most often passes.",
        (AGAIN, LOGS),
        answer=network,
        home="build",
        check=("Whether the service says on its status page that it has trouble.",),
        done_when=PASSES,
        confidence="certain",
        example=failed("build", "npm error code E503\nnpm error 503 Service Unavailable - GET http://r/x"),
        near_miss=failed("build", "GET /health 503\nTests passed\nmake: *** [Makefile:3: all] Error 2"),
    ),
    Rule(
        "network_unreachable",
        first_of(
            _final(UNREACHED, CUT), _tries_again, _pip(_pip_unreached), _in_a_build(line(BUILDS, *_SOCKETS))
        ),
        "Something that is fetched could not be reached over the network, or the connection broke off.",
        ("curl -v URL", AGAIN),
        answer=network,
        home="build",
        check=(
            "Whether the host and port in the message are right, and reached from where the step runs.",
            "Whether a firewall or a proxy stands between: HTTPS_PROXY and NO_PROXY of the step.",
        ),
        done_when=PASSES,
        example=failed("build", "npm error code ECONNRESET\nnpm error network read ECONNRESET"),
        near_miss=failed(
            "build",
            "npm warn fetch ECONNRESET\nadded 2 packages in 1s\nsrc/a.ts(1,1): error TS2304: no name x",
        ),
    ),
)
