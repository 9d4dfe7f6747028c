"""Rules about programs that end too early: services that start, and scripts. They read what an
interpreter or a shell itself prints, at the start of a line, never words that any program may log.
"""

from shared.diagnosis.evidence import Case, Phase
from shared.diagnosis.rule import IN_THE_END, Finding, Rule, ended, infrastructure, line, settled

RUNS: frozenset[Phase] = frozenset({"build", "publish", "setup", "deploy", "rollout"})
STARTS: frozenset[Phase] = frozenset({"rollout"})
LOGS = "windlass logs {pipeline} {revision} --stage {stage}"
SHELL = (  # "sh: 1: ", "script: line 3: "
    r"(?:\S{0,100}/)?(?:sh|bash|dash|ash|zsh|ksh|script|[\w.-]{1,60}\.sh): (?:line )?(?:\d{1,6}: )?"
)
ENVIRONMENT_LINES = 12  # how far above a KeyError its lookup stands in a traceback


def _not_from_environment(case: Case, place: int) -> bool:
    """Tell a KeyError of the program's own data from one of the environment."""
    above = case.lines[max(0, place - ENVIRONMENT_LINES) : place]
    return not any("environ" in text or "<frozen os>" in text for text in above)


def _uncaught(case: Case) -> Finding | None:
    """Find the error that ended the program, where no rule knows it by name."""
    starts = ("Traceback (most recent call last)", "panic: ", "Exception in thread ", "Uncaught ", "thread '")
    if case.phase not in RUNS and case.phase != "unknown":
        return None
    for place, text in enumerate(case.lines):
        if text.startswith(starts):
            after = (each for each in case.lines[place + 1 :] if not each.startswith((" ", "Traceback")))
            said = next(after, "") if text.startswith("Traceback") else ""
            return Finding(IN_THE_END, tuple(filter(None, (text, said))))
    return None


PROGRAM_RULES: tuple[Rule, ...] = (
    Rule(
        "shared_library_missing",
        settled(line(RUNS, r"\S{1,200}: error while loading shared libraries: ")),
        "The program needs a system library that is not installed on this host.",
        (LOGS, "ldd PROGRAM"),
        home="rollout",
    ),
    Rule(
        "command_not_found",
        ended("process", RUNS, codes={127}),
        "The command does not exist where it was run: it is not installed, not built, or misspelt.",
        (LOGS, "command -v COMMAND"),
    ),
    Rule(
        "command_not_executable",
        ended("process", RUNS, codes={126}),
        "The command's file was found but may not be executed, or is for another kind of machine.",
        ("git update-index --chmod=+x FILE", LOGS),
    ),
    Rule(
        "memory_exhausted",
        settled(
            line(
                RUNS,
                r"MemoryError\b",
                r"(?:Exception in thread .{0,200})?java\.lang\.OutOfMemoryError\b",
                r"FATAL ERROR: .{0,200}(?:heap out of memory|Allocation failed)",
                r"fatal error: .{0,80}out of memory",
            )
        ),
        "The program ran out of memory.",
        (LOGS, "free -m"),
        home="rollout",
    ),
    Rule(
        "killed_for_memory",
        ended("process", RUNS, codes={137, -9}, signals={"SIGKILL"}),
        "The process was killed from outside, most often because the host ran out of memory.",
        ("dmesg | grep -i 'out of memory'", "free -m"),
        answer=infrastructure,
    ),
    Rule(
        "crashed_in_native_code",
        ended("process", RUNS, codes={134, 139, -6, -11}, signals={"SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL"}),
        "The program crashed below its own language: a native library or the interpreter itself.",
        (LOGS,),
    ),
    Rule(
        "disk_full",
        line(
            RUNS,
            r"OSError: \[Errno 28\]",
            r"(?:Error: |npm (?:ERR!|error) (?:code )?)ENOSPC\b",
            r".{0,300}: No space left on device",
            r".{0,300}: Disk quota exceeded",
        ),
        "The disk is full.",
        ("df -h",),
        answer=infrastructure,
        home="deploy",
    ),
    Rule(
        "module_missing",
        line(
            RUNS,
            r"(?:ModuleNotFoundError|ImportError): ",
            r"(?:Error: |Error \[ERR_MODULE_NOT_FOUND\]: )?Cannot find (?:module|package) ['\"]",
            r".{0,200}cannot load such file -- ",  # Ruby
            r".{0,40}java\.lang\.(?:ClassNotFoundException|NoClassDefFoundError): ",
        ),
        "The program imports a module that is not part of the artifact: a dependency is not declared, or"
        " is not installed by the build.",
        (LOGS,),
        home="rollout",
    ),
    Rule(
        "file_missing",
        line(
            RUNS,
            r"FileNotFoundError: ",
            r"\[?Error: ENOENT: no such file",
            r"\S{1,200}: can't open file ",  # Python
            SHELL + r"(?:cannot open|can't open) ",
        ),
        "The program opens a file that is not part of the artifact, or looks for it in another folder.",
        (LOGS,),
        home="rollout",
    ),
    Rule(
        "syntax_error",
        line(
            RUNS,
            r"(?:SyntaxError|IndentationError|TabError): ",
            SHELL + r"(?i:syntax error)\b",
            r"PHP Parse error: ",
            r"\S{1,200}:\d{1,7}: syntax error, ",  # Ruby
        ),
        "The program's own text is not valid in its language, or needs a newer version of it.",
        (LOGS,),
        home="rollout",
    ),
    Rule(
        "address_in_use",
        line(
            RUNS,
            r"(?:OSError: |ERROR: +)?\[Errno (?:98|48)\]",  # Python on Linux and macOS; uvicorn
            r"\[.{1,80}\] (?:\[ERROR\] )?Connection in use: ",  # gunicorn
            r"(?:Error: )?listen EADDRINUSE\b",
            r".{0,200}(?:bind|listen)\b.{0,100}[Aa]ddress already in use",
            r".{0,200}Address already in use \(os error",  # Rust
            r"(?:OSError: )?Address already in use$",
        ),
        "The program listens on a port that another process has: it should listen on $PORT.",
        ("ss -ltnp", LOGS),
        home="rollout",
    ),
    Rule(
        "permission_denied",
        line(
            RUNS,
            r"PermissionError: ",
            r"(?:Error: )?EACCES: permission denied",
            r"npm (?:ERR!|error) code EACCES\b",
            SHELL + r".{0,200}[Pp]ermission denied$",
        ),
        "The program may not read, write or execute something that it needs.",
        (LOGS,),
        home="rollout",
    ),
    Rule(
        "variable_missing",
        line(
            RUNS,
            SHELL + r"[A-Za-z_]\w{0,100}: (?:parameter not set|unbound variable)",
            r"(?:\w{0,40}Error: )?(?:[Mm]issing|[Rr]equired|[Uu]ndefined) (?:required )?"
            r"environment variables?\b",
            r"(?:\w{0,40}Error: )?(?:[Ee]nvironment|[Ee]nv) (?:variable|var) .{0,100}"
            r"(?:not set|missing|required|undefined)",
        ),
        "The program needs an environment variable that is not set for this step.",
        (LOGS,),
        home="rollout",
    ),
    Rule(
        "variable_missing",
        line(RUNS, r"KeyError: '[A-Z][A-Z0-9_]{1,100}'$", unless=_not_from_environment),
        "The program needs an environment variable that is not set for this step.",
        (LOGS,),
        home="rollout",
    ),
    Rule(
        "dependency_unreachable",
        line(
            STARTS,
            r"\[?(?:Error|AggregateError)(?: \[ECONNREFUSED\])?: (?:connect ECONNREFUSED|getaddrinfo \w+ )",
            r"ConnectionRefusedError: ",
            r"[\w.]{0,100}OperationalError: .{0,200}(?:onnection refused|could not (?:connect|translate))",
            r"redis\.exceptions\.ConnectionError: ",
            r"panic: .{0,200}(?:connection refused|no such host)",
        ),
        "The program could not reach a service that it needs to start, such as its database.",
        (LOGS,),
        home="rollout",
    ),
    Rule("uncaught_error", _uncaught, "The program ended with an error of its own.", (LOGS,), home="rollout"),
    Rule(
        "ended_instead_of_serving",
        ended("process", STARTS, codes={0}),
        "The command ended without an error before it listened: it does not serve, or moves itself into"
        " the background.",
        (LOGS,),
    ),
    Rule(
        "ended_before_listening",
        ended("process", STARTS),
        "The program ended before it listened on $PORT.",
        (LOGS,),
    ),
    Rule(
        "never_listened",
        ended("timeout", STARTS),
        "The program runs but never listened on $PORT: it uses a port of its own, or takes too long.",
        (LOGS, "ss -ltnp"),
    ),
    Rule(
        "script_failed",
        ended("process", {"deploy", "publish", "setup"}),
        "A command of the step ended with an error.",
        (LOGS,),
    ),
)
