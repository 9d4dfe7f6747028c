"""Builds and fetching: what the tools print, and what must not mislead."""

import pytest

from shared.diagnosis.rules import classify
from shared.events import Evidence
from tests.unit.diagnosis.samples import (
    ACCESS,
    BUILD,
    NPM_GOT_OVER,
    PIP_OFFLINE,
    PYTEST_FAILED,
    PYTHON_TRACE,
    SETTING,
    STARTUP,
    build,
    evidence,
    host,
    named,
    network,
    start,
)

BUILDS = [
    pytest.param(
        start("npm error code ECONNRESET"),
        "network_unreachable",
        network("rollout"),
        id="a start command that installs",
    ),
    pytest.param(build("make: *** [all] Error 2", 2), "build_command_failed", BUILD, id="a command"),
    pytest.param(build("sh: 1: npm: not found", 127), "command_not_found", BUILD, id="no npm"),
    pytest.param(build("npm error code E404"), "dependency_not_found", BUILD, id="npm dependency"),
    pytest.param(
        build("ERROR: Could not find a version that satisfies the requirement nope (from versions: 1.0)"),
        "version_not_found",
        BUILD,
        id="pip dependency",
    ),
    pytest.param(
        build("npm error code EAI_AGAIN"),
        "name_not_resolved",
        network("build"),
        id="npm without a name server",
    ),
    pytest.param(build("npm ERR! code ECONNRESET"), "network_unreachable", network("build"), id="npm reset"),
    pytest.param(build(PIP_OFFLINE), "network_unreachable", network("build"), id="pip offline"),
    pytest.param(
        build(PIP_OFFLINE.replace("total=0", "total=1")),
        "dependency_not_found",
        BUILD,
        id="pip that was not offline",
    ),
    pytest.param(
        build("curl: (6) Could not resolve host: example.org"),
        "name_not_resolved",
        network("build"),
        id="curl",
    ),
    pytest.param(
        evidence("deploy", "curl: (6) Could not resolve host: example.org"),
        "name_not_resolved",
        network("deploy"),
        id="curl in a step, which is tried again if it says so",
    ),
    pytest.param(
        build("ERROR: failed to do request: Head https://x: dial tcp: lookup x: no such host"),
        "name_not_resolved",
        network("build"),
        id="docker without a name server",
    ),
    pytest.param(
        build("error: Get https://registry.example/v2/: net/http: TLS handshake timeout"),
        "network_unreachable",
        network("build"),
        id="TLS timeout",
    ),
    pytest.param(
        build("Error response from daemon: toomanyrequests: You have reached your pull rate limit"),
        "rate_limited",
        network("build"),
        id="pull limit",
    ),
    pytest.param(build(NPM_GOT_OVER, 2), "types_do_not_fit", BUILD, id="a network fault that npm got over"),
    pytest.param(
        build(PYTEST_FAILED), "tests_failed", BUILD, id="network words from the application's tests"
    ),
    pytest.param(build("--- FAIL: TestShop (0.02s)"), "tests_failed", BUILD, id="go tests"),
    pytest.param(build("Tests:       2 failed, 9 passed, 11 total"), "tests_failed", BUILD, id="jest"),
    pytest.param(
        build("cp: error writing 'x': No space left on device"), "disk_full", host("build"), id="disk full"
    ),
    pytest.param(build("npm error code E401"), "package_registry_refused", ACCESS, id="npm login"),
    pytest.param(
        build("Error response from daemon: Get https://r.example/v2/: no basic auth credentials"),
        "image_registry_refused",
        ACCESS,
        id="docker login",
    ),
    pytest.param(build(code=137), "killed_for_memory", host("build"), id="killed"),
    pytest.param(build(kind="artifact", code=0), "output_missing", BUILD, id="no output"),
    pytest.param(build("compiling", kind="timeout", code=None), "build_timed_out", BUILD, id="too long"),
    pytest.param(
        build(code=None, signal="SIGKILL", kind="timeout"),
        "nothing_said_in_time",
        BUILD,
        id="killed by our own limit",
    ),
    pytest.param(
        build(kind="interrupted", code=None), "host_interrupted", host("build"), id="host went down"
    ),
    pytest.param(
        build("npm ERR! `npm ci` can only install packages when your package.json and package-lock.json"),
        "lockfile_out_of_step",
        BUILD,
        id="lock file",
    ),
    pytest.param(build(PYTHON_TRACE), "module_missing", BUILD, id="a module in a build"),
]
CLONES = [
    pytest.param(
        evidence("clone", "fatal: unable to access 'https://x/': Could not resolve host: x", "source"),
        "name_not_resolved",
        network("clone"),
        id="no name server",
    ),
    pytest.param(
        evidence(
            "clone", "fatal: unable to access 'https://x/': The requested URL returned error: 503", "source"
        ),
        "server_has_errors",
        network("clone"),
        id="the forge is down",
    ),
    pytest.param(
        evidence(
            "clone", "fatal: unable to access 'https://x/': The requested URL returned error: 403", "source"
        ),
        "repository_access_refused",
        ACCESS,
        id="403",
    ),
    pytest.param(
        evidence("clone", "git@x: Permission denied (publickey).", "source"),
        "repository_access_refused",
        ACCESS,
        id="key",
    ),
    pytest.param(
        evidence("clone", "remote: Repository not found.", "source"),
        "repository_access_refused",
        ACCESS,
        id="hidden repository",
    ),
    pytest.param(
        evidence("clone", "", "source"),
        "source_unreadable",
        ("clone", "unknown_failure", "DEPLOYMENT_FAILED_GENERIC"),
        id="nothing said",
    ),
]
MISLEADING = [
    pytest.param(
        start("- Network: http://0.0.0.0:3000\nboom", 1),
        "ended_before_listening",
        STARTUP,
        id="a banner that says network",
    ),
    pytest.param(
        start('10.0.0.1 - - "GET /admin HTTP/1.1" 401 Unauthorized', 1),
        "ended_before_listening",
        STARTUP,
        id="the application's own 401",
    ),
    pytest.param(
        start("transaction rollback failed", 1), "ended_before_listening", STARTUP, id="its own rollback"
    ),
    pytest.param(
        start("request timed out after 30s", 1), "ended_before_listening", STARTUP, id="its own timeout"
    ),
    pytest.param(
        build("botocore.errorfactory.ResourceNotFoundException: no table", 1),
        "build_command_failed",
        BUILD,
        id="letters of ENOTFOUND inside a name",
    ),
    pytest.param(
        build("setting timeout=30\nboom"), "build_command_failed", BUILD, id="a build that says timeout"
    ),
    pytest.param(
        start("KeyError: 'PRICE'", 1), "ended_before_listening", STARTUP, id="a key of its own data"
    ),
    pytest.param(
        start("npm warn network read ECONNRESET\nnpm error command failed"),
        "ended_before_listening",
        STARTUP,
        id="an installer's warning when starting",
    ),
    pytest.param(
        build("boom", message="fatal: Authentication failed for 'x'\nnpm error code ECONNRESET"),
        "build_command_failed",
        BUILD,
        id="words in our own message",
    ),
    pytest.param(
        build("boom", what="ModuleNotFoundError: timeout"),
        "build_command_failed",
        BUILD,
        id="words in a step's name",
    ),
    pytest.param(
        build("    curl: (7) Failed to connect"),
        "build_command_failed",
        BUILD,
        id="a tool's words, quoted by another",
    ),
]


@pytest.mark.parametrize(("seen", "rule", "answer"), [*BUILDS, *CLONES])
def test_a_build_or_fetch_that_fails_has_a_cause(
    seen: Evidence, rule: str, answer: tuple[str, str, str]
) -> None:
    found = classify(seen, SETTING)
    assert named(found) == (rule, answer)
    assert found.answer.retryable is (answer[2] == "INFRASTRUCTURE_NETWORK_FAILURE")


@pytest.mark.parametrize(("seen", "rule", "answer"), MISLEADING)
def test_words_that_mean_nothing_decide_nothing(
    seen: Evidence, rule: str, answer: tuple[str, str, str]
) -> None:
    found = classify(seen, SETTING)
    assert named(found) == (rule, answer)
    assert found.answer.retryable is (answer[2] == "INFRASTRUCTURE_NETWORK_FAILURE")
