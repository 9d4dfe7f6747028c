"""Rules about builds and fetching source: package installers, compilers, test runners, git.

A network fault makes a failure retryable, so it must be the tool's own final word: in the tool's own
format, not got over afterwards, and not printed by the application's tests, which fail under their
runner's summary and are settled first.
"""

import re

from shared.diagnosis.evidence import Case, Phase
from shared.diagnosis.rule import (
    Finding,
    Rule,
    access,
    ended,
    fact,
    infrastructure,
    line,
    network,
    settled,
)

BUILDS: frozenset[Phase] = frozenset({"build"})
TOOLS: frozenset[Phase] = frozenset({"clone", "detect", "build", "publish", "setup", "deploy"})
LOGS = "windlass logs {pipeline} {revision}"
AGAIN = "windlass deploy {pipeline}"

NPM = r"npm (?:ERR!|error) "
GOT_OVER = re.compile(  # what installers say at their good end
    r"(?:added|changed|audited) \d+ packages?\b|up to date\b|Successfully installed |success \S"
    r"|Installed \d+ packages? in |Done in \d"
)
UNREACHED = (  # as resolvers, sockets and TLS libraries say it
    r"(?:[Cc]ould not resolve host|[Ff]ailed to connect|[Cc]onnection (?:timed out|reset|refused)"
    r"|[Oo]peration timed out|[Nn]etwork is unreachable|[Tt]emporary failure (?:in name resolution|resolving)"
    r"|no such host|i/o timeout|TLS handshake timeout|[Rr]ecv failure|SSL_connect|GnuTLS recv error"
    r"|[Uu]nknown ?[Hh]ost|EAI_AGAIN|ECONNRESET|ETIMEDOUT|ENOTFOUND|socket hang up"
    r"|The requested URL returned error: 5\d\d)"
)
TOOL_UNREACHED = (
    NPM + r"(?:code|errno) (?:E(?:CONNRESET|CONNREFUSED|TIMEDOUT|AI_AGAIN|NOTFOUND|NETUNREACH|HOSTUNREACH)"
    r"|ERR_SOCKET_TIMEOUT|E50[234])\b",
    r" ?ERR_PNPM_META_FETCH_FAIL\b",
    r"error (?:An unexpected error occurred: |Error: ).{0,300}" + UNREACHED,  # yarn
    r"ERROR: Could not install packages due to an OSError: HTTPS?ConnectionPool",
    r"fatal: unable to access .{0,300}: .{0,100}" + UNREACHED,
    r"ssh: Could not resolve hostname ",
    r"ssh: connect to host \S{1,200} port \d{1,5}: (?:Connection|Network|No route)",
    r"curl: \((?:6|7|28|35|52|56)\) ",
    r"wget: unable to resolve host",
    r"E: Failed to fetch .{0,300}" + UNREACHED,
    r"(?:ERROR|error|Error response from daemon|failed): .{0,200}"  # Docker, BuildKit
    r"(?:Get |Head |failed to do request|dial tcp).{0,200}" + UNREACHED,
    r"go: \S{1,200}: .{0,200}(?:Get |dial tcp).{0,200}" + UNREACHED,
    r"\[ERROR\] .{0,300}Could not transfer artifact .{0,200}" + UNREACHED,
)
RATE_LIMITED = (
    r"(?:.{0,200}: )?toomanyrequests: ",
    NPM + r"code E429\b",
    r"(?:ERROR|error): .{0,200}429 Too Many Requests",
)
ACCESS_CODES = frozenset({
    "AccessDenied", "AccessDeniedException", "AuthFailure", "ExpiredToken", "ExpiredTokenException",
    "InvalidClientTokenId", "SignatureDoesNotMatch", "UnauthorizedOperation", "UnrecognizedClientException",
})  # fmt: skip
REFUSED = (
    r"fatal: Authentication failed for ",
    r"fatal: could not read (?:Username|Password) for ",
    r"fatal: unable to access .{0,300}: The requested URL returned error: 40[13]",
    r"remote: (?:Invalid username or (?:password|token)|HTTP Basic: Access denied|Repository not found)",
    r"remote: (?:Permission to \S{1,200} denied|Write access to repository not granted)",
    r"(?:\S{1,200}: )?Permission denied \((?:publickey|password|keyboard)",
    NPM + r"code (?:E401|E403|ENEEDAUTH)\b",
    r"ERROR: (?:HTTP error 40[13]|40[13] Client Error)",  # pip
    r"(?:ERROR|Error response from daemon|error): .{0,200}no basic auth credentials",
    r"(?:ERROR|Error response from daemon|error): .{0,200}authentication required",
    r"(?:ERROR|Error response from daemon|error): .{0,200}(?:pull|requested) access .{0,40}denied",
    r"(?:ERROR|Error response from daemon|error): .{0,200}incorrect username or password",
    r"denied: requested access",
    r"unauthorized: (?:authentication required|incorrect username)",
    r"(?:[\w.]{0,100}ClientError: )?An error occurred \((?:" + "|".join(sorted(ACCESS_CODES)) + r")\)",
    r"Unable to locate credentials\b",  # AWS
)
TESTS_FAILED = (
    r"=+ .{0,100}\b\d+ (?:failed|errors?)\b.{0,100} in [\d.]+s",  # pytest
    r"FAILED \((?:failures|errors)=\d",  # unittest
    r"Tests: +\d+ failed",  # Jest
    r" {0,8}Tests  \d+ failed",  # Vitest
    r" {1,4}\d+ failing$",  # Mocha
    r"--- FAIL: ",  # Go
    r"FAIL\s\S{1,200}\s[\d.]+s",
    r"test result: FAILED\b",  # Cargo
    r"\[ERROR\] Tests run: \d+, (?:Failures: [1-9]|Failures: 0, Errors: [1-9])",  # Maven
    r"\d+ examples?, [1-9]\d* failure",  # RSpec
)
_PIP_EXHAUSTED = re.compile(r"WARNING: Retrying \(Retry\(total=0,")
_PIP_FOUND_NOTHING = re.compile(
    r"ERROR: (?:Could not find a version .{0,300}\(from versions: none\)|HTTPS?Conn)"
)


def _pip_unreached(case: Case) -> Finding | None:
    """Find pip out of retries: what it then calls a missing version is a network that is not there."""
    if case.phase not in BUILDS and case.phase != "unknown":
        return None
    place = next((n for n, text in enumerate(case.lines) if _PIP_EXHAUSTED.match(text)), None)
    if place is None:
        return None
    said = [text for text in case.lines[place:] if _PIP_FOUND_NOTHING.match(text)]
    return Finding(place, (case.lines[place], said[0])) if said else None


BUILD_RULES: tuple[Rule, ...] = (
    Rule(
        "tests_failed",
        settled(line({"build", "deploy"}, *TESTS_FAILED)),
        "The project's own tests failed.",
        (LOGS,),
        home="build",
    ),
    Rule(
        "access_refused_by_provider",
        fact(lambda case: case.provider_code in ACCESS_CODES),
        "The provider refused the credential: it is missing, expired, or lacks a permission.",
        answer=access,
    ),
    Rule(
        "access_refused",
        line(TOOLS, *REFUSED),
        "A repository, registry or provider refused the credential: it is missing, expired, or lacks a"
        " permission.",
        (LOGS, "windlass repo list"),
        answer=access,
    ),
    Rule(
        "rate_limited",
        line(TOOLS, *RATE_LIMITED, unless_later=GOT_OVER),
        "The registry limits how much may be fetched without signing in; it passes.",
        (AGAIN,),
        answer=network,
        home="build",
    ),
    Rule(
        "network_unreachable",
        line(TOOLS, *TOOL_UNREACHED, unless_later=GOT_OVER),
        "Something that is fetched could not be reached over the network.",
        (AGAIN, LOGS),
        answer=network,
        home="build",
    ),
    Rule(
        "network_unreachable",
        _pip_unreached,
        "Something that is fetched could not be reached over the network.",
        (AGAIN, LOGS),
        answer=network,
        home="build",
    ),
    Rule(
        "dependency_not_found",
        line(
            BUILDS,
            NPM + r"code (?:E404|ETARGET|ENOVERSIONS)\b",
            r" ?ERR_PNPM_(?:FETCH_404|NO_MATCHING_VERSION)\b",
            r"error Couldn't find (?:package|any versions) ",  # yarn
            r"ERROR: (?:Could not find a version that satisfies|No matching distribution found)",  # pip
            r"error: no matching package named ",  # Cargo
            r"go: .{0,300}(?:unknown revision|: not found)",
            r"\[ERROR\] .{0,300}Could not find artifact ",  # Maven
            r"E: Unable to locate package ",  # apt
        ),
        "A dependency is declared that its registry does not have, under that name and version.",
        (LOGS,),
        home="build",
    ),
    Rule(
        "lockfile_out_of_step",
        line(
            BUILDS,
            NPM + r".{0,100}can only install (?:packages )?(?:with an existing|when your) ",
            r" ?ERR_PNPM_(?:OUTDATED|NO)_LOCKFILE\b",
            r"error Your lockfile needs to be updated",
            r"error: the lock file \S{1,300} needs to be updated",
        ),
        "The lock file is missing or does not fit the declared dependencies.",
        (LOGS, "git status --short"),
        home="build",
    ),
    Rule(
        "compiler_refused",
        line(BUILDS, r"[^\s:(]{1,200}[(:]\d{1,7}[,:]\d{1,5}\)?: (?:fatal )?error\b", r"error\[E\d{4}\]"),
        "The compiler refused the source.",
        (LOGS,),
        home="build",
    ),
    Rule(
        "output_missing",
        ended("artifact", BUILDS | {"publish"}),
        "The build's commands ended well, but the artifact's path is missing or cannot be packed.",
        (LOGS, "windlass plan"),
    ),
    Rule(
        "build_timed_out",
        ended("timeout", BUILDS),
        "The build did not end within its time limit.",
        (LOGS,),
    ),
    Rule(
        "build_command_failed",
        ended("process", BUILDS),
        "A command of the build ended with an error.",
        (LOGS,),
    ),
    Rule(
        "source_unreadable",
        ended("source", {"clone", "detect", "build", "deploy"}),
        "The repository could not be read at this commit.",
        ("windlass repo list",),
    ),
    Rule(
        "host_interrupted",
        fact(lambda case: case.kind == "interrupted"),
        "The host went down with the process on it; whether its effects took place is for a person to see.",
        (LOGS,),
        answer=infrastructure,
    ),
)
