"""One answer against what is asked of its path."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.verifier.criteria import Check, judge_answer, shown, within
from services.verifier.probe import Answer
from shared.events import ProbeTarget
from shared.plan import Criteria, PathCheck

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RELEASE = "run-7"


def check(release: str = "", **path: Any) -> Check:
    target = ProbeTarget(
        service="web",
        base_url="http://127.0.0.1:9000",
        release=release,
        criteria=Criteria(latency_seconds_max=1.0),
    )
    return Check(target, PathCheck(**path))


def answer(**seen: Any) -> Answer:
    return Answer(**{"url": "http://127.0.0.1:9000/", "latency_seconds": 0.01, "status": 200, **seen})


@pytest.mark.parametrize(
    ("asked", "seen", "fault"),
    [
        pytest.param(check(), answer(), "", id="200 where any 2xx or 3xx passes"),
        pytest.param(check(), answer(status=204), "", id="204 where any 2xx or 3xx passes"),
        pytest.param(check(), answer(status=302), "", id="a redirect where any 2xx or 3xx passes"),
        pytest.param(check(), answer(status=404), "status", id="404"),
        pytest.param(check(), answer(status=500), "status", id="500"),
        pytest.param(check(), answer(status=199), "status", id="a status below 200"),
        pytest.param(check(status=200), answer(status=302), "status", id="a redirect is no 200"),
        pytest.param(check(status=302), answer(status=302), "", id="the redirect that was asked for"),
        pytest.param(check(status=302), answer(status=301), "status", id="another redirect"),
        pytest.param(check(status=401), answer(status=401), "", id="the 401 that was asked for"),
        pytest.param(check(status=404), answer(status=200), "status", id="200 where 404 was asked for"),
        pytest.param(check(contains="ok"), answer(body="all ok"), "", id="the text is there"),
        pytest.param(check(contains="ok"), answer(body="no"), "content", id="the text is missing"),
        pytest.param(
            check(contains="ok"), answer(status=500, body="ok"), "status", id="status before content"
        ),
        pytest.param(check(RELEASE), answer(release=RELEASE), "", id="this release answered"),
        pytest.param(check(RELEASE), answer(release="run-6"), "release", id="the release before answered"),
        pytest.param(check(RELEASE), answer(), "release", id="something without a marker answered"),
        pytest.param(check(RELEASE), answer(status=500, release="x"), "release", id="who before what"),
        pytest.param(check(), answer(release="other"), "", id="no marker is asked for"),
        pytest.param(check(), answer(latency_seconds=1.0), "", id="just fast enough"),
        pytest.param(check(), answer(latency_seconds=1.01), "slow", id="too slow"),
        pytest.param(
            check(), answer(status=None, fault="refused", problem="x"), "refused", id="nobody there"
        ),
        pytest.param(check(), answer(status=None), "broken", id="no status and no reason"),
    ],
)
def test_an_answer_is_judged_by_the_first_thing_wrong(asked: Check, seen: Answer, fault: str) -> None:
    result = judge_answer(asked, seen, NOW)
    assert (result.fault, result.passed) == (fault, fault == "")
    assert bool(result.problem) is bool(fault)


@pytest.mark.parametrize(
    ("asked", "follows"),
    [
        pytest.param(check(), False, id="a redirect is an answer"),
        pytest.param(check(status=200), False, id="not for a status"),
        pytest.param(check(status=302, contains="x"), False, id="not where the redirect is asked for"),
        pytest.param(check(contains="x"), True, id="for content, which no redirect has"),
    ],
)
def test_a_redirect_is_followed_only_for_content(asked: Check, follows: bool) -> None:
    assert asked.follows_redirects is follows


@pytest.mark.parametrize(
    ("path", "url"),
    [
        pytest.param("/", "http://127.0.0.1:9000/", id="root"),
        pytest.param("health?x=1", "http://127.0.0.1:9000/health?x=1", id="without its slash"),
        pytest.param("//evil.example/", "http://127.0.0.1:9000/evil.example/", id="a host in a path"),
        pytest.param(
            "http://evil.example/", "http://127.0.0.1:9000/http://evil.example/", id="a URL in a path"
        ),
        pytest.param("@evil.example/", "http://127.0.0.1:9000/@evil.example/", id="credentials in a path"),
    ],
)
def test_no_path_leads_to_another_host(path: str, url: str) -> None:
    assert check(path=path).url == url


def test_a_marker_of_the_release_before_is_named() -> None:
    result = judge_answer(check(RELEASE), answer(release="run-6"), NOW)
    assert result.problem == "answered by release run-6, expected run-7"


def test_an_answer_that_is_not_wanted_is_told_bounded_and_printable() -> None:
    result = judge_answer(check(), answer(status=500, body="\x00\x1b[31m boom \r\n" + "x" * 70_000), NOW)
    assert result.body_head.startswith("\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[31m boom x")
    assert len(result.body_head) <= 200
    assert result.body_head.isprintable()
    assert judge_answer(check(), answer(body="fine"), NOW).body_head == ""


def test_what_others_write_is_bounded_in_our_sentences() -> None:
    location = "http://x/" + "y" * 10_000
    result = judge_answer(check(status=200), answer(status=302, location=location), NOW)
    assert result.problem.startswith("gave 302 (to http://x/yyy")
    assert len(result.problem) < 200
    assert shown("a\tb\u202e", 10) == "a b\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(float("nan"), 1.0, id="no number"),
        pytest.param(float("inf"), 5.0, id="for ever"),
        pytest.param(-3.0, 1.0, id="negative"),
        pytest.param(2.0, 2.0, id="sensible"),
    ],
)
def test_numbers_from_a_pipeline_are_brought_within_bounds(value: float, expected: float) -> None:
    assert within(value, 1.0, 5.0) == expected
