from dataclasses import replace

import pytest

from benchmarks.budgets import BUDGETS, Beside, Budget, budgets_of
from benchmarks.figures import Ratio, Series
from benchmarks.verdict import Related, asked, asked_beside, asked_ratio, measured, number, verdicts
from tests.unit.benchmarks.results import of_accept, of_burst, of_push, of_queries, result

AT_MOST = Budget("webhook answered", "p50", 2, "ms")
AT_LEAST = Budget("stages advanced", "p50", 100, "a second", at_least=True)
NONE = Budget("effects repeated by kill -9", "highest", 0, "effects")


def verdict_words(budget: Budget, *values: float, unit: str = "") -> str:
    at = None if budget.at == "anywhere" else budget.at
    series = Series(budget.subject, "Windlass", unit or budget.unit, (values,), at=at)
    return next(each for each in verdicts(result("push", series)) if each.budget == budget).words


@pytest.mark.parametrize(
    ("budget", "value", "words"),
    [
        pytest.param(AT_MOST, 1.5, "met, by 25%", id="below what is the most"),
        pytest.param(AT_MOST, 2, "met", id="as much as is the most"),
        pytest.param(AT_MOST, 3, "missed: 1.50 times what is asked", id="above what is the most"),
        pytest.param(AT_LEAST, 150, "met, by 50%", id="above what is the least"),
        pytest.param(AT_LEAST, 87, "missed: 87% of what is asked", id="below what is the least"),
        pytest.param(NONE, 0, "met", id="none where none is asked"),
        pytest.param(NONE, 3, "missed by 3", id="some where none is asked"),
    ],
)
def test_a_verdict_says_by_how_much(budget: Budget, value: float, words: str) -> None:
    budget = next(each for each in BUDGETS if each.subject == budget.subject)
    assert verdict_words(budget, value) == words


def test_another_unit_than_the_one_asked_in_is_never_met() -> None:
    series = Series("webhook answered", "Windlass", "s", ((0.001,),))
    found = list(verdicts(result("push", series)))
    assert [each.is_met for each in found] == [False, False]
    assert {each.words for each in found} == {"cannot be judged: measured in s"}


def test_the_worst_place_of_a_curve_is_judged() -> None:
    falling = Series("pushes accepted while deploying", "Windlass", "a second", ((790.0,),), at=100)
    [rate] = verdicts(result("accept", replace(falling, rounds=((900.0,),), at=0), falling))
    [query] = verdicts(of_queries())
    assert (rate.series.at, rate.is_met) == (100, False)
    assert query.series.at == 1_000_000


def test_what_is_asked_of_one_place_is_not_asked_of_another() -> None:
    series = Series("stages advanced", "Windlass", "a second", ((20.0,),), at=1, along="stages at once")
    [found] = verdicts(result("stages", series, replace(series, at=100), replace(series, at=1_000)))
    assert found.series.at == 100


def test_what_is_asked_where_nothing_grows_is_not_asked_along_a_curve() -> None:
    alone = Series("step to next step", "Windlass", "ms", ((8.0,),))
    crowded = replace(alone, rounds=((900.0,),), at=1_000, along="stages at once")
    [found] = verdicts(result("stages", crowded, alone))
    assert found.is_met


def test_each_windlass_is_judged_and_nothing_is_asked_of_a_peer() -> None:
    embedded = Series("step to next step", "Windlass", "ms", ((5.0,),))
    distributed = replace(embedded, party="Windlass, Kafka and PostgreSQL", rounds=((25.0,),))
    peer = replace(embedded, party="Buildbot", rounds=((50.0,),))
    found = list(verdicts(result("push", embedded, distributed, peer)))
    assert [(each.series.party, each.is_met) for each in found] == [
        ("Windlass", True),
        ("Windlass, Kafka and PostgreSQL", False),
    ]
    assert [each.peer and each.peer.party for each in found] == ["Buildbot", "Buildbot"]
    assert list(budgets_of(peer)) == []


def test_the_peer_of_another_place_or_without_figures_is_no_peer() -> None:
    ours = Series("list query", "Windlass", "ms", ((5.0,),), at=1_000, along="stored deployments")
    elsewhere = replace(ours, party="Buildbot", at=60)
    absent = replace(ours, party="Prefect", rounds=(), note="not installed")
    [found] = verdicts(result("queries", ours, elsewhere, absent))
    assert (found.peer, found.beside) == (None, None)


def test_there_is_no_ratio_to_nothing() -> None:
    ours = Series("step to next step", "Windlass", "ms", ((5.0,),))
    peer = replace(ours, party="Buildbot", rounds=((0.0,),))
    [found] = verdicts(result("push", ours, peer))
    assert found.peer == peer
    assert found.beside is None
    [other] = verdicts(result("push", ours, replace(peer, rounds=((1.0,), (2.0,)))))
    assert other.beside is None  # rounds that do not belong together


def test_a_party_that_took_no_part_is_not_judged() -> None:
    absent = Series("step to next step", "Windlass", "ms", (), note="it did not start")
    assert list(verdicts(result("push", absent))) == []


def test_a_ratio_stands_beside_the_verdict() -> None:
    [first, *_] = verdicts(of_push())
    assert first.beside
    assert first.beside.median == pytest.approx(1.4 / 11.2)


def related(*series: Series) -> list[Related]:
    return [each.related for each in verdicts(result("push", *series)) if each.related]


def beside(ours: Series, *rounds: tuple[float, ...], party: str = "Buildbot") -> Series:
    return replace(ours, party=party, rounds=rounds)


STEPS = Series("step to next step", "Windlass", "ms", ((20.0,), (24.0,), (22.0,)))


@pytest.mark.parametrize(
    ("budget", "share"),
    [
        pytest.param(budget, budget.ratio, id=f"{budget.subject} {budget.statistic}")
        for budget in BUDGETS
        if budget.beside
    ],
)
def test_what_was_written_beside_a_peer_is_asked_as_a_ratio_of_it(budget: Budget, share: float) -> None:
    assert budget.beside
    assert share * budget.beside.figure == pytest.approx(budget.bound)


def test_a_slow_machine_misses_the_figure_and_keeps_the_ratio() -> None:
    [found] = verdicts(result("push", STEPS, beside(STEPS, (200.0,), (200.0,), (200.0,))))
    assert (found.words, found.is_met) == ("missed: 2.20 times what is asked", False)
    assert found.related
    assert found.related.measured == Ratio(0.11, 0.1, 0.12)
    assert (found.related.words, found.related.is_met) == ("met, by 23%", True)


def test_a_quick_machine_does_not_excuse_the_ratio() -> None:
    quick = replace(STEPS, rounds=((5.0,),))
    [found] = verdicts(result("push", quick, beside(quick, (20.0,))))
    assert found.is_met
    assert found.related
    assert (found.related.words, found.related.is_met) == ("missed: 1.75 times what is asked", False)


def test_a_ratio_is_of_the_statistic_that_is_asked() -> None:
    ours = Series("push to first step", "Windlass", "ms", ((50.0, 300.0),))
    p50, p95 = related(ours, beside(ours, (300.0, 600.0)))
    assert [p50.measured.median, p95.measured.median] == [pytest.approx(1 / 6), 0.5]
    assert [p50.is_met, p95.is_met] == [True, False]


def test_a_rate_has_to_be_so_many_times_the_peers() -> None:
    [found] = [each.related for each in verdicts(of_accept()) if each.related]
    assert found.asked == 20
    assert found.measured == Ratio(20.25, 415 / 21, 420 / 18)
    assert found.words == "met, by 1%"


def test_a_ratio_is_of_the_place_where_the_peer_is() -> None:
    [found] = verdicts(of_accept())
    assert found.series.at == 0  # the worst
    assert found.related
    assert found.related.series.at == 1


def test_of_several_places_with_the_peer_the_worst_ratio_counts() -> None:
    ours = replace(of_accept().series[0], rounds=((800.0,),), at=1)
    more = replace(ours, rounds=((900.0,),), at=2)
    peers = (beside(ours, (20.0,)), beside(more, (50.0,)))
    for ordered in ((ours, more), (more, ours)):
        [found] = related(*ordered, *peers)
        assert found.measured.median == 18


def test_a_count_is_told_and_only_judged_as_it_is() -> None:
    found = next(each.related for each in verdicts(of_burst()) if each.related)
    assert found.words == "a count: asked as it is"


@pytest.mark.parametrize(
    "peer",
    [
        pytest.param(beside(STEPS, (100.0,), (100.0,), (100.0,), party="Prefect"), id="another peer"),
        pytest.param(beside(STEPS, (100.0,), (100.0,)), id="not in each round"),
        pytest.param(beside(STEPS, (100.0,), (0.0,), (100.0,)), id="nothing to divide by"),
        pytest.param(beside(STEPS), id="it took no part"),
        pytest.param(replace(beside(STEPS, (100.0,), (100.0,), (100.0,)), at=3), id="at another place"),
    ],
)
def test_without_the_peer_nothing_is_asked_as_a_ratio(peer: Series) -> None:
    assert related(STEPS, peer) == []


def test_the_peer_is_found_behind_others() -> None:
    prefect = beside(STEPS, (1.0,), (1.0,), (1.0,), party="Prefect")
    [found] = related(STEPS, prefect, beside(STEPS, (200.0,), (200.0,), (200.0,)))
    assert found.peer.party == "Buildbot"


def test_what_is_asked_beside_a_peer_is_told_in_words() -> None:
    rate = Budget("a", "p50", 800, "a second", at_least=True, beside=Beside("Buildbot", 40))
    time = Budget("b", "p99", 8, "ms", beside=Beside("Buildbot", 33.7))
    assert [asked_beside(each, each.beside) for each in (rate, time) if each.beside] == [
        "p50 at least 800 / 40 a second",
        "p99 at most 8 / 33.7 ms",
    ]
    assert [asked_ratio(each, each.ratio) for each in (rate, time) if each.ratio] == [
        "at least 20",
        "at most 0.237",
    ]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0, "0"),
        (0.12345, "0.123"),
        (1.006, "1.01"),
        (12.34, "12.3"),
        (123.4, "123"),
        (54_321.9, "54,322"),
        (2, "2"),
    ],
)
def test_a_number_has_three_digits_that_count(value: float, told: str) -> None:
    assert number(value) == told


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (AT_MOST, "p50 at most 2 ms"),
        (AT_LEAST, "p50 at least 100 a second"),
        (NONE, "at most 0 effects"),
        (Budget("last commit live", "lowest", 1, "of 1", at_least=True), "at least 1 of 1"),
    ],
)
def test_what_is_asked_is_told_in_words(budget: Budget, words: str) -> None:
    assert asked(budget) == words
    assert measured(1.5, "ms") == "1.50 ms"
