"""How rules are chosen, and what is made of them."""

from collections.abc import Sequence
from typing import get_args

import pytest

from shared.diagnosis.evidence import LINE_CHARACTERS_MAX, LINES_MAX, Setting
from shared.diagnosis.rule import BY_PHASE
from shared.diagnosis.rules import RULES, classify, classify_log
from shared.events import Evidence, LogLine, ProbeFault, ProbeResult
from shared.events.verification import FailureCategory, FailureCode, FailureStage
from tests.unit.diagnosis.samples import (
    AT,
    HEALTH,
    PIP_OFFLINE,
    PYTEST_FAILED,
    PYTHON_TRACE,
    SETTING,
    build,
    evidence,
    named,
    start,
)

PROBES = [
    ("status", 500, "answers_server_error"),
    ("status", 502, "gateway_without_service"),
    ("status", 503, "answers_server_error"),
    ("status", 404, "path_not_found"),
    ("status", 401, "path_asks_for_login"),
    ("status", 302, "redirects_elsewhere"),
    ("status", 400, "answers_other_status"),
    ("release", 200, "other_release_answered"),
    ("content", 200, "content_missing"),
    ("slow", 200, "answers_too_slowly"),
    ("refused", None, "nobody_listens"),
    ("timeout", None, "answers_never_complete"),
    ("broken", None, "answers_no_http"),
    ("redirect", None, "redirects_nowhere"),
    ("unresolved", None, "name_unresolved"),
    ("unreachable", None, "address_unreachable"),
    ("forbidden", None, "address_forbidden"),
    ("tls", None, "tls_not_trusted"),
    ("ended", None, "service_ended"),
    ("restarted", None, "service_restarted"),
    ("command", None, "command_said_no"),
]


def probe(fault: str, status: int | None = None, url: str = "http://127.0.0.1:9/") -> ProbeResult:
    seen = {
        "at": AT,
        "url": url,
        "passed": not fault,
        "fault": fault,
        "status": status,
        "problem": "did not pass",
    }
    return ProbeResult.model_validate(seen)


@pytest.mark.parametrize(("fault", "status", "rule"), PROBES)
def test_a_probe_is_named_by_its_fault(fault: str, status: int | None, rule: str) -> None:
    found = classify(evidence("verify", kind="probe", probes=(probe(fault, status),)), SETTING)
    assert named(found) == (rule, HEALTH)
    assert "GET http://127.0.0.1:9/ did not pass" in found.lines


def test_every_fault_of_a_probe_has_a_rule() -> None:
    assert {fault for fault, _, _ in PROBES} == set(get_args(ProbeFault)) - {""}


@pytest.mark.parametrize(
    ("probes", "rule"),
    [
        pytest.param([probe("refused"), probe("status", 500)], "answers_server_error", id="how it ended"),
        pytest.param([probe("status", 500), probe("")], "answers_server_error", id="not what passed"),
        pytest.param(
            [probe("status", 404), probe("status", 500, "http://127.0.0.1:9/b")],
            "path_not_found",
            id="the first check",
        ),
        pytest.param([], "not_recognised", id="no probe at all"),
        pytest.param([probe("")], "not_recognised", id="no failed probe"),
    ],
)
def test_of_many_probes_the_last_failure_of_the_first_check_counts(
    probes: Sequence[ProbeResult], rule: str
) -> None:
    log = "Traceback (most recent call last):\nconnection refused"
    assert classify(evidence("verify", log, "probe", probes=tuple(probes)), SETTING).rule == rule


def test_the_earliest_cause_is_the_cause() -> None:
    both = f"{PYTHON_TRACE}\nOSError: [Errno 98] Address already in use"
    assert classify(start(both), SETTING).rule == "module_missing"
    turned = f"OSError: [Errno 98] Address already in use\n{PYTHON_TRACE}"
    assert classify(start(turned), SETTING).rule == "address_in_use"


@pytest.mark.parametrize("seen", [build("npm error code ECONNRESET"), start(PYTHON_TRACE)])
@pytest.mark.parametrize(
    ("asked_by", "rule", "code"),
    [
        ("", "automatic_rollback_failed", "AUTOMATIC_ROLLBACK_FAILED"),
        ("mara", "manual_rollback_failed", "MANUAL_ROLLBACK_FAILED"),
    ],
)
def test_a_failed_rollback_is_a_failed_rollback_and_says_why(
    seen: Evidence, asked_by: str, rule: str, code: str
) -> None:
    plain = classify(seen, SETTING)
    found = classify(seen, Setting("shop", "staging", "7", kind="rollback", asked_by=asked_by))
    assert named(found) == (rule, ("rollback", "rollback_failure", code))
    assert found.likely_cause.endswith(plain.likely_cause)
    assert found.evidence == plain.evidence
    assert found.fix.check[: len(plain.fix.check)] == plain.fix.check
    assert found.fix.check != plain.fix.check
    assert not found.answer.retryable


def test_a_person_who_asked_for_another_kind_of_run_changes_no_answer() -> None:
    asked = classify(start(PYTHON_TRACE), Setting("shop", "staging", "7", kind="retry", asked_by="mara"))
    assert asked == classify(start(PYTHON_TRACE), SETTING)


def test_evidence_has_its_lines_numbers_in_the_whole_log() -> None:
    log = "starting\n\n   \nModuleNotFoundError: No module named 'flask'"
    found = classify(evidence("rollout", log, exit_code=1, log_first_line=701), SETTING)
    assert [(each.line, each.text) for each in found.evidence] == [
        (None, "it did not work"),
        (704, "ModuleNotFoundError: No module named 'flask'"),
    ]


def test_lines_whose_place_is_not_known_have_no_number() -> None:
    log = "starting\nModuleNotFoundError: No module named 'flask'"
    found = classify(evidence("rollout", log, exit_code=1, log_first_line=0), SETTING)
    assert {each.line for each in found.evidence} == {None}


@pytest.mark.parametrize("above", [0, 3, LINES_MAX - 1, LINES_MAX * 3])
def test_a_bare_log_counts_lines_as_an_editor_does(above: int) -> None:
    log = "50%\r100%\u2028\x0c\n" * above + "npm error code E404"
    assert classify_log(log).evidence[0].line == above + 1
    assert classify_log("x" * 5_000_000 + "\n" + log).evidence[0].line == above + 2


def test_a_command_that_names_a_run_is_left_out_where_there_is_none() -> None:
    assert classify(start(PYTHON_TRACE), SETTING).fix.commands
    assert not [each for each in classify_log(PYTHON_TRACE).fix.commands if "windlass" in each]


@pytest.mark.parametrize("phase", ["deploy", "rollout", "verify"])
def test_a_stages_own_limit_accuses_no_program(phase: str) -> None:
    found = classify(evidence(phase, kind="timeout"), Setting("shop", "staging", "7", whole_stage=True))
    assert (found.rule, found.answer.stage) == ("stage_time_limit_passed", phase)


def test_a_rollback_without_a_candidate_has_its_own_code() -> None:
    seen = evidence("verify", kind="probe", probes=(probe("status", 500),))
    found = classify(seen, Setting("shop", "staging", "7", no_candidate=True))
    answer = ("rollback", "rollback_failure", "AUTOMATIC_ROLLBACK_NO_CANDIDATE")
    assert named(found) == ("no_rollback_candidate", answer)


def test_every_answer_is_in_the_fixed_vocabulary() -> None:
    for phase in BY_PHASE:
        for rule in RULES:
            answer = rule.answer(phase)
            assert answer.stage in get_args(FailureStage)
            assert answer.category in get_args(FailureCategory)
            assert answer.code in get_args(FailureCode)


def test_every_rule_speaks_in_sentences_and_in_commands_that_can_be_filled() -> None:
    for rule in RULES:
        assert rule.cause.endswith(".")
        assert rule.cause[0].isupper()
        for command in rule.commands:
            assert command.format_map({"pipeline": "p", "stage": "s", "revision": "1", "url": "u"})


def test_commands_can_be_copied_also_with_hostile_text_in_them() -> None:
    seen = evidence("verify", kind="probe", probes=(probe("status", 404, "http://x/$(id)';rm -rf ~"),))
    assert classify(seen, SETTING).fix.commands == ("""curl -i 'http://x/$(id)'"'"';rm -rf ~'""",)
    assert classify(start("x", 3), SETTING).fix.commands == ("windlass logs shop 7 --stage staging",)


def test_the_lines_shown_are_our_message_and_the_cause() -> None:
    assert classify(start(f"noise\n{PYTHON_TRACE}\nmore noise"), SETTING).lines == (
        "it did not work",
        "ModuleNotFoundError: No module named 'flask'",
    )
    many = "\n".join(f"line {n}" for n in range(50))
    assert classify(start(many), SETTING).lines == ("it did not work", *(f"line {n}" for n in range(45, 50)))


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("\x1b[31mModuleNotFoundError: No module named 'x'\x1b[0m", id="colours"),
        pytest.param("#12 3.456 ModuleNotFoundError: No module named 'x'", id="BuildKit's step and time"),
        pytest.param("2026-03-01T12:00:00.123456Z ModuleNotFoundError: No module named 'x'", id="a time"),
        pytest.param("web-1  | ModuleNotFoundError: No module named 'x'", id="a container's name"),
        pytest.param("50%\r100%\rModuleNotFoundError: No module named 'x'", id="progress, overwritten"),
        pytest.param("ModuleNotFoundError: No module named 'x'\r", id="a carriage return"),
    ],
)
def test_a_line_is_read_as_a_person_would_see_it(line: str) -> None:
    found = classify(evidence("rollout", exit_code=1, log_tail=(LogLine(at=AT, text=line),)), SETTING)
    assert (found.rule, found.lines[1]) == ("module_missing", "ModuleNotFoundError: No module named 'x'")


@pytest.mark.parametrize(
    ("text", "rule", "stage"),
    [
        pytest.param(PYTHON_TRACE, "module_missing", "rollout", id="python"),
        pytest.param(PIP_OFFLINE, "network_unreachable", "build", id="pip"),
        pytest.param("npm error code E404", "dependency_not_found", "build", id="npm"),
        pytest.param("fatal: Authentication failed for 'x'", "repository_access_refused", "auth", id="git"),
        pytest.param(PYTEST_FAILED, "tests_failed", "build", id="tests"),
        pytest.param("all is well", "not_recognised", "unknown", id="nothing"),
        pytest.param("", "not_recognised", "unknown", id="empty"),
        pytest.param(
            '"GET / HTTP/1.1" 401 Unauthorized\nconnect timed out',
            "not_recognised",
            "unknown",
            id="an access log",
        ),
    ],
)
def test_any_log_can_be_classified(text: str, rule: str, stage: str) -> None:
    found = classify_log(text)
    assert (found.rule, found.answer.stage) == (rule, stage)


def test_a_log_of_any_size_costs_a_bounded_look_at_its_end() -> None:
    far = f"{PYTHON_TRACE}\n" + "x\n" * (LINES_MAX + 1)
    assert classify_log(far).rule == "not_recognised"
    assert classify_log("x" * 50_000_000 + f"\n{PYTHON_TRACE}").rule == "module_missing"


HOSTILE = [
    "a: " * 5_000,
    "(" * 5_000,
    "ERROR: " + "Get " * 2_000,
    "E: Failed to fetch " + "connection " * 1_000,
    "= 1 failed" * 1_000,
    "OperationalError: " + "could not " * 1_000,
    "\x1b[" + ";" * 10_000,
    "\x1b]" * 5_000,
    "/" * 10_000 + ": ",
    "java.lang." * 1_000,
    "\u202e\x00\ud7ff" * 1_000,
]


@pytest.mark.parametrize("line", HOSTILE, ids=range(len(HOSTILE)))
def test_no_line_makes_a_rule_search_for_ever(line: str) -> None:
    found = classify_log("\n".join([line] * 200))
    assert found.rule == "not_recognised"
    assert all(len(each) <= LINE_CHARACTERS_MAX and each.isprintable() for each in found.lines)


def test_the_same_evidence_gives_the_same_answer() -> None:
    assert classify(start(PYTHON_TRACE), SETTING) == classify(start(PYTHON_TRACE), SETTING)
