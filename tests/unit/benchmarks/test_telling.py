from dataclasses import replace

from benchmarks.figures import Series
from benchmarks.telling import told
from tests.unit.benchmarks.results import of_accept, result


def test_a_ratio_taken_elsewhere_on_a_curve_says_where() -> None:
    asked = "of Buildbot at 1 deployments running at least 20 is asked"
    assert f"; {asked}, 20.25 (19.76 to 23.33) measured: met, by 1%\n" in told(of_accept())


def test_beside_somebody_of_whom_nothing_is_asked_the_ratio_is_told_alone() -> None:
    ours = Series("rebuild of the read model", "Windlass", "events a second", ((20_000.0,),))
    floor = replace(ours, party="floor", rounds=((50_000.0,),))
    words = told(result("rebuild", ours, floor))
    assert "missed: 40% of what is asked; 0.40 (0.40 to 0.40) of floor\n" in words


def test_beside_nobody_only_the_figure_is_told() -> None:
    alone = Series("event to browser", "Windlass", "ms", ((90.0,),))
    assert told(result("following", alone)).endswith("90 ms measured: met, by 40%\n")
