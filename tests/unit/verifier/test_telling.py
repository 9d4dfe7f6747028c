"""Rounds as they are told."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.verifier.telling import (
    FULLY_TOLD_ROUNDS,
    PROBES_TOLD_MAX,
    ROUNDS_TOLD_MAX,
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
