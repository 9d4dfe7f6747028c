from dataclasses import replace

from benchmarks.figures import Series
from benchmarks.pictures import STEPS_MAX, pictures, slug
from tests.unit.benchmarks.results import of_all, of_push, of_queries, result, spread


def test_a_time_with_values_enough_is_drawn_as_a_distribution_of_its_parties() -> None:
    [first, second] = pictures(of_push())
    assert (first.name, first.kind) == ("push-webhook-answered", "distribution")
    assert [line.party for line in first.lines] == ["Windlass", "Buildbot"]
    assert [(bound.words, bound.value, bound.share) for bound in first.bounds] == [
        ("asked: p50 at most 2 ms", 2, 0.5),
        ("asked: p99 at most 8 ms", 8, 0.99),
    ]
    assert [line.party for line in second.lines] == ["Windlass", "Buildbot"]  # Prefect took no part


def test_a_distribution_rises_from_none_to_all_in_no_more_steps_than_are_seen() -> None:
    long = Series("webhook answered", "Windlass", "ms", (tuple(float(value) for value in range(5_000)),))
    [picture] = pictures(result("push", long))
    values, shares = zip(*picture.lines[0].points, strict=True)
    assert len(values) == STEPS_MAX + 1
    assert (values[0], shares[0], values[-1], shares[-1]) == (0, 0, 4_999, 1)
    assert (list(values), list(shares)) == (sorted(values), sorted(shares))
    assert picture.lines[0].marks == (("p50", 2_499, 0.5), ("p95", 4_749, 0.95))


def test_a_curve_is_drawn_by_place_with_the_spread_of_its_rounds() -> None:
    [picture] = pictures(replace(of_queries(), series=of_queries().series[::-1]))
    [line] = picture.lines
    assert picture.kind == "growth"
    assert picture.x == "stored deployments"
    assert list(line.points) == [(1e3, 2.1), (1e4, 3.15), (1e5, 4.2), (1e6, 5.25)]
    assert line.spread[0] == (2.0, 2.2)
    assert [x for x, _ in line.high] == [x for x, _ in line.points]
    assert [bound.words for bound in picture.bounds] == ["asked: p95 at most 10 ms"]


def test_what_has_too_few_values_or_places_is_not_drawn() -> None:
    few = Series("webhook answered", "Windlass", "ms", spread(1, times=6))
    places = [Series("list query", "Windlass", "s", ((1.0,),), at=at, along="runs") for at in (1, 2)]
    counted = Series("bytes", "Windlass", "KB", spread(1, times=90))
    assert pictures(result("push", few, *places, counted)) == []


def test_a_mark_changes_with_what_is_drawn_and_with_nothing_else() -> None:
    one = of_push()
    moved = replace(one.series[0], rounds=(*one.series[0].rounds, (99.0,)))
    noted = replace(one.series[0], note="another note")
    [mark, *_] = [picture.mark for picture in pictures(one)]
    assert pictures(replace(one, date="2027"))[0].mark == mark
    assert pictures(replace(one, series=(noted, *one.series[1:])))[0].mark == mark
    assert pictures(replace(one, series=(moved, *one.series[1:])))[0].mark != mark


def test_every_picture_has_a_file_of_its_own() -> None:
    names = [picture.name for one in of_all() for picture in pictures(one)]
    assert len(names) == len(set(names))
    assert slug("burst of 200 pushes: runs/../x") == "burst-of-200-pushes-runs-x"
