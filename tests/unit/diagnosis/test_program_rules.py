"""Programs that end too early: what they print and how they end."""

import pytest

from shared.diagnosis.rules import classify
from shared.events import Evidence
from tests.unit.diagnosis.samples import (
    ACCESS,
    DEPLOY,
    ENVIRON_TRACE,
    NODE_MISSING,
    PYTHON_TRACE,
    SETTING,
    STARTUP,
    evidence,
    host,
    named,
    start,
)

STARTS = [
    pytest.param(start(PYTHON_TRACE), "module_missing", STARTUP, id="python module"),
    pytest.param(start(NODE_MISSING), "module_missing", STARTUP, id="node module"),
    pytest.param(start(ENVIRON_TRACE), "variable_missing", STARTUP, id="variable looked up in python"),
    pytest.param(
        start("script: 3: TOKEN: parameter not set", 2), "variable_missing", STARTUP, id="variable in sh"
    ),
    pytest.param(
        start("bash: line 1: TOKEN: unbound variable"), "variable_missing", STARTUP, id="variable in bash"
    ),
    pytest.param(
        start("Error: Missing required environment variable STRIPE_KEY"),
        "variable_missing",
        STARTUP,
        id="variable said",
    ),
    pytest.param(start("sh: 1: gunicorn: not found", 127), "command_not_found", STARTUP, id="127"),
    pytest.param(start("sh: 1: ./run: Permission denied", 126), "command_not_executable", STARTUP, id="126"),
    pytest.param(
        start("./app: error while loading shared libraries: libssl.so.1.1: cannot open", 127),
        "shared_library_missing",
        STARTUP,
        id="127 for a library",
    ),
    pytest.param(start("SyntaxError: invalid syntax"), "syntax_error", STARTUP, id="python syntax"),
    pytest.param(
        start('script: 2: Syntax error: "fi" unexpected', 2), "syntax_error", STARTUP, id="sh syntax"
    ),
    pytest.param(
        start("OSError: [Errno 98] Address already in use"),
        "address_in_use",
        STARTUP,
        id="port taken, python",
    ),
    pytest.param(
        start("Error: listen EADDRINUSE: address already in use :::3000"),
        "address_in_use",
        STARTUP,
        id="port taken, node",
    ),
    pytest.param(
        start("panic: listen tcp :8080: bind: address already in use", 2),
        "address_in_use",
        STARTUP,
        id="port taken, go",
    ),
    pytest.param(
        start("PermissionError: [Errno 13] Permission denied: '/var/lib/x'"),
        "permission_denied",
        STARTUP,
        id="denied",
    ),
    pytest.param(
        start("FileNotFoundError: [Errno 2] No such file or directory: 'config.toml'"),
        "file_missing",
        STARTUP,
        id="file not found, whose letters hold ENOTFOUND",
    ),
    pytest.param(
        start("python3: can't open file '/srv/app.py': [Errno 2] No such file or directory", 2),
        "start_file_missing",
        STARTUP,
        id="no program",
    ),
    pytest.param(start(code=137), "killed_for_memory", host("rollout"), id="137"),
    pytest.param(start(code=None, signal="SIGKILL"), "killed_for_memory", host("rollout"), id="SIGKILL"),
    pytest.param(start(code=-11, signal="SIGSEGV"), "crashed_in_native_code", STARTUP, id="SIGSEGV"),
    pytest.param(
        start("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", 134),
        "memory_exhausted",
        STARTUP,
        id="node's own limit, which aborts",
    ),
    pytest.param(
        start("Error: connect ECONNREFUSED 127.0.0.1:5432"),
        "database_unreachable",
        STARTUP,
        id="its database, node",
    ),
    pytest.param(
        start("sqlalchemy.exc.OperationalError: (psycopg.OperationalError) connection refused"),
        "database_unreachable",
        STARTUP,
        id="its database, python",
    ),
    pytest.param(
        start("Traceback (most recent call last):\n  x\nValueError: 3"), "uncaught_error", STARTUP, id="own"
    ),
    pytest.param(
        start("OSError: [Errno 28] No space left on device"), "disk_full", host("rollout"), id="disk full"
    ),
    pytest.param(start("ready", 0), "ended_instead_of_serving", STARTUP, id="ended with 0"),
    pytest.param(start("something", 3), "ended_before_listening", STARTUP, id="ended with 3"),
    pytest.param(
        evidence("rollout", "listening on 127.0.0.1:3000", "timeout"),
        "bound_to_localhost",
        STARTUP,
        id="never listened",
    ),
    pytest.param(
        evidence("rollout", PYTHON_TRACE, "timeout"), "module_missing", STARTUP, id="a reason not to listen"
    ),
]
STEPS = [
    pytest.param(evidence("deploy", "boom", exit_code=4), "script_failed", DEPLOY, id="a script"),
    pytest.param(
        evidence("deploy", "sh: 1: aws: not found", exit_code=127), "command_not_found", DEPLOY, id="no aws"
    ),
    pytest.param(
        evidence(
            "deploy", "An error occurred (AccessDeniedException) when calling UpdateService", exit_code=254
        ),
        "provider_access_denied",
        ACCESS,
        id="AccessDenied without a space",
    ),
    pytest.param(
        evidence("deploy", kind="error", provider_code="ExpiredTokenException"),
        "provider_credential_expired",
        ACCESS,
        id="a provider's own code",
    ),
    pytest.param(evidence("deploy", "x", "timeout"), "time_limit_passed", DEPLOY, id="too long"),
    pytest.param(evidence("deploy", "", "target"), "target_refused", DEPLOY, id="the target"),
    pytest.param(
        evidence("deploy", "", "interrupted"), "host_interrupted", host("deploy"), id="host went down"
    ),
    pytest.param(
        evidence("verify", "", "error"),
        "verification_broke",
        ("verify", "unknown_failure", "DEPLOYMENT_FAILED_GENERIC"),
        id="could not be judged",
    ),
    pytest.param(evidence("deploy", "", "error"), "not_recognised", DEPLOY, id="anything else"),
]


@pytest.mark.parametrize(("seen", "rule", "answer"), [*STARTS, *STEPS])
def test_a_program_that_ends_too_early_has_a_cause(
    seen: Evidence, rule: str, answer: tuple[str, str, str]
) -> None:
    found = classify(seen, SETTING)
    assert named(found) == (rule, answer)
    assert found.answer.retryable is (answer[2] == "INFRASTRUCTURE_NETWORK_FAILURE")
