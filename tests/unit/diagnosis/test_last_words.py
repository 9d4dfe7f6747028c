"""What a program says as it dies, and what it says while it lives."""

import pytest

from shared.diagnosis.last_words import last_words
from shared.diagnosis.rules import classify, classify_case, classify_log
from shared.diagnosis.sample import failed, found, probed
from tests.unit.diagnosis.samples import HEALTH, PYTHON_TRACE, SETTING, evidence, named, start

TRACE = 'Traceback (most recent call last):\n  File "/app/x.py", line 3, in f\n'
REFUSED = f"{TRACE}ConnectionRefusedError: [Errno 111] no"
NO_FILE = f"{TRACE}FileNotFoundError: [Errno 2] x"
NO_TABLE = (
    'Traceback (most recent call last):\n  File "/app/x.py", line 3, in f\n'
    'psycopg.errors.UndefinedTable: relation "orders" does not exist'
)
TRAPS = {
    "a word inside a module's name": ("ModuleNotFoundError: No module named 'enotfound_x'", "module_missing"),
    "a package called after a fault": (
        "Error: Cannot find module '@acme/econnreset-retry'",
        "module_missing",
    ),
    "a framework's banner": ("  ➜  Network: http://192.168.0.7:5173/", "ended_before_listening"),
    "its own denials": ("ERROR payment declined\nWARN access denied for 17", "ended_before_listening"),
    "its own time-outs": (
        "timeout while calling partner, retrying\nconnect ETIMEDOUT",
        "ended_before_listening",
    ),
    "a logged refusal": (
        '{"level":"error","msg":"connect ECONNREFUSED 10.0.0.5:5432"}',
        "ended_before_listening",
    ),
    "its routes": ("GET /errors 200\nPOST /denied 403\n0 errors", "ended_before_listening"),
}


@pytest.mark.parametrize(("log", "rule"), TRAPS.values(), ids=TRAPS)
def test_tempting_words_decide_nothing(log: str, rule: str) -> None:
    assert classify(start(log), SETTING).rule == rule
    assert classify(start(log), SETTING).answer.category == "startup_failure"


def test_what_stands_above_a_sign_of_life_is_over() -> None:
    log = f"{REFUSED}\n2026-03-01 12:00:00 INFO cache: connected\n{NO_FILE}"
    assert classify(start(log), SETTING).rule == "file_missing"
    served = f'{REFUSED}\n10.0.0.9 - - "GET /health HTTP/1.1" 200\nboom'
    assert classify(start(served, 3), SETTING).rule == "ended_before_listening"


def test_a_server_that_tells_of_its_own_end_is_not_alive() -> None:
    log = f"{PYTHON_TRACE}\n[7] [INFO] Worker exiting (pid: 7)\n[7] [INFO] Shutting down: Master"
    assert classify(start(log, 3), SETTING).rule == "module_missing"


def test_a_traceback_that_a_log_line_announces_gives_way_to_one_that_nobody_announces() -> None:
    logged = f"ERROR in app: Exception on /pay [POST]\n{NO_TABLE}"
    assert classify(start(f"{logged}\n{NO_FILE}"), SETTING).rule == "file_missing"
    assert classify(start(f"{NO_TABLE}\n{NO_FILE}"), SETTING).rule == "database_not_migrated"
    assert classify(start(logged), SETTING).rule == "database_not_migrated"


def test_what_node_threw_comes_before_what_was_only_printed() -> None:
    log = (
        "Error: connect ECONNREFUSED 10.0.0.5:5432\n    at x\n/app/server.js:9\nlog(x)\n^\n\n"
        "TypeError: Cannot read properties of undefined\n    at y\n\nNode.js v20.11.0"
    )
    assert classify(start(log), SETTING).rule == "uncaught_error"


def test_a_service_with_an_error_of_its_own_is_explained_by_the_last_it_said() -> None:
    seen = classify_case(probed("status", 500, f"{NO_FILE}\nINFO served\n{NO_TABLE}"), SETTING)
    assert named(seen) == ("database_not_migrated", HEALTH)
    turned = classify_case(probed("status", 500, f"{NO_TABLE}\nINFO served\n{NO_FILE}"), SETTING)
    assert named(turned) == ("file_missing", HEALTH)


def test_the_last_it_said_begins_where_its_story_does() -> None:
    then = f"During handling of the above exception, another exception occurred:\n{TRACE}shop.Broken: x"
    seen = classify_case(probed("status", 500, f"{NO_FILE}\nserved\n{NO_TABLE}\n{then}"), SETTING)
    assert seen.rule == "database_not_migrated"


def test_a_service_that_ended_is_explained_by_why() -> None:
    for fault in ("ended", "refused", "restarted"):
        seen = probed(fault, log=PYTHON_TRACE, diagnostics=found(process="exited", exit_code=1))
        assert named(classify_case(seen, SETTING)) == ("module_missing", HEALTH)


@pytest.mark.parametrize(
    ("fault", "status"), [("status", 404), ("content", 200), ("release", 200), ("slow", 200)]
)
def test_one_that_answers_is_judged_by_its_answer_and_not_by_its_log(fault: str, status: int) -> None:
    seen = classify_case(probed(fault, status, f"{PYTHON_TRACE}\n{NO_TABLE}"), SETTING)  # type: ignore[arg-type]
    assert seen.rule not in {"module_missing", "database_not_migrated", "uncaught_error"}
    assert named(seen)[1] == HEALTH


def test_an_error_that_no_rule_knows_is_shown_with_what_was_thrown() -> None:
    seen = classify(
        start('Traceback (most recent call last):\n  File "x"\nshop.Broken: too many spoons'), SETTING
    )
    assert (seen.rule, seen.lines[-1]) == ("uncaught_error", "shop.Broken: too many spoons")


def test_a_script_lives_as_long_as_it_likes() -> None:
    log = f"{NO_FILE}\nINFO cache: connected"
    assert classify(evidence("deploy", log, exit_code=1), SETTING).rule == "file_missing"


def test_every_place_of_a_plain_log_may_tell() -> None:
    assert list(last_words(failed("rollout", "a\nb\nc"))) == [0, 1, 2]
    assert list(last_words(failed("rollout", ""))) == []
    assert list(last_words(probed("status", 500, ""))) == []


@pytest.mark.parametrize(
    ("log", "stage"),
    [
        pytest.param(
            "> shop@1.0.0 build\n> node build.mjs\nError: Cannot find module 'x'", "build", id="npm run"
        ),
        pytest.param("Error: Cannot find module 'x'\nRequire stack:\n- /app/x.js", "rollout", id="a program"),
        pytest.param(
            '  File "/builds/shop/x.py", line 3\nTabError: inconsistent use', "build", id="a checkout"
        ),
        pytest.param('  File "/app/x.py", line 3\nTabError: inconsistent use', "rollout", id="an image"),
        pytest.param(
            "[7] [INFO] Booting worker with pid: 7\n#3 [x]\nKeyError\nModuleNotFoundError: No module named"
            " 'x'",
            "rollout",
            id="a server, whatever else it says",
        ),
    ],
)
def test_a_bare_log_of_a_program_is_about_a_build_where_it_shows_one(log: str, stage: str) -> None:
    assert classify_log(log).answer.stage == stage
