"""Rules about what we run on: memory, disk, limits, signals, and a host that went down.

Being killed is the host's doing (it is short of memory) or a person's; a limit that a program set itself,
such as Node's heap, is the program's.
"""

from collections.abc import Collection

from shared.diagnosis.evidence import Case
from shared.diagnosis.provider_words import coded
from shared.diagnosis.rule import Rule, ended, fact, first_of, infrastructure, line, settled
from shared.diagnosis.sample import failed
from shared.diagnosis.tool_words import EVERYWHERE, LOGS, PASSES, SHELL, spoken

PROGRAMS = EVERYWHERE - {"verify"}
KILLED = (
    r"(?:" + SHELL + r")?(?:.{0,40}\s)?Killed(?: {2,}.{0,300})?$",  # a shell's word for SIGKILL
    r"\S{1,200}: line \d{1,6}: {1,8}\d{1,8} Killed\b",
    r"(?:npm (?:ERR!|error) )?signal SIGKILL$",
    r".{0,200}(?:fatal error: Killed signal terminated program|internal compiler error: Killed)",
    r".{0,300}\(signal: 9, SIGKILL: kill\)",
    r".{0,300}: signal: killed$",
    (
        r".{0,300}(?:ELIFECYCLE|[Ee]xit(?:ed)?(?: with)?(?: [Cc]ode| status| value)?:?|non-zero code:"
        r"|error code) 137\b"
    ),
    r"make(?:\[\d{1,3}\])?: \*\*\* \[.{1,200}\] (?:Killed|Error 137)",
    r".{0,60}Gradle build daemon disappeared unexpectedly",
    r".{0,100}(?:Out of memory: Killed process|oom-kill:|Memory cgroup out of memory)",
    r".{0,100}Worker \(pid:\d{1,8}\) was sent SIGKILL! Perhaps out of memory",  # gunicorn
    r".{0,200}\bOOMKilled\b",
    r".{0,100}OutOfMemoryError: Container killed due to memory usage",
    r".{0,100}Runtime exited with error: signal: killed",
    (
        r".{0,100}(?:command|process|program) .{0,200}(?:was killed by|received"
        r"|terminated by) (?:signal )?(?:9\b|SIGKILL)"
    ),
    (
        r".{0,40}The build failed because the process exited too early\. This probably "
        r"means the system ran out of mem"
    ),
    r"error: script \".{1,80}\" was terminated by signal SIGKILL",  # Bun
    r"error Command failed with signal \"SIGKILL\"",  # yarn
    r".{0,300}\bwas killed with SIGKILL\b",  # pnpm
    r"(?:clang|clang\+\+|gcc|g\+\+)(?:-\d{1,3})?: error: unable to execute command: Killed",
    r"collect2: fatal error: ld terminated with signal 9",
    r"\s{0,20}The node was low on resource: memory",
    r".{0,300}A worker process (?:has failed|was terminated).{0,40}SIGKILL",
)
NO_MEMORY = (
    r"(?:"
    + SHELL
    + r"|\S{1,100}: )?fork: (?:retry: )?(?:Cannot allocate memory|Resource temporarily unavailable)",
    (
        r"(?:OSError|BlockingIOError|RuntimeError)?:? ?\[Errno 1[12]\] (?:Cannot allocate memory"
        r"|Resource temporarily)"
    ),
    r".{0,300}[Cc]annot allocate memory(?: \(os error 12\))?$",
    r".{0,60}There is insufficient memory for the Java Runtime Environment to continue",
    r"OpenJDK .{0,80}warning: INFO: os::commit_memory",
    r"Error occurred during initialization of VM$",
    r".{0,300}unable to create (?:new )?native thread",
    r"(?:runtime/cgo: )?pthread_create failed: ",
    r"(?:runtime: )?failed to create new OS thread|fatal error: runtime: cannot allocate memory",
    r"(?:\w{0,20}Error: )?spawn (?:ENOMEM|EAGAIN)\b|\[?Error: ENOMEM\b",
    r"RuntimeError: can't start new thread",
    r"MemoryError\b",
    r"(?:numpy\.\S{1,80}\.)?_?ArrayMemoryError: ",
    r"(?:runtime: |fatal error: ).{0,80}out of memory",
    r"terminate called after throwing an instance of 'std::bad_alloc'|.{0,40}what\(\): {1,3}std::bad_alloc",
    r"memory allocation of \d{1,20} bytes failed",
    r"(?:\S{1,100}: )?virtual memory exhausted: ",
    r".{0,100}ERROR: could not (?:resize shared memory|fork)",
)
NO_SPACE = (
    r"(?:\S{0,80}Error: )?(?:\[Errno 28\]|\[Errno 122\])",
    (
        r"(?:\[?\w{0,20}Error: |npm (?:ERR!|error) (?:code |nospc )?|error |ERR_PNPM_"
        r"|.{0,6}YN\d{4}: .{0,60}?)(?:ENOSPC|EDQUOT)\b"
    ),
    r"npm (?:ERR!|error) errno -28\b",
    (
        r"(?!.{0,100}\b(?:INFO|WARN|DEBUG)\b).{0,400}[:(\]] ?(?:[Nn]o space left on device"
        r"|[Dd]isk quota exceeded)"
    ),
    r"(?:ERROR: )?Could not install packages due to an OSError: \[Errno 28\]",
    r"E: You don't have enough free space in ",
    r"(?!.{0,100}\b(?:INFO|WARN|DEBUG)\b).{0,400}\bENOSPC: no space left on device",
    r"(?:fatal: )?.{0,200}Out of diskspace",
    (
        r".{0,200}(?:System\.IO\.IOException: )?(?:There is not enough space on the disk"
        r"|No space left on device)"
    ),
    r".{0,200}(?:database or disk is full|not enough (?:free )?(?:disk )?space\b)",
    r"\s{0,20}The node (?:was low on resource: ephemeral-storage|had condition: \[DiskPressure\])",
)
HEAP = (
    (
        r"(?:Exception in thread .{0,200}|\[ERROR\] |> |Caused by: |The system is out of resources)?"
        r"(?:java\.lang\.)OutOfMemoryError\b(?!: unable to create)"
    ),
    r"(?:.{0,100} )?FATAL ERROR: .{0,200}(?:heap out of memory|Allocation failed|invalid table size)",
    r"(?:PHP )?Fatal error: {1,2}(?:Uncaught .{0,40})?(?:Allowed memory size of|Out of memory)",
    r".{0,100}Expiring Daemon because JVM heap space is exhausted",
    r".{0,40}NoMemoryError\b",
    r".{0,200}ERR_WORKER_OUT_OF_MEMORY",
    r"(?:Unhandled exception\. )?System\.OutOfMemoryException: ",
)


GOES_DOWN = (
    r"(?:Broadcast message from .{1,80}|The system (?:is going down|will (?:reboot|power off)) )",
    r".{0,80}The runner has received a shutdown signal",
    r".{0,80}(?:instance is being (?:terminated|preempted)|Spot [Ii]nstance [Ii]nterruption)",
)


def _is_interrupted(case: Case) -> bool:
    return case.kind == "interrupted"


def _has_ended(case: Case, codes: Collection[int], signals: Collection[str]) -> bool:
    """Tell whether a service that was probed is found to have ended so."""
    found = case.diagnostics if case.phase in {"rollout", "verify"} else None
    return (
        found is not None
        and found.process == "exited"
        and (found.exit_code in codes or found.signal in signals)
    )


HOST_RULES: tuple[Rule, ...] = (
    Rule(
        "host_interrupted",
        first_of(fact(_is_interrupted), line(PROGRAMS, *GOES_DOWN)),
        "The host went down with the process on it; whether its effects took place is for a person to see.",
        (LOGS, "uptime", "journalctl --boot=-1 --lines=50"),
        answer=infrastructure,
        check=(
            "How far the step came: its last lines, and what it was to change.",
            "Why the host went down: its own log of the time before.",
        ),
        done_when="What the step was to do is there once, and a retry of the run passes.",
        confidence="certain",
        example=failed("deploy", "applying change 3 of 7", "interrupted"),
        near_miss=failed("deploy", "interrupted by signal, trying again\nboom", exit_code=1),
    ),
    Rule(
        "memory_exhausted",
        settled(spoken(line(PROGRAMS, *HEAP))),
        "The program used up the memory that it may use: its own limit, not the host's.",
        ("free -m", "NODE_OPTIONS=--max-old-space-size=4096"),
        home="build",
        check=(
            "The program's own limit: --max-old-space-size of Node, -Xmx of Java, memory_limit of PHP.",
            "Whether it needs that much: a leak, or a build that takes everything at once.",
        ),
        done_when="It ends by itself, and its memory stays below the limit.",
        confidence="certain",
        example=failed(
            "build", "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"
        ),
        near_miss=failed(
            "build", "test memory: raises OutOfMemoryError when full ... ok\nmake: *** [all] Error 2"
        ),
    ),
    Rule(
        "killed_for_memory",
        first_of(
            ended("process", PROGRAMS, codes={137, -9}, signals={"SIGKILL"}),
            coded({"OutOfMemoryError", "OOMKilled"}),
            fact(lambda case: _has_ended(case, {137, -9}, {"SIGKILL"})),
            spoken(line(PROGRAMS, *KILLED)),
        ),
        "The process was killed from outside, most often because the host ran out of memory.",
        ("dmesg | grep -i 'out of memory'", "free -m"),
        answer=infrastructure,
        home="build",
        check=(
            "The kernel's log at that time: it names each process that it kills for memory.",
            "How much memory the container or the machine may use, and what else runs beside it.",
            "Whether fewer things at once (workers, parallel compilers) need less.",
        ),
        done_when="It ends by itself, and the kernel's log has no new line about it.",
        example=failed("build", "vite v5 building for production...", exit_code=137),
        near_miss=failed("build", "Killed 3 idle workers\nmake: *** [all] Error 2", exit_code=2),
    ),
    Rule(
        "memory_not_given",
        spoken(line(PROGRAMS, *NO_MEMORY)),
        "The host gave the program no more memory, or no more processes or threads.",
        ("free -m", "ulimit -a"),
        answer=infrastructure,
        home="build",
        check=(
            "How much memory the host has left, and how much a container may use.",
            "Whether there is a limit on processes (ulimit -u, pids.max) that is reached.",
        ),
        done_when="The same command starts beside what usually runs there.",
        example=failed("build", "bash: fork: retry: Resource temporarily unavailable", exit_code=254),
        near_miss=failed("build", "read: Resource temporarily unavailable\nmake: *** [all] Error 2"),
    ),
    Rule(
        "disk_full",
        spoken(line(EVERYWHERE, *NO_SPACE)),
        "There is no room left on the disk, or no more files may be made on it.",
        ("df -h", "df -i", "docker system df"),
        answer=infrastructure,
        home="build",
        check=(
            "Which disk is full: the one of the path in the message, often that of caches or images.",
            "Whether it is full of files rather than of bytes: `df -i`.",
        ),
        done_when="`df -h` and `df -i` show room where the step writes, also while it runs.",
        confidence="certain",
        example=failed("build", "cp: error writing 'dist/app.js': No space left on device"),
        near_miss=failed("build", "warning: cache is at 90% of its space\nmake: *** [all] Error 2"),
    ),
    Rule(
        "watches_exhausted",
        settled(line(EVERYWHERE, r".{0,60}ENOSPC: System limit for number of file watchers reached")),
        "The host lets programs watch no more files.",
        ("sysctl fs.inotify.max_user_watches",),
        answer=infrastructure,
        home="rollout",
        check=("Whether the program has to watch files at all: what is built for use has not.",),
        done_when="The program starts without the message.",
        confidence="certain",
        example=failed(
            "rollout", "Error: ENOSPC: System limit for number of file watchers reached, watch '/app'"
        ),
        near_miss=failed("build", "Error: ENOSPC: no space left on device, write"),
    ),
    Rule(
        "crashed_in_native_code",
        first_of(
            ended(
                "process",
                PROGRAMS,
                codes={134, 139, 135, 132, -6, -11, -7, -4},
                signals={"SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL"},
            ),
            fact(
                lambda case: _has_ended(case, {134, 139, 135, -6, -11, -7}, {"SIGSEGV", "SIGABRT", "SIGBUS"})
            ),
            line(
                PROGRAMS,
                r"(?:"
                + SHELL
                + r"|\S{1,200}: line \d{1,6}: {1,8}\d{1,8} |.{0,40}\s)?(?:Segmentation fault|Bus error|"
                r"Illegal instruction|Aborted)(?: {2,}.{0,200}|\s{0,2}\(core dumped\).{0,200})?$",
                r"Fatal Python error: ",
                r"SIGSEGV: segmentation violation",
                r"# A fatal error has been detected by the Java Runtime Environment",
            ),
        ),
        "The program crashed below its own language: a native library or the interpreter itself.",
        ("coredumpctl info", "file PROGRAM"),
        home="rollout",
        check=(
            "Which native module was loaded last, and whether it was built for this system and this version.",
            "Whether an update of the base image or of one package came with it.",
        ),
        done_when="The program runs past the place where it crashed.",
        example=failed("rollout", "starting", exit_code=-11, signal="SIGSEGV"),
        near_miss=failed("build", "1 test aborted\nmake: *** [all] Error 2", exit_code=2),
    ),
    Rule(
        "ended_from_outside",
        ended(
            "process", PROGRAMS, codes={143, -15, 129, -1, 130, -2}, signals={"SIGTERM", "SIGINT", "SIGHUP"}
        ),
        "The process was asked to end from outside: somebody or something on the host stopped it.",
        (LOGS, "journalctl --since '1 hour ago'"),
        check=(
            "Who stopped it: a person, a supervisor, a limit on its time that is not ours, or a shutdown.",
            "Whether a script of the step ends its own process group.",
        ),
        done_when=PASSES,
        example=failed("deploy", "copying", exit_code=143),
        near_miss=failed("deploy", "copying", exit_code=1),
    ),
)
