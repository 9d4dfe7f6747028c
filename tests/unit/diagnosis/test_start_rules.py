"""Start commands, the servers that they start, and the cluster around them."""

import pytest

from shared.diagnosis.rules import classify
from tests.unit.diagnosis.samples import ACCESS, DEPLOY, SETTING, STARTUP, evidence, host, named, start

STARTS = {
    "flask": (
        "Error: Could not locate a Flask application. Use the 'flask --app' option",
        "application_not_found",
    ),
    "celery": (
        "Error: Unable to load celery application.\nThe module tasks was not found.",
        "application_not_found",
    ),
    "bundler": ("bundler: command not found: puma", "application_not_found"),
    "argparse": ("server: error: unrecognized arguments: --wokers 4", "start_option_unknown"),
    "go": ("flag provided but not defined: -prot", "start_option_unknown"),
    "cobra": ("Error: unknown flag: --prot", "start_option_unknown"),
    "clap": ("error: unexpected argument '--prot' found", "start_option_unknown"),
    "node": ("node: bad option: --max-old-space", "start_option_unknown"),
    "nginx": (
        'nginx: [emerg] host not found in upstream "api" in /etc/nginx/conf.d/x.conf:3',
        "server_settings_refused",
    ),
    "apache": ("AH00526: Syntax error on line 3 of /etc/apache2/x.conf:", "server_settings_refused"),
    "redis": ("*** FATAL CONFIG FILE ERROR (Redis 7.2.0) ***", "server_settings_refused"),
    "postgres": ('FATAL:  data directory "/data" has wrong ownership', "server_settings_refused"),
    "nest": ("Error: Nest can't resolve dependencies of the OrdersService (?).", "parts_not_wired"),
    "spring": (
        (
            "Parameter 0 of constructor in shop.Receipts required a bean of type 'shop.Mail' that could"
            " not be"
            " found."
        ),
        "parts_not_wired",
    ),
    "pid file": ("A server is already running. Check /app/tmp/pids/server.pid.", "copy_running_already"),
    "json": (
        'SyntaxError: Unexpected token \']\', ..."mple.com",]"... is not valid JSON',
        "settings_file_broken",
    ),
    "yaml, go": (
        "2026/03/01 12:00:00 yaml: line 3: mapping values are not allowed in this context",
        "settings_file_broken",
    ),
    "module kind": ("SyntaxError: Cannot use import statement outside a module", "module_kinds_mixed"),
}


@pytest.mark.parametrize(("log", "rule"), STARTS.values(), ids=STARTS)
def test_a_start_that_goes_wrong_says_how(log: str, rule: str) -> None:
    assert named(classify(start(log), SETTING)) == (rule, STARTUP)


@pytest.mark.parametrize(
    ("log", "rule"),
    [
        ("  Message:  The node was low on resource: ephemeral-storage.", "node_under_pressure"),
        ("Host EC2 (instance i-0abc) terminated.", "machine_taken_away"),
        ("shop.service: Failed with result 'oom-kill'.", "service_killed_for_memory"),
    ],
)
def test_what_the_machines_lack_is_the_infrastructures(log: str, rule: str) -> None:
    assert named(classify(evidence("rollout", log, "target"), SETTING)) == (rule, host("rollout"))


@pytest.mark.parametrize(
    "log",
    [
        "Error: No access token available. Please login with 'flyctl auth login'",
        "HTTP 401: Bad credentials (https://api.example.com/repos)",
        "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
        "Failed to get the data key required to decrypt the SOPS file.",
        'fatal: [web1]: UNREACHABLE! => {"msg": "deploy@web1: Permission denied (publickey)."}',
    ],
)
def test_a_platform_that_refuses_the_login_is_a_matter_of_access(log: str) -> None:
    assert named(classify(evidence("deploy", log, exit_code=1), SETTING))[1] == ACCESS


def test_a_check_of_health_by_a_script_is_the_scripts() -> None:
    log = "Timed out waiting for: http://127.0.0.1:8080/health"
    assert named(classify(evidence("deploy", log, exit_code=1), SETTING)) == ("health_check_gave_up", DEPLOY)


@pytest.mark.parametrize(
    "log",
    [
        "cart: unknown option price, ignored",
        "Error: Could not locate the customer",
        'nginx: [warn] the "user" directive makes sense only if',
        "chat: spot interruption of host 7 by a guest",
        "orders: parts of 17 required a bean counter",
    ],
)
def test_what_only_sounds_like_a_failed_start_is_none(log: str) -> None:
    assert classify(start(log, 3), SETTING).rule == "ended_before_listening"
