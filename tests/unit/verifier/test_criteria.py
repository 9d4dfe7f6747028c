"""One answer against what is asked of its path."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from services.verifier.bounds import shown, within
from services.verifier.checks import Check, PortCheck, ProcessCheck, ProgramCheck
from services.verifier.criteria import Seen, counts, judge_answer, judge_seen, stands_alone
from services.verifier.probe import Answer, Outcome
from services.verifier.signals import Signals
from shared.events import LocalPlace, ProbeTarget
from shared.plan import CommandCheck, Criteria, PathCheck, ReleaseMarker

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


COMMIT = "4f" * 20


def marked(marker: ReleaseMarker, commit: str = COMMIT, **path: Any) -> Check:
    target = ProbeTarget(service="web", base_url="http://127.0.0.1:9000", commit=commit, criteria=Criteria())
    return Check(target, PathCheck(**path), marker=marker)


HEADER, BODY = ReleaseMarker(header="X-Release"), ReleaseMarker()


@pytest.mark.parametrize(
    ("asked", "seen", "fault"),
    [
        pytest.param(marked(HEADER), answer(marker=COMMIT), "", id="the commit, in the header"),
        pytest.param(marked(HEADER), answer(marker=f" {COMMIT}\t"), "", id="with blanks around it"),
        pytest.param(marked(HEADER), answer(), "release", id="no header"),
        pytest.param(marked(HEADER), answer(marker="4e" * 20), "release", id="another commit"),
        pytest.param(
            marked(HEADER), answer(marker=COMMIT + "0"), "release", id="a header that only begins so"
        ),
        pytest.param(marked(HEADER), answer(marker=f"x, {COMMIT}"), "release", id="the header twice"),
        pytest.param(marked(HEADER), answer(body=COMMIT), "release", id="in the body instead"),
        pytest.param(marked(HEADER), answer(marker=COMMIT, status=302), "", id="a redirect of this release"),
        pytest.param(
            marked(HEADER), answer(status=302, location="/login"), "release", id="a login's redirect"
        ),
        pytest.param(marked(HEADER), answer(status=500), "release", id="who before what"),
        pytest.param(
            marked(ReleaseMarker(header="X", value="7")), answer(marker="7"), "", id="a value of its own"
        ),
        pytest.param(
            marked(ReleaseMarker(header="X", value="7")), answer(marker=COMMIT), "release", id="and only that"
        ),
        pytest.param(marked(HEADER, commit=""), answer(), "release", id="nobody knows what to expect"),
        pytest.param(marked(BODY), answer(body=f"<!-- {COMMIT} -->"), "", id="the commit, in the body"),
        pytest.param(marked(BODY), answer(body="<html>"), "release", id="a fallback page of another release"),
        pytest.param(marked(BODY, commit=""), answer(body="x"), "release", id="nor in the body"),
        pytest.param(marked(BODY), answer(status=500, body=COMMIT), "status", id="the marker is not enough"),
        pytest.param(marked(BODY), answer(body=f"{COMMIT}0"), "release", id="a longer one that begins so"),
        pytest.param(marked(BODY, contains="ok"), answer(body=COMMIT), "content", id="the text, too"),
    ],
)
def test_only_the_release_itself_passes_for_it(asked: Check, seen: Answer, fault: str) -> None:
    result = judge_answer(asked, seen, NOW)
    assert (result.fault, result.passed) == (fault, fault == "")


def test_what_another_release_says_of_itself_is_told() -> None:
    result = judge_answer(marked(HEADER), answer(marker="v6\x00"), NOW)
    assert result.problem == (
        f"says 'v6\N{REPLACEMENT CHARACTER}' in the header X-Release, expected {COMMIT!r}"
    )


def test_a_redirect_is_followed_for_a_marker_in_the_body_only() -> None:
    assert marked(BODY).follows_redirects
    assert not marked(HEADER).follows_redirects
    assert not marked(BODY, status=302).follows_redirects


def known(release: str = "") -> Check:
    target = ProbeTarget(
        service="web", base_url="http://127.0.0.1:9000", release=release, criteria=Criteria()
    )
    return Check(target, PathCheck(path="/healthz"), well_known=True)


@pytest.mark.parametrize("status", [*range(100, 600, 7), 401, 403, 404, 405, 410])
def test_a_well_known_path_counts_unless_the_service_does_not_have_it(status: int) -> None:
    absent = status in {401, 403, 404, 405, 410}
    seen = Seen(NOW, answer(status=status))
    assert counts(known(), seen) is not absent
    assert counts(check(path="/healthz"), seen), "what somebody named counts"
    assert judge_seen(known(), seen).passed is (200 <= status < 400)


def test_a_well_known_path_of_another_release_counts_against_it() -> None:
    assert counts(known(RELEASE), Seen(NOW, answer(status=404)))
    assert counts(known(RELEASE), Seen(NOW, answer(status=404, release="run-6")))
    assert not counts(known(RELEASE), Seen(NOW, answer(status=404, release=RELEASE)))
    assert counts(known(), Seen(NOW, answer(status=None, fault="refused")))


TARGET = ProbeTarget(
    service="web", base_url="http://127.0.0.1:9000", criteria=Criteria(latency_seconds_max=1.0)
)


@pytest.mark.parametrize(
    ("seen", "fault", "problem"),
    [
        pytest.param(Answer("", 0.01), "", "", id="taken"),
        pytest.param(
            Answer("", 0.01, fault="refused", problem="connection refused"),
            "refused",
            "was not taken: connection refused",
            id="refused",
        ),
        pytest.param(
            Answer("", 0.01, fault="release", problem="another process answers on port 9090"),
            "release",
            "was not taken by the release itself: another process answers on port 9090",
            id="by another process",
        ),
        pytest.param(Answer("", 1.5), "slow", "was taken after 1.50 s, the limit is 1 s", id="slow"),
    ],
)
def test_a_port_passes_when_it_takes_a_connection_in_time(seen: Answer, fault: str, problem: str) -> None:
    result = judge_seen(PortCheck(TARGET, 9090), Seen(NOW, seen))
    assert (result.kind, result.service, result.url) == ("tcp", "web", "tcp://127.0.0.1:9090")
    assert (result.fault, result.problem, result.passed) == (fault, problem, not fault)


def test_a_command_that_says_no_is_told_with_its_last_line() -> None:
    asked = ProgramCheck(TARGET, CommandCheck(command=("./smoke", "--all")))
    good = judge_seen(asked, Seen(NOW, Outcome(0.2, content=True, said="fine")))
    assert (good.passed, good.kind, good.body_head) == (True, "command", "")
    said = "x" * 5000 + "\nthe cart is empty"
    bad = judge_seen(asked, Seen(NOW, Outcome(0.2, content=False, problem="exited with 3", said=said)))
    assert (bad.fault, bad.problem) == ("command", "exited with 3: the cart is empty")
    assert bad.body_head.endswith("xx the cart is empty")
    assert len(bad.body_head) <= 200


@pytest.mark.parametrize(
    ("now", "before", "fault", "problem"),
    [
        pytest.param(None, None, "", "", id="nothing can be seen"),
        pytest.param(Signals("running"), None, "", "", id="it runs"),
        pytest.param(Signals("running", restarts=3), None, "", "", id="it was restarted before we looked"),
        pytest.param(
            Signals("running", restarts=3), Signals("running", restarts=3), "", "", id="and runs on"
        ),
        pytest.param(
            Signals("running", restarts=4),
            Signals("running", restarts=3),
            "restarted",
            "ended and was started again",
            id="it was restarted",
        ),
        pytest.param(
            Signals("running", restarts=1), Signals("running", restarts=3), "", "", id="old ones go"
        ),
        pytest.param(
            Signals("exited", running=0, message="exited with 3"),
            None,
            "ended",
            "exited with 3",
            id="it ended",
        ),
        pytest.param(Signals("lost", running=0), None, "ended", "is not there", id="it is lost"),
        pytest.param(Signals("running", wanted=2), None, "ended", "is not there", id="fewer than wanted run"),
    ],
)
def test_a_process_is_bad_when_it_is_not_there_or_not_the_same(
    now: Signals | None, before: Signals | None, fault: str, problem: str
) -> None:
    asked = ProcessCheck(TARGET, LocalPlace(lives="/lives", files="/files"))
    result = judge_seen(asked, Seen(NOW, now), before)
    assert (result.fault, result.problem, result.passed) == (fault, problem, not fault)
    assert (result.kind, result.url, result.service) == ("process", "process of web", "web")


@pytest.mark.parametrize(
    ("marker", "body", "there"),
    [
        pytest.param("1.2", "1.2", True, id="all there is"),
        pytest.param("1.2", '{"release": "1.2"}', True, id="in quotes"),
        pytest.param("1.2", "1.20", False, id="a later one"),
        pytest.param("1.2", "1.2.1", False, id="a later one with a dot"),
        pytest.param("1.2", "11.2", False, id="one that ends so"),
        pytest.param("1.2", "0.1.2", False, id="one that ends so after a dot"),
        pytest.param("v1", "v10 v11 v1", True, id="after others"),
        pytest.param("1.2", "This is 1.2.", True, id="at the end of a sentence"),
        pytest.param("1.2", "...1.2\n", True, id="after dots of no version"),
        pytest.param("1.2", "1x2", False, id="a dot is a dot"),
        pytest.param("1-1", "x1-1-1", True, id="inside what did not count"),
        pytest.param("-a", "z-a", False, id="a letter before a mark"),
        pytest.param("-a", "--a", True, id="a mark before a mark"),
        pytest.param("a b", "xa b a  b", False, id="the blank counts"),
        pytest.param("\u00e9t\u00e9", "l'\u00e9t\u00e9 ", True, id="other letters"),
        pytest.param("\\g<0>(", "a \\g<0>( b", True, id="signs that mean something elsewhere"),
    ],
)
def test_a_marker_counts_in_no_longer_word(marker: str, body: str, there: bool) -> None:
    assert stands_alone(marker, body) is there


@pytest.mark.parametrize(
    ("marker", "body"),
    [
        pytest.param("a" * 10_000 + "b", "a" * 65_536, id="letters"),
        pytest.param("-a" * 5_000 + "b", "-a" * 32_768, id="words"),
        pytest.param("." * 10_000 + "b", "." * 65_536, id="dots"),
        pytest.param("1" * 10_000, "1" * 65_536, id="everywhere inside a longer one"),
    ],
)
def test_a_body_made_to_be_slow_is_searched_at_once(marker: str, body: str) -> None:
    began = time.process_time()
    assert not stands_alone(marker, body)
    assert time.process_time() - began < 1.0
