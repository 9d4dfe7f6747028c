"""Rounds as they are told."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.verifier.telling import (
    FULLY_TOLD_ROUNDS,
    PROBES_TOLD_MAX,
    ROUNDS_TOLD_MAX,
    pause_seconds,
    round_of,
    with_round,
)
from shared.events import ProbeResult, ProbeRound

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def probe(url: str = "/", passed: bool = True, **told: Any) -> ProbeResult:
    return ProbeResult(at=AT, url=url, passed=passed, **told)


@pytest.mark.parametrize(
    ("number", "told", "further"),
    [
        pytest.param(1, 3, 0, id="the first, in full"),
        pytest.param(FULLY_TOLD_ROUNDS, 3, 0, id="the last in full"),
        pytest.param(FULLY_TOLD_ROUNDS + 1, 1, 2, id="what passes later is a number"),
    ],
)
def test_what_passes_in_a_long_verification_is_summed_up(number: int, told: int, further: int) -> None:
    results = [probe("/a"), probe("/b", passed=False), probe("/c")]
    seen = round_of(number, AT, results)
    assert (len(seen.probes), seen.further) == (told, further)
    assert seen.probes[0].url == "/b"


def test_a_round_of_many_probes_is_told_bounded_and_what_failed_first() -> None:
    results = [*(probe(f"/{n}") for n in range(100)), probe("/bad", passed=False)]
    seen = round_of(1, AT, results)
    assert len(seen.probes) == PROBES_TOLD_MAX
    assert seen.probes[0].url == "/bad"
    assert seen.further == 100 - (PROBES_TOLD_MAX - 1)


@pytest.mark.parametrize(
    ("before", "urls", "heads"),
    [
        pytest.param([], ["/a", "/b"], ["boom", "boom"], id="they passed before"),
        pytest.param([("/a", 500), ("/b", 500)], ["/a"], [""], id="as before: one of them, in short"),
        pytest.param([("/a", 500), ("/b", 502)], ["/b"], ["boom"], id="one fails otherwise"),
        pytest.param([("/a", 500)], ["/b"], ["boom"], id="one fails that did not"),
    ],
)
def test_what_fails_on_in_a_long_verification_is_told_where_it_differs(
    before: list[tuple[str, int]], urls: list[str], heads: list[str]
) -> None:
    failed = [probe(url, passed=False, status=500, fault="status", body_head="boom") for url in ("/a", "/b")]
    known = [probe(url, passed=False, status=status, fault="status") for url, status in before]
    seen = round_of(FULLY_TOLD_ROUNDS + 1, AT, [*failed, probe("/c")], known)
    assert [each.url for each in seen.probes] == urls
    assert [each.body_head for each in seen.probes] == heads
    assert seen.further == 1
    in_full = round_of(FULLY_TOLD_ROUNDS, AT, [*failed, probe("/c")], known)
    assert len(in_full.probes) == 3


@pytest.mark.parametrize(
    ("elapsed", "seconds"), [(-100.0, 5.0), (0.0, 5.0), (5.0, 10.0), (35.0, 40.0), (3600.0, 60.0)]
)
def test_tellings_are_further_apart_the_longer_it_takes(elapsed: float, seconds: float) -> None:
    assert pause_seconds(elapsed) == seconds


def test_what_a_verification_says_that_fails_for_an_hour_is_little() -> None:
    failed = [
        probe(f"/{n}", passed=False, status=500, fault="status", body_head="x" * 200) for n in range(50)
    ]
    said, untold, told_at = 0, tuple[ProbeRound, ...](), 0
    for second in range(1, 3601):
        untold = with_round(untold, round_of(second, AT, failed, failed if second > 1 else ()))
        if second - told_at >= pause_seconds(told_at):
            said += sum(len(each.model_dump_json()) for each in untold)
            untold, told_at = (), second
    assert said < 1_000_000


def test_a_process_that_simply_runs_is_not_told() -> None:
    seen = round_of(1, AT, [probe(kind="process"), probe("/a")])
    assert [each.url for each in seen.probes] == ["/a"]
    assert seen.further == 0
    bad = round_of(99, AT, [probe(kind="process", passed=False, fault="ended")])
    assert [each.fault for each in bad.probes] == ["ended"]


def test_many_rounds_are_told_by_the_first_and_the_last_of_them() -> None:
    untold: tuple[ProbeRound, ...] = ()
    for number in range(1, 501):
        untold = with_round(untold, ProbeRound(number=number, at=AT, probes=()))
    numbers = [each.number for each in untold]
    assert len(numbers) <= ROUNDS_TOLD_MAX
    assert numbers[:15] == [*range(1, 16)]
    assert numbers[-15:] == [*range(486, 501)]


def test_of_many_rounds_those_with_something_to_tell_stay() -> None:
    untold: tuple[ProbeRound, ...] = ()
    for number in range(1, 501):
        blip = (probe("/bad", passed=False),) if number % 100 == 50 else ()
        untold = with_round(untold, ProbeRound(number=number, at=AT, probes=blip))
    assert len(untold) == ROUNDS_TOLD_MAX
    assert [each.number for each in untold if each.probes] == [50, 150, 250, 350, 450]
    assert [untold[0].number, untold[-1].number] == [1, 500]
