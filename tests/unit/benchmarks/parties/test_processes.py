"""Processes as Linux shows them."""

import os

from benchmarks.parties.processes import TICKS_A_SECOND, Seen, descendants, parsed, rollup

LINE = "4711 (a b) R) S 12 4711 4711 0 -1 4194560 {faults} 150 50 30 20 20 0 1 0 8000 10000 500 184"


def seen(pid: int, parent: int) -> Seen:
    return Seen(pid, parent, 0.0, 0.0)


def test_a_name_with_brackets_and_spaces_does_not_shift_the_fields() -> None:
    read = parsed(LINE.format(faults="100 0 0 0"))
    assert read == Seen(4711, 12, 200 / TICKS_A_SECOND, 50 / TICKS_A_SECOND)


def test_descendants_are_children_and_theirs_and_nobody_else() -> None:
    among = [seen(5, 4), seen(4, 2), seen(3, 2), seen(2, 1), seen(9, 8), seen(8, 1)]
    assert sorted(each.pid for each in descendants(2, among)) == [3, 4, 5]
    assert descendants(9, among) == []


def test_this_process_occupies_something() -> None:
    sums = rollup(os.getpid())
    assert 1 < sums["Pss"] <= sums["Rss"]


def test_a_process_that_ended_occupies_nothing() -> None:
    assert rollup(2**22 + 1) == {"Pss": 0.0, "Rss": 0.0}
