"""A verification that nobody said anything about."""

from collections.abc import Mapping, Sequence
from itertools import product

import pytest

from services.verifier.checks import WELL_KNOWN
from services.verifier.judgement import Failed, Passed
from tests.unit.verifier.courses import course, request, statuses, target

Paths = Mapping[str, int | Sequence[int]]


@pytest.mark.parametrize(
    ("paths", "passes", "asked_then"),
    [
        pytest.param({"/": 200}, True, ["/"], id="only the root is there"),
        pytest.param({"/healthz": 200}, True, ["/healthz"], id="only one other is there"),
        pytest.param({"/": 302}, True, ["/"], id="the root redirects"),
        pytest.param({"/": 401, "/health": 200}, True, ["/health"], id="the root asks for a login"),
        pytest.param({"/": 403, "/health": 204}, True, ["/health"], id="the root is forbidden"),
        pytest.param({"/": 405, "/api/health": 200}, True, ["/api/health"], id="the root takes no GET"),
        pytest.param({"/": 410, "/health": 200}, True, ["/health"], id="the root is gone"),
        pytest.param(dict.fromkeys(WELL_KNOWN, 200), True, list(WELL_KNOWN), id="a fallback for all"),
        pytest.param({"/": 200, "/health": 503}, False, ["/", "/health"], id="a health check says no"),
        pytest.param({"/": 500, "/health": 200}, False, ["/", "/health"], id="the root is broken"),
        pytest.param({"/": 200, "/healthz": 429}, False, ["/", "/healthz"], id="any other answer counts"),
        pytest.param({}, False, list(WELL_KNOWN), id="none is there"),
        pytest.param(dict.fromkeys(WELL_KNOWN, 401), False, list(WELL_KNOWN), id="all ask for a login"),
    ],
)
def test_what_the_service_has_must_answer_well(paths: Paths, passes: bool, asked_then: Sequence[str]) -> None:
    played = course(request(target()))
    assert isinstance(played.run(statuses(paths)), Passed) is passes
    assert played.asked[0] == list(WELL_KNOWN)
    assert played.asked[-1] == asked_then
    assert (played.played == 2) is passes


@pytest.mark.parametrize("answers", list(product([200, 404, 500], repeat=4)))
def test_every_mixture_passes_when_one_is_good_and_none_is_bad(answers: tuple[int, ...]) -> None:
    verdict = course(request(target())).run(statuses(dict(zip(WELL_KNOWN, answers, strict=True))))
    assert isinstance(verdict, Passed) is (200 in answers and 500 not in answers)


def test_what_comes_up_late_is_still_found() -> None:
    """While it begins, a server knows none of its routes."""
    played = course(request(target()))
    verdict = played.run(statuses({"/": [503, 404, 404], "/health": [503, 404, 200]}))
    assert isinstance(verdict, Passed)
    assert played.asked[2:] == [list(WELL_KNOWN), ["/health"]]


def test_what_was_there_once_may_not_go() -> None:
    verdict = course(request(target())).run(statuses({"/": [200, 404], "/health": [500, 200]}))
    assert isinstance(verdict, Failed)
    assert "GET http://127.0.0.1:9000/ gave 404" in verdict.evidence.message


def test_each_service_has_paths_of_its_own() -> None:
    played = course(request(target("web"), target("api", paths=[{"path": "/v1"}])))
    assert isinstance(played.run(statuses({"/health": 200, "/v1": 200})), Passed)
    assert played.asked == [[*WELL_KNOWN, "/v1"], ["/health", "/v1"]]


def test_a_service_that_has_none_of_them_is_told_what_to_say() -> None:
    verdict = course(request(target())).run(statuses({"/health": 401}))
    assert isinstance(verdict, Failed)
    assert verdict.evidence.message == (
        "none of the well-known paths answers well: http://127.0.0.1:9000/ gave 404,"
        " http://127.0.0.1:9000/health gave 401, http://127.0.0.1:9000/healthz gave 404,"
        " http://127.0.0.1:9000/api/health gave 404; say under `verify: paths:` what is to be asked for"
    )


def test_what_is_broken_is_told_before_what_is_not_there() -> None:
    verdict = course(request(target())).run(statuses({"/api/health": 500}))
    assert isinstance(verdict, Failed)
    assert verdict.evidence.message == (
        "GET http://127.0.0.1:9000/api/health gave 500 instead of 2xx/3xx (6 of 6 probes failed)"
    )
    assert verdict.evidence.probes[0].url.endswith("/api/health")


def test_what_does_not_count_is_not_told_beside_what_passed() -> None:
    verdict = course(request(target())).run(statuses({"/": 200}))
    assert isinstance(verdict, Passed)
    assert [(probe.url, probe.passed) for probe in verdict.probes] == [("http://127.0.0.1:9000/", True)] * 2
