"""Rules about the fit of a program and the machine that runs it: processor, system libraries, limits."""

from shared.diagnosis.evidence import Case
from shared.diagnosis.last_words import PROGRAMS, SERVES, dying, tells
from shared.diagnosis.program_rules import SHELL, STARTED
from shared.diagnosis.rule import Find, Rule, ended, fact, first_of, infrastructure, line, settled
from shared.diagnosis.sample import failed, found, probed

LOGS = "windlass logs {pipeline} {revision} --stage {stage}"
KILLED_BY_CODE = {137, -9}
KILLED_CODES = {"OutOfMemoryError", "OOMKilled", "OutOfMemory"}


def _killed_while_asked(case: Case) -> bool:
    """Tell a service that was killed while it was waited for or probed, from what was found on the target."""
    seen = case.diagnostics
    if case.phase not in SERVES or seen is None or seen.process != "exited":
        return False
    return seen.exit_code in KILLED_BY_CODE or seen.signal == "SIGKILL"


def _while_served(find: Find) -> Find:
    """Leave what a shell says of any program to the rules about hosts, where it is no service's."""
    return lambda case: find(case) if case.phase == "verify" and tells(case) else None


MACHINE_RULES: tuple[Rule, ...] = (
    Rule(
        "service_killed_for_memory",
        first_of(
            fact(_killed_while_asked),
            fact(lambda case: case.provider_code in KILLED_CODES),
            line(
                SERVES,
                r"(?:STOPPED \()?OutOfMemoryError: Container killed due to memory usage",
                r"\s{1,20}Reason: {1,20}OOMKilled\b",
                r"(?:\[[^\]]{1,60}\] ){0,3}\[ERROR\] Worker \(pid:\d{1,8}\) was sent SIGKILL! Perhaps out"
                r" of memory",
                r".{0,100}Runtime exited with error: signal: killed",
                r"\S{1,80}: (?:Main process exited, code=killed, status=9/KILL|Failed with result"
                r" 'oom-kill')",
                r"\S{1,80}: A process of this unit has been killed by the OOM killer",
                r"DAMN ! worker \d{1,6} \(pid: \d{1,8}\) died, killed by signal 9",
                r"(?:exited: \S{1,80} \(terminated by SIGKILL|.{0,40}worker process \d{1,8} exited on"
                r" signal 9)",
                r"(?:.{0,80}WorkerLostError: )?Worker exited prematurely: signal 9 \(SIGKILL\)",
                r"\S{1,100} exited with code 137$",
            ),
            _while_served(line(SERVES, SHELL + r"\s{0,8}\d{1,8} Killed\b")),
        ),
        "The service was killed from outside, most often because its container or host ran out of memory.",
        ("dmesg | grep -i 'out of memory'", "free -m"),
        answer=infrastructure,
        home="rollout",
        check=(
            "The memory limit of the container or service, against what the program needs at its start.",
            "The kernel's log at that time: it names each process that it kills for memory.",
            "Whether fewer workers need less.",
        ),
        done_when="The process lives through the step, and its use of memory stays below the limit.",
        example=probed("ended", diagnostics=found(process="exited", signal="SIGKILL")),
        near_miss=probed("ended", diagnostics=found(process="exited", signal="SIGTERM")),
    ),
    Rule(
        "library_of_another_version",
        settled(
            dying(
                PROGRAMS,
                r"\S{1,200}: (?:\S{1,200}: )?version `(?:GLIBC|GLIBCXX|CXXABI|OPENSSL)_?[\w.]{1,20}' not"
                r" found",
                r"(?:ImportError|OSError|Error): .{0,300}version `\w{1,20}[\w.]{0,20}' not found",
                r"\S{1,200}: symbol lookup error: ",
                r"(?:ImportError|OSError): .{0,300}undefined symbol: ",
                r"Error relocating \S{1,200}: ",  # musl
            )
        ),
        "A system library on this host is older or newer than the one that the program was built against.",
        ("ldd --version",),
        home="rollout",
        check=(
            "Where the program was built: on a newer system than the one it runs on.",
            "Whether it can be built on the target's system, or without system libraries.",
        ),
        done_when=STARTED,
        confidence="certain",
        example=failed(
            "rollout",
            "./server: /lib/libc.so.6: version `GLIBC_2.38' not found (required by ./server)",
            exit_code=1,
        ),
        near_miss=failed(
            "rollout", "./server: error while loading shared libraries: libpq.so.5: cannot open"
        ),
    ),
    Rule(
        "shared_library_missing",
        settled(
            dying(
                PROGRAMS,
                r"\S{1,200}: error while loading shared libraries: ",
                r"(?:ImportError|OSError|Error): .{0,200}\.so[\w.]{0,20}: cannot open shared object file",
                r"Error loading shared library \S{1,200}: No such file",  # musl
                r".{0,80}java\.lang\.UnsatisfiedLinkError: ",
                r"Unable to load dynamic library '",
            )
        ),
        "The program needs a system library that is not installed on this host.",
        ("ldd PROGRAM",),
        home="rollout",
        check=(
            "Which system package has the library that the line names, and whether the target has it.",
            "Whether the program can be built without it.",
        ),
        done_when=STARTED,
        confidence="certain",
        example=failed(
            "rollout",
            "./app: error while loading shared libraries: libssl.so.1.1: cannot open",
            exit_code=127,
        ),
        near_miss=failed("rollout", "ImportError: cannot import name 'ssl' from 'lib'"),
    ),
    Rule(
        "native_module_mismatch",
        settled(
            dying(
                PROGRAMS,
                r"Error: The module '.{1,300}'$",
                r"was compiled against a different Node\.js version using",
                r"Error: .{0,300}(?:invalid ELF header|wrong ELF class|mach-o file, but is an incompatible)",
                r"(?:ImportError|OSError): .{0,300}(?:invalid ELF header|wrong ELF class|incompatible"
                r" architec)",
                r"(?:Error: )?(?:Could not load the \"sharp\" module|\S{1,100} could not be loaded:"
                r" .{0,100}bind)",
                r"Error: Cannot find module '@?[\w/.-]{1,80}(?:linux|darwin|win32)-(?:x64|arm64)[\w-]{0,20}'",
                r"(?:Prisma\w{0,40}Error|Error): .{0,100}Query [Ee]ngine .{0,40}for (?:the )?runtime",
                r"ImportError: numpy\.core\.multiarray failed to import",
                r"RuntimeError: module compiled against A[BP]I version",
            )
        ),
        "A compiled module of the artifact is for another machine, or for another version of the"
        " interpreter.",
        (LOGS, "uname -m"),
        home="rollout",
        check=(
            (
                "Whether the dependencies were installed where the program runs: same system, processor,"
                " version."
            ),
            "Whether a folder of installed dependencies is in the repository, or was copied from a laptop.",
        ),
        done_when=STARTED,
        confidence="certain",
        example=failed(
            "rollout", "Error: /app/node_modules/bcrypt/lib/bcrypt.node: invalid ELF header", exit_code=1
        ),
        near_miss=failed("rollout", "Error: Cannot find module 'bcrypt'", exit_code=1),
    ),
    Rule(
        "wrong_architecture",
        settled(
            first_of(
                line(
                    PROGRAMS,
                    SHELL + r".{0,200}: (?:cannot execute binary file|Exec format error)",
                    SHELL + r".{0,200}: .{0,20}not found: (?:ELF|not in executable format)",
                    r"exec (?:user process caused: )?.{0,200}: ?exec format error",
                    r"standard_init_linux\.go:\d{1,5}: exec user process caused: exec format error",
                    r"(?:.{0,200}[ :])?(?:fork/)?exec \S{1,200}: exec format error",
                    r"zsh: (?:exec format error|bad CPU type in executable): ",
                ),
                dying(
                    PROGRAMS, r"OSError: \[Errno 8\] Exec format error", r"(?:Uncaught )?Error: spawn ENOEXEC"
                ),
            )
        ),
        "The program is built for another kind of processor, or its file is no program at all.",
        ("uname -m", "file PROGRAM"),
        home="rollout",
        check=(
            "For which processor the build compiles, against the one of the target (x86-64, arm64).",
            "Whether a script has its first line: #! and the interpreter.",
        ),
        done_when=STARTED,
        confidence="certain",
        example=failed("rollout", "exec /app/server: exec format error", exit_code=1),
        near_miss=failed("rollout", "sh: 1: ./server: Permission denied", exit_code=126),
    ),
    Rule(
        "instruction_not_known",
        first_of(
            ended("process", PROGRAMS, codes={132, -4}, signals={"SIGILL"}),
            line(PROGRAMS, SHELL + r"\s{0,8}\d{1,8} Illegal instruction\b", r"Illegal instruction\b"),
        ),
        "The program uses an instruction that this processor does not have.",
        ("lscpu",),
        home="rollout",
        check=("For which generation of processors the program or a library of it was compiled.",),
        done_when=STARTED,
        confidence="certain",
        example=failed("rollout", "starting", exit_code=-4, signal="SIGILL"),
        near_miss=failed("rollout", "starting", exit_code=-11, signal="SIGSEGV"),
    ),
    Rule(
        "too_many_open_files",
        dying(
            PROGRAMS,
            r"OSError: \[Errno 24\] Too many open files",
            r"(?:Error: )?(?:EMFILE|ENFILE): too many open files",
            r".{0,200}: (?:accept|open|socket|pipe)\S{0,40}: [Tt]oo many open files",
            r"Error: ENOSPC: System limit for number of file watchers reached",
        ),
        "The program may not open as many files and connections as it does.",
        ("ulimit -n",),
        home="rollout",
        check=(
            "The limit of open files where the program runs.",
            "Whether the program forgets to close files or connections.",
        ),
        done_when="The number of open files stays below the limit.",
        confidence="certain",
        example=failed("rollout", "OSError: [Errno 24] Too many open files", exit_code=1),
        near_miss=failed("rollout", "OSError: [Errno 28] No space left on device", exit_code=1),
    ),
)
