"""The order of steps: every small graph, walked."""

from itertools import combinations, pairwise, product

import pytest

from shared.language.step_order import find_cycle, in_order, without_skipped

NAMES = "abc"
CHOICES = [list(chosen) for count in range(4) for chosen in combinations(NAMES, count)]
GRAPHS = [dict(zip(NAMES, after, strict=True)) for after in product(CHOICES, repeat=3)]


def behind(edges: dict[str, list[str]], step: str) -> set[str]:
    """Return all that a step comes after, by any number of edges."""
    found: set[str] = set()
    waiting = list(edges[step])
    while waiting:
        earlier = waiting.pop()
        if earlier not in found:
            found.add(earlier)
            waiting.extend(edges[earlier])
    return found


def test_every_graph_of_three_steps_is_ordered_or_has_a_cycle_that_is_one() -> None:
    for edges in GRAPHS:
        cycle = find_cycle(edges)
        is_cyclic = any(step in behind(edges, step) for step in NAMES)
        assert bool(cycle) == is_cyclic
        if cycle:
            assert cycle[0] == cycle[-1]
            assert all(later in edges[earlier] for earlier, later in pairwise(cycle))
        else:
            order = in_order(edges)
            assert sorted(order) == list(NAMES)
            assert all(order.index(after) < order.index(step) for step in NAMES for after in edges[step])


@pytest.mark.parametrize("skipped", [set(), {"a"}, {"b"}, {"a", "b"}, {"a", "b", "c"}])
def test_leaving_steps_out_keeps_the_order_of_those_that_stay(skipped: set[str]) -> None:
    for edges in GRAPHS:
        if find_cycle(edges):
            continue
        bridged = {step: list(after) for step, after in without_skipped(edges, skipped).items()}
        for step in set(NAMES) - skipped:
            assert not set(bridged[step]) & skipped
            assert behind(bridged, step) == behind(edges, step) - skipped


def test_steps_that_may_start_any_time_keep_the_order_of_the_list() -> None:
    assert in_order({"c": [], "a": [], "b": ["a"]}) == ["c", "a", "b"]
    assert in_order({"c": ["b"], "a": [], "b": ["a"]}) == ["a", "b", "c"]
