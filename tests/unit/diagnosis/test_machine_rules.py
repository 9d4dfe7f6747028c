"""Programs that do not fit the machine: what the loader and the shell say, and how the process ended."""

import pytest

from shared.diagnosis.evidence import Case
from shared.diagnosis.rules import classify, classify_case
from shared.diagnosis.sample import failed, found, probed
from tests.unit.diagnosis.samples import SETTING, STARTUP, host, named, start

SAID = {
    "glibc": (
        "./server: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by ./server)",
        "library_of_another_version",
    ),
    "glibcxx": (
        "./server: /lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by ./server)",
        "library_of_another_version",
    ),
    "a node module": (
        "Error: /lib/libc.so.6: version `GLIBC_2.34' not found (required by /app/x.node)",
        "library_of_another_version",
    ),
    "musl": (
        "Error relocating /app/x.node: __register_atfork: symbol not found",
        "library_of_another_version",
    ),
    "no library": (
        "./app: error while loading shared libraries: libssl.so.1.1: cannot open shared object file",
        "shared_library_missing",
    ),
    "no library, python": (
        "ImportError: libGL.so.1: cannot open shared object file: No such file or directory",
        "shared_library_missing",
    ),
    "no library, musl": (
        "Error loading shared library libssl.so.3: No such file or directory (needed by x)",
        "shared_library_missing",
    ),
    "node's version": (
        (
            "Error: The module '/app/node_modules/bcrypt/bcrypt.node'\nwas compiled against a different"
            " Node.js version using\nNODE_MODULE_VERSION 108."
        ),
        "native_module_mismatch",
    ),
    "elf header": ("Error: /app/node_modules/x.node: invalid ELF header", "native_module_mismatch"),
    "elf class": ("OSError: /app/lib/x.so: wrong ELF class: ELFCLASS32", "native_module_mismatch"),
    "platform package": (
        "Error: Cannot find module '@rollup/rollup-linux-x64-musl'",
        "native_module_mismatch",
    ),
    "exec format": ("exec /app/server: exec format error", "wrong_architecture"),
    "exec format, shell": ("sh: 1: ./server: Exec format error", "wrong_architecture"),
    "exec format, python": ("OSError: [Errno 8] Exec format error: './server'", "wrong_architecture"),
    "exec format, go": ("2026/03/01 12:00:00 fork/exec ./server: exec format error", "wrong_architecture"),
    "files": ("OSError: [Errno 24] Too many open files", "too_many_open_files"),
    "files, go": (
        "2026/03/01 12:00:00 http: Accept error: accept tcp [::]:80: accept4: too many open files",
        "too_many_open_files",
    ),
    "class version": (
        (
            "Error: LinkageError occurred while loading main class Main\n"
            "\tjava.lang.UnsupportedClassVersionError: Main has been compiled by a more recent version"
        ),
        "interpreter_of_another_version",
    ),
    "ruby version": (
        "Your Ruby version is 2.7.0, but your Gemfile specified 3.2.0",
        "interpreter_of_another_version",
    ),
}
KILLED = {
    "while it was waited for": failed(
        "rollout", "", "timeout", diagnostics=found(process="exited", exit_code=137)
    ),
    "while it was probed": probed("refused", diagnostics=found(process="exited", signal="SIGKILL")),
    "as its cluster says": failed("rollout", "", "target", provider_code="OOMKilled"),
    "as its master says": failed(
        "rollout",
        "[2026-03-01 12:00:00 +0000] [7] [ERROR] Worker (pid:9) was sent SIGKILL! Perhaps out of memory?",
    ),
    "as its shell says": probed(
        "refused", log="bash: line 1:  5302 Killed                  /usr/bin/python3 x"
    ),
}


@pytest.mark.parametrize(("log", "rule"), SAID.values(), ids=SAID)
def test_a_program_that_does_not_fit_its_machine_says_how(log: str, rule: str) -> None:
    assert named(classify(start(log), SETTING)) == (rule, STARTUP)


@pytest.mark.parametrize("case", KILLED.values(), ids=KILLED)
def test_a_service_that_is_killed_lacks_memory(case: Case) -> None:
    rule, answer = named(classify_case(case, SETTING))
    assert rule in {"service_killed_for_memory", "killed_for_memory"}
    assert answer == host(case.phase)


@pytest.mark.parametrize(
    "case",
    [
        failed("rollout", "", "timeout", signal="SIGKILL"),
        probed("ended", diagnostics=found(process="exited", signal="SIGTERM")),
        probed("refused", log="Killed 3 idle connections"),
        probed("status", 500, diagnostics=found(process="running")),
    ],
)
def test_one_that_was_only_ended_does_not(case: Case) -> None:
    assert classify_case(case, SETTING).answer.category != "infrastructure_failure"


def test_a_processor_that_is_too_old_is_no_crash() -> None:
    assert classify(start(code=-4, signal="SIGILL"), SETTING).rule == "instruction_not_known"
    assert classify(start(code=132), SETTING).rule == "instruction_not_known"
    assert classify(start(code=-11, signal="SIGSEGV"), SETTING).rule == "crashed_in_native_code"
