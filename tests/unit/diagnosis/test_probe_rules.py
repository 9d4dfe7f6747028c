"""Verification: what a probe's fault is called, and how it is told."""

import pytest

from shared.diagnosis.evidence import Case
from shared.diagnosis.rules import classify_case
from shared.diagnosis.sample import AT, failed, probed
from shared.events import ProbeResult
from tests.unit.diagnosis.samples import HEALTH, SETTING, named


def asked(**facts: object) -> Case:
    seen = {"at": AT, "url": "tcp://127.0.0.1:9090", "kind": "tcp", "passed": False, "fault": "refused"}
    return failed("verify", "", "probe", probes=(ProbeResult.model_validate({**seen, **facts}),))


def test_a_probe_that_is_no_request_is_not_told_as_one() -> None:
    seen = classify_case(asked(problem="took no connection"), SETTING)
    assert named(seen) == ("nobody_listens", HEALTH)
    assert "tcp://127.0.0.1:9090 took no connection" in seen.lines


def test_what_a_command_said_is_shown_with_it() -> None:
    seen = classify_case(
        asked(
            url="bin/smoke", kind="command", fault="command", problem="ended with 2", body_head="no orders"
        ),
        SETTING,
    )
    assert seen.rule == "command_said_no"
    assert seen.lines == ("bin/smoke ended with 2", "no orders")


def test_the_last_of_the_log_is_shown_where_it_may_explain() -> None:
    ended = classify_case(probed("ended", log="one\ntwo\nthree\nfour"), SETTING)
    assert [each.text for each in ended.evidence[1:]] == ["two", "three", "four"]
    assert [each.line for each in ended.evidence[1:]] == [2, 3, 4]
    wrong = classify_case(probed("content", 200, "one\ntwo"), SETTING)
    assert [each.text for each in wrong.evidence] == ["GET http://127.0.0.1:41000/health did not pass"]


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status_has_exactly_one_name(status: int) -> None:
    rules = {
        "gateway_without_service": status in {502, 504},
        "answers_server_error": status >= 500 and status not in {502, 504},
        "path_not_found": status in {404, 410},
        "path_asks_for_login": status in {401, 403, 407},
        "redirects_elsewhere": 300 <= status < 400,
    }
    expected = next((rule for rule, holds in rules.items() if holds), "answers_other_status")
    seen = classify_case(probed("status", status), SETTING)
    assert named(seen) == (expected, HEALTH)
    assert seen.fix.check
    assert seen.fix.done_when


@pytest.mark.parametrize("chatter", ["connect ECONNREFUSED 10.0.0.5:5432", "access denied for 17", "timeout"])
def test_the_applications_chatter_changes_no_probes_name(chatter: str) -> None:
    log = f'{chatter}\nERROR {chatter}\n{{"level":"error","msg":"{chatter}"}}'
    for fault, status in (("status", 500), ("refused", None), ("ended", None), ("timeout", None)):
        plain = classify_case(probed(fault, status), SETTING)  # type: ignore[arg-type]
        assert classify_case(probed(fault, status, log), SETTING).rule == plain.rule  # type: ignore[arg-type]
