"""The rows that the suites beside peers give."""

from benchmarks.budgets import WINDLASS, budgets_of
from benchmarks.parties.processes import Memory
from benchmarks.parties.turn import Turn
from benchmarks.suites import burst, push, queries, restart

FULL = Turn([0.001, 0.003], [0.05], [0.01, 0.02], [0.2], 0.1, Memory(100, 120))


def test_times_are_in_milliseconds_and_kept_by_round() -> None:
    rows = {row.subject: row for row in push.series(WINDLASS, "as it is", [FULL, FULL])}
    assert list(rows) == list(push.PUSHED.all)
    assert [rows["webhook answered"].medians, rows["webhook answered"].unit] == [[2, 2], "ms"]
    assert [rows["CPU a deployment"].medians, rows["CPU a deployment"].unit] == [[100, 100], "ms"]
    assert [rows["memory"].medians, rows["memory"].unit] == [[100, 100], "MB"]


def test_each_partys_first_row_says_how_it_is_configured() -> None:
    told = [row.note for row in push.series(WINDLASS, "as it is", [FULL])]
    assert [number for number, note in enumerate(told) if "as it is" in note] == [0]


def test_bare_processes_have_no_webhook_and_no_memory() -> None:
    bare = Turn([], [0.001], [0.002], [0.01], 0.005)
    subjects = {row.subject for row in push.series("bare processes", "", [bare])}
    assert subjects == set(push.PUSHED.all) - {"webhook answered", "memory"}


def test_what_is_not_the_same_work_is_not_in_the_same_row() -> None:
    refusing = Turn([0.1], [7.0], [0.05], [8.0], 3.0, Memory(400, 500), refused=2)
    rows = push.series("Prefect", "", [refusing])
    assert {row.subject for row in rows} & set(push.PUSHED.all) == {"memory"}
    assert "2 asked again" in rows[0].note


def test_all_rows_have_the_words_that_the_suite_says_it_uses() -> None:
    for party in (WINDLASS, "Prefect"):
        assert {row.subject for row in push.series(party, "", [FULL])} <= set(push.SUBJECTS)
    bursts = burst.rows(burst.SUBJECT, "Windlass", "", [burst.Burst(800.0, 2, True, 0.5)])
    restarts = restart.rows("Windlass", "", 1.0, [restart.Restart(1.5, 0, 4.0)])
    assert [row.subject for row in bursts] == list(burst.SUBJECTS[:4])
    assert [row.subject for row in restarts] == list(restart.SUBJECTS)


def test_a_burst_and_a_restart_as_asked_for_keep_their_budgets() -> None:
    rows = burst.rows(burst.SUBJECT, WINDLASS, "", [burst.Burst(800.0, 2, True, 0.5)])
    rows += restart.rows(WINDLASS, "", 1.0, [restart.Restart(1.5, 0, 4.0)])
    asked = [(budget, row) for row in rows for budget in budgets_of(row)]
    assert len(asked) == 4
    assert all(budget.is_met(row) for budget, row in asked)


def test_a_commit_that_is_not_live_and_an_effect_repeated_break_theirs() -> None:
    rows = burst.rows(burst.SUBJECT, WINDLASS, "", [burst.Burst(800.0, 3, False, 0.5)])
    rows += restart.rows(WINDLASS, "", 1.0, [restart.Restart(2.5, 1, 4.0)])
    assert not any(budget.is_met(row) for row in rows for budget in budgets_of(row))


def test_of_the_queries_each_is_told_and_the_slowest_of_a_kind_is_held_against_what_is_asked() -> None:
    rounds = [[[0.001 * place] for place, _ in enumerate(queries.QUESTIONS, 1)] for _ in range(2)]
    told = queries.rows(queries.QUESTIONS, rounds, 1_000)
    last_list, last_status = told[-2:]
    assert {row.subject for row in told} == set(queries.SUBJECTS)
    assert (last_list.subject, last_status.subject) == (queries.LIST, queries.STATUS)
    assert [last_list.note, last_status.note] == [
        "the slowest of 15: dead letters",
        "the slowest of 12: push",
    ]
    assert [len(list(budgets_of(row))) for row in told] == [0] * len(queries.QUESTIONS) + [1, 1]
