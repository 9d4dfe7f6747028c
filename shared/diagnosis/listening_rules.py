"""Rules about listening: a service that takes no connections where it is asked to, or ends before it does.

Where its processes really listen is a fact (`Diagnostics.listening`), and stands above what a banner
says. A banner counts only where nothing answered, and only the line with which a server says where it
takes connections: "Network: http://192.168.0.7:5173" beside it is no fault of a network.
"""

import re
from ipaddress import ip_address

from shared.diagnosis.evidence import Case, Phase
from shared.diagnosis.last_words import PROGRAMS, SERVES, dying, last_words, said
from shared.diagnosis.program_rules import STARTED
from shared.diagnosis.rule import IN_THE_END, Finding, Rule, ended, fact, first_of, line
from shared.diagnosis.sample import failed
from shared.events import Diagnostics, ProbeResult

STARTS: frozenset[Phase] = frozenset({"rollout"})
LOGS = "windlass logs {pipeline} {revision} --stage {stage}"
RESTARTS_MIN = 2  # once may have been a person
AFTER_LINES = IN_THE_END - 1  # known from the end, and more than that it ended
PORTS = "ss -ltnp"

_ADDRESS = re.compile(r"(?:[a-z]{3,5}://)?(?P<host>\[[0-9a-f:]{2,39}\]|[\w.*-]{0,80}):(?P<port>\d{1,5})\b")
_BANNER = re.compile(  # how servers say where they take connections
    r"\s{0,8}(?:\[[^\]]{1,60}\] ){0,4}(?:\S{1,3} {1,3})?(?:INFO:? {1,8}|info:? {1,8}|- )?(?:\S{1,40}: )?"
    r"(?:Running on|Listening (?:on|at)|[Ll]istening (?:on|at)(?: port)?|Uvicorn running on|Serving on"
    r"|serving on"
    r"|Starting (?:development )?server at|[Ss]erver (?:is )?(?:ready|running|started|listening|up)"
    r"(?: and listening)? (?:at|on)(?: port)?|Local: |- Local: |Now listening on:|Tomcat started on port"
    r"|HTTP server listening on|[Aa]pp (?:is )?(?:listening|running) (?:at|on)(?: port)?)"
)
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def _where(text: str) -> tuple[str, int] | None:
    """Return host and port of an address as programs and tools write it."""
    found = _ADDRESS.search(text)
    return (found["host"], int(found["port"])) if found else None


def _is_local(host: str) -> bool:
    """Tell whether only the machine itself gets there."""
    if host in _LOCAL_NAMES:
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _unheard(case: Case) -> bool:
    """Tell whether it is about a service that runs and does not answer."""
    seen = case.failed_probe
    refused = case.kind == "probe" and seen is not None and seen.fault == "refused"
    return (case.phase == "rollout" and case.kind == "timeout") or (case.phase in SERVES and refused)


def _asked(probe: ProbeResult | None) -> tuple[str, int] | None:
    return _where(probe.url) if probe else None


def _facts(case: Case) -> tuple[tuple[str, int], ...]:
    seen = case.diagnostics
    return tuple(place for each in seen.listening if (place := _where(each))) if seen else ()


def _banner(case: Case) -> tuple[int, str, int] | None:
    """Return where the program said that it listens: the line, the host, the port."""
    for place, text in enumerate(case.lines):
        if said_so := _BANNER.match(text):
            where = _where(text[said_so.end() :].lstrip())
            if where:
                return place, *where
    return None


def _bound_to_localhost(case: Case) -> Finding | None:
    if not _unheard(case):
        return None
    asked = _asked(case.failed_probe)
    places = _facts(case)
    if places:
        hosts = [host for host, port in places if asked is None or port == asked[1]]
        outside = asked is not None and not _is_local(asked[0])
        only = bool(hosts) and all(_is_local(host) for host in hosts)
        six = bool(hosts) and all(":" in host for host in hosts)
        return Finding(AFTER_LINES, _listed(case)) if only and (outside or six) else None
    said_so = _banner(case)
    if said_so is None or not _is_local(said_so[1]) or (asked is not None and _is_local(asked[0])):
        return None
    return Finding(AFTER_LINES, (said_so[0],))


def _other_port(case: Case) -> Finding | None:
    if not _unheard(case):
        return None
    asked = _asked(case.failed_probe)
    if places := _facts(case):
        other = asked is None or all(port != asked[1] for _, port in places)
        return Finding(AFTER_LINES, _listed(case)) if other else None
    said_so = _banner(case)
    if said_so is None or (asked is not None and said_so[2] == asked[1]):
        return None
    return Finding(AFTER_LINES, (said_so[0],))


def _listed(case: Case) -> tuple[int | str, ...]:
    seen = case.diagnostics
    told = f"its processes take connections at {', '.join(seen.listening)}" if seen else ""
    said_so = _banner(case)
    return (told, said_so[0]) if said_so else (told,)


def _crash_loop(case: Case) -> bool:
    seen: Diagnostics | None = case.diagnostics
    restarted = seen is not None and seen.restarts >= RESTARTS_MIN and case.phase in SERVES
    return restarted or case.provider_code in {"CrashLoopBackOff", "CRASH_LOOP"}


def _privileged(case: Case) -> Finding | None:
    """Find Python's refused bind: only the traceback above says that it was about a port."""
    for place in last_words(case) if case.phase in PROGRAMS | {"unknown"} else ():
        above = case.lines[max(0, place - 3) : place]
        bind = any("bind(" in text for text in above)
        if case.lines[place].startswith("PermissionError: [Errno 13]") and bind:
            return Finding(place, (place,))
    return None


LISTENING_RULES: tuple[Rule, ...] = (
    Rule(
        "port_privileged",
        first_of(
            _privileged,
            dying(
                PROGRAMS,
                r"(?:Uncaught )?Error: listen EACCES: permission denied",
                r"nginx: \[emerg\] bind\(\) to \S{1,100} failed \(13: Permission denied\)",
                r"\(13\)Permission denied: .{0,40}could not bind to address ",
                r"(?:ERROR: +)?\[Errno 13\] (?:error while attempting to bind|Permission denied$)",
                r"PermissionError: \[Errno 13\] error while attempting to bind",
                r"(?:Caused by: |Exception in thread \"[^\"]{1,60}\" )?java\.net\.(?:Socket|Bind)Exception:"
                r" Permission denied",
            ),
            said(PROGRAMS, r"\bbind: permission denied", r"Permission denied - bind\(2\)"),
        ),
        "The program listens on a port below 1024, which only a privileged user may.",
        (PORTS,),
        home="rollout",
        check=(
            "Whether the program listens on $PORT: it is a port that it may take.",
            "The port in its own settings or in its start command.",
        ),
        done_when="The service listens on $PORT.",
        confidence="certain",
        example=failed("rollout", "2026/03/01 12:00:00 listen tcp :80: bind: permission denied", exit_code=1),
        near_miss=failed("rollout", "Error: EACCES: permission denied, open '/etc/shop.key'", exit_code=1),
    ),
    Rule(
        "address_in_use",
        first_of(
            dying(
                PROGRAMS,
                r"(?:OSError: |ERROR: +)?\[Errno (?:98|48)\]",  # Python on Linux and macOS; uvicorn
                r"(?:\[[^\]]{1,60}\] ){0,3}(?:\[ERROR\] )?Connection in use: ",  # gunicorn
                r"(?:\[[^\]]{1,60}\] ){0,3}\[ERROR\] Can't connect to \('",
                r"(?:Uncaught )?(?:Error: )?listen EADDRINUSE\b",
                r"(?:OSError: )?Address already in use$",
                r"nginx: \[emerg\] (?:bind\(\) to|still could not bind)",
                r"Port \d{1,5} (?:is in use by another program|is already in use|was already in use)",
                r"Web server failed to start\. Port \d{1,5} was already in use",
                r".{0,200}[Bb]ind for \S{1,80} failed: port is already allocated",
                r"Unhandled exception\. System\.IO\.IOException: Failed to bind to address .{0,100}already"
                r" in use",
                r"Error: That port is already in use",
            ),
            dying(PROGRAMS, r".{0,200}(?:bind|listen)\b", says=r"[Aa]ddress already in use"),
            said(PROGRAMS, r"Address already in use", r"java\.net\.BindException: ", r"Errno::EADDRINUSE"),
            line(PROGRAMS, r".{0,200}Address already in use \(os error"),  # Rust
        ),
        "The program listens on a port that another process has: it should listen on $PORT.",
        (PORTS, LOGS),
        home="rollout",
        check=(
            "Whether the program listens on $PORT, and not on a port written into it.",
            "Who has the port: often an earlier copy of the same program that was never ended.",
            "Whether the program starts a second server, such as one for metrics, on a fixed port.",
        ),
        done_when="The service listens on $PORT.",
        confidence="certain",
        example=failed("rollout", "Error: listen EADDRINUSE: address already in use :::3000", exit_code=1),
        near_miss=failed("rollout", "Error: listen EACCES: permission denied 0.0.0.0:80", exit_code=1),
    ),
    Rule(
        "copy_running_already",
        dying(
            PROGRAMS,
            r"A server is already running[.( ]",
            r"FATAL: {1,2}lock file \"[^\"]{1,200}\" already exists",
            r"(?:.{0,60}: )?(?:Another|another) (?:instance|process|copy) (?:of \S{1,60} )?is already"
            r" running",
            r"(?:Error: )?(?:P|p)id ?file .{1,200} (?:already )?exists",
            r"\S{1,3} Another next .{1,40} server is already running",
        ),
        "A copy of the program runs already, or an earlier one left its note of that behind.",
        ("ps -ef", LOGS),
        home="rollout",
        check=(
            "Whether the process in the file that the line names is still there.",
            "Whether that file is part of the image or of a kept folder: it should be removed at the start.",
        ),
        done_when=STARTED,
        confidence="certain",
        example=failed(
            "rollout", "A server is already running. Check /app/tmp/pids/server.pid.", exit_code=1
        ),
        near_miss=failed("rollout", "sync: another sync is already running, skipped", exit_code=3),
    ),
    Rule(
        "crash_loop",
        first_of(
            fact(_crash_loop, place=AFTER_LINES),
            line(
                SERVES,
                r"(?:.{0,120} )?Back-off restarting failed container",
                r"\S{1,120} {1,20}\d{1,3}/\d{1,3} {1,20}CrashLoopBackOff\b",
                r"(?: {1,20}Reason: {1,20}|.{0,80}\breason: )CrashLoopBackOff\b",
                r"\[PM2\]\[ERROR\] .{0,100}|PM2 .{0,60}Script .{0,200} had too many unstable restarts",
                r"\S{1,80}: (?:Start request repeated too quickly|Scheduled restart job, restart counter"
                r" is at [3-9])",
            ),
        ),
        "The program starts, ends and is started again, over and over.",
        (LOGS,),
        home="rollout",
        check=(
            "The last lines of one life, before the next begins: they say why it ended.",
            "Whether the first seconds need something that is not there yet: settings, a file, a database.",
        ),
        done_when="The number of restarts stays the same while the service is watched.",
        example=failed(
            "rollout",
            "  Warning  BackOff  2s (x9 over 1m)  kubelet  Back-off restarting failed container app",
        ),
        near_miss=failed("rollout", "worker: back-off, restarting failed jobs", exit_code=3),
    ),
    Rule(
        "bound_to_localhost",
        _bound_to_localhost,
        "The program listens on localhost only, or on one kind of address: from outside nobody gets through.",
        (PORTS, LOGS),
        check=(
            "The address it is told to listen on: it should be 0.0.0.0, and the port $PORT.",
            "Whether it is a server for development, which keeps to localhost unless told otherwise.",
        ),
        done_when="`ss -ltnp` shows the service at 0.0.0.0 and the port in $PORT.",
        example=failed("rollout", " * Running on http://127.0.0.1:5000", "timeout"),
        near_miss=failed("rollout", "  Network: http://192.168.0.7:5173/", "timeout"),
    ),
    Rule(
        "listens_on_other_port",
        _other_port,
        "The program listens, on a port of its own and not on $PORT.",
        (PORTS, LOGS),
        check=(
            "Whether the start command or the program reads the variable PORT.",
            "Which port is written into its settings: 3000, 5000, 8000 and 8080 are the usual ones.",
        ),
        done_when="`ss -ltnp` shows the service at the port in $PORT.",
        example=failed("rollout", "Listening at: http://0.0.0.0:8000 (11115)", "timeout"),
        near_miss=failed("rollout", "worker: listening on the queue shop:8000", exit_code=3),
    ),
    Rule(
        "ended_instead_of_serving",
        ended("process", STARTS, codes={0}),
        "The command ended without an error before it listened: it does not serve, or moves itself into"
        " the background.",
        (LOGS,),
        check=(
            "Whether the start command keeps running by hand: it must stay in the foreground.",
            "Whether the program has the code that listens, or is a script that only does its work once.",
        ),
        done_when=STARTED,
        confidence="certain",
        example=failed("rollout", "2 routes registered", exit_code=0),
        near_miss=failed("deploy", "2 routes registered", exit_code=0),
    ),
    Rule(
        "ended_before_listening",
        ended("process", STARTS),
        "The program ended before it listened on $PORT.",
        (LOGS,),
        check=(
            "The last lines that it said.",
            "Whether it starts by hand with the same variables as the step gives it.",
        ),
        done_when=STARTED,
        confidence="guess",
        example=failed("rollout", "something", exit_code=3),
        near_miss=failed("rollout", "something", exit_code=0),
    ),
    Rule(
        "never_listened",
        fact(lambda case: case.phase == "rollout" and case.kind == "timeout", place=IN_THE_END),
        "The program runs but never listened on $PORT: it uses a port of its own, takes too long, or waits.",
        (LOGS, PORTS),
        check=(
            "What it said last: it may wait for something, such as its database.",
            "Whether it listens on the port in the variable PORT.",
            "Whether it needs longer to start than the step's timeout.",
        ),
        done_when="The service listens on $PORT within the step's timeout.",
        confidence="guess",
        example=failed("rollout", "warming caches", "timeout"),
        near_miss=failed("deploy", "warming caches", "timeout"),
    ),
)
