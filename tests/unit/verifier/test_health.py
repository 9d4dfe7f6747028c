"""The anti-flap table: what samples make of a service's health."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.verifier import health
from services.verifier.health import AILING, TABLE, Change, Window, judge
from services.verifier.sample import Sample
from shared.events import Health

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SECONDS = 30.0
LETTERS = {"g": "good", "w": "slow", "b": "bad", "s": "silent"}


def samples(story: str, wanted: int = 0) -> tuple[Sample, ...]:
    """Return samples by their letters; a digit after one: so many processes run, of `wanted`.

    `G` is good right after a process was started again.
    """
    found: list[Sample] = []
    restarts = 0
    for letter in story:
        if letter.isdigit():
            last = found.pop()
            found.append(Sample(last.at, last.kind, None, wanted, int(letter), last.restarts, last.problem))
            continue
        restarts += letter == "G"
        at = START + timedelta(seconds=SECONDS * len(found))
        kind = LETTERS[letter.lower()]
        found.append(Sample(at, kind, 0.01, wanted, wanted, restarts, "" if kind == "good" else "boom"))  # type: ignore[arg-type]
    return tuple(found)


def course(story: str, begins: Health = "unknown", wanted: int = 0) -> list[Health]:
    """Return the health after each sample."""
    told = samples(story, wanted)
    stayed, now, seen = 99, begins, []
    for count in range(1, len(told) + 1):
        window = Window(told[max(count - health.WINDOW, 0) : count], problem="boom")
        change = judge(now, window, stayed + 1)
        now, stayed = (change.health, 0) if change else (now, stayed + 1)
        seen.append(now)
    return seen


def last(story: str, begins: Health, wanted: int = 0) -> Health:
    return course(story, begins, wanted)[-1]


@pytest.mark.parametrize(
    ("begins", "story", "ends"),
    [
        pytest.param("unknown", "g", "unknown", id="one good look tells too little"),
        pytest.param("unknown", "gg", "healthy", id="two good looks"),
        pytest.param("unknown", "bg", "unknown", id="one of two"),
        pytest.param("unknown", "ss", "unknown", id="two silent ones"),
        pytest.param("unknown", "sss", "unreachable", id="three silent ones from the start"),
        pytest.param("unknown", "bbb", "degraded", id="three bad ones from the start"),
        pytest.param("healthy", "ss", "healthy", id="two silent ones are not enough"),
        pytest.param("healthy", "sss", "unreachable", id="three silent ones in a row"),
        pytest.param("healthy", "sgss", "degraded", id="three silent ones, not in a row"),
        pytest.param("degraded", "sss", "unreachable", id="degraded, and then silent"),
        pytest.param("healthy", "bgb", "healthy", id="two of five are not good"),
        pytest.param("healthy", "bgwgb", "degraded", id="three of five are not good, slow or bad"),
        pytest.param("healthy", "bgggbgggb", "healthy", id="three of nine are not good"),
        pytest.param("degraded", "bgg", "degraded", id="two good ones do not heal"),
        pytest.param("degraded", "bggg", "healthy", id="three good ones heal"),
        pytest.param("unreachable", "sgg", "unreachable", id="two good ones after silence"),
        pytest.param("unreachable", "sggg", "healthy", id="three good ones after silence"),
        pytest.param("unreachable", "sbb", "unreachable", id="answering badly, twice"),
        pytest.param("unreachable", "sbwb", "degraded", id="answering badly, three times"),
        pytest.param("unreachable", "sbsbsb", "unreachable", id="answering now and then"),
        pytest.param("degraded", "bbbb", "degraded", id="it stays"),
    ],
)
def test_what_answers_make_of_it(begins: Health, story: str, ends: Health) -> None:
    assert last(story, begins) == ends


@pytest.mark.parametrize(
    ("begins", "story", "ends"),
    [
        pytest.param("healthy", "g1", "healthy", id="fewer run, once"),
        pytest.param("healthy", "g1g1", "degraded", id="fewer run, twice in a row"),
        pytest.param("healthy", "g1g2g1g2", "healthy", id="fewer run, not in a row"),
        pytest.param("healthy", "gs0", "unreachable", id="none runs and nothing answers"),
        pytest.param("healthy", "gs1", "healthy", id="one runs, and it was silent once"),
        pytest.param("unknown", "s0", "unknown", id="none runs, and it is the first look"),
        pytest.param("unknown", "s0s0", "unreachable", id="none runs, from the start"),
        pytest.param("degraded", "g1g1g1", "degraded", id="good, and too few run"),
        pytest.param("degraded", "g1g2g2g2", "healthy", id="good, and all run again"),
        pytest.param("unreachable", "s0g1g1g1", "degraded", id="answers again, and too few run"),
        pytest.param("healthy", "gGGg", "healthy", id="two were started again"),
        pytest.param("healthy", "gGGG", "degraded", id="three were started again"),
        pytest.param("degraded", "gGGG" + "g" * 15, "degraded", id="a crash loop is not over soon"),
        pytest.param("degraded", "gGGG" + "g" * 19, "healthy", id="until it is out of sight"),
        pytest.param("unknown", "gGGG", "degraded", id="a crash loop from the start"),
    ],
)
def test_what_processes_make_of_it(begins: Health, story: str, ends: Health) -> None:
    assert last(story, begins, wanted=2) == ends


@pytest.mark.parametrize("begins", ["healthy", "degraded", "unreachable"])
@pytest.mark.parametrize("letter", "gs")
def test_after_a_gap_nothing_is_known_whatever_one_look_says(begins: Health, letter: str) -> None:
    change = judge(begins, Window(samples(letter), gap_seconds=7200.0), stayed=1)
    assert change == Change("unknown", "nobody looked for 2 h, and one look since then says too little")


def test_what_was_unknown_before_a_gap_is_no_news_after_it() -> None:
    assert judge("unknown", Window(samples("g"), gap_seconds=7200.0), stayed=9) is None


@pytest.mark.parametrize(
    ("begins", "story", "reason"),
    [
        ("healthy", "gsss", "3 looks in a row found no answer: boom"),
        ("healthy", "ggs0", "none of its processes runs, and nothing answers: boom"),
        ("degraded", "bggg", "3 looks in a row were good, the last in 0.010 s"),
        ("unknown", "gg", "2 looks in a row were good, the last in 0.010 s"),
        ("unreachable", "sbbb", "it answers again, and not well: boom"),
        ("healthy", "bgwgb", "3 of the last 5 looks were not good: boom"),
        ("healthy", "g1g1", "1 of 2 processes run: boom"),
        ("healthy", "gGGG", "its processes were started again 3 times within 90 s: boom"),
    ],
)
def test_each_change_says_what_was_seen_with_figures(begins: Health, story: str, reason: str) -> None:
    change = judge(begins, Window(samples(story, wanted=2), problem="boom"), stayed=9)
    assert change is not None
    assert change.reason == reason


def test_a_problem_in_braces_is_told_as_it_is() -> None:
    change = judge("healthy", Window(samples("gsss"), problem="GET /{x} {0.__class__} gave 500"), stayed=9)
    assert change == Change(
        "unreachable", "3 looks in a row found no answer: GET /{x} {0.__class__} gave 500"
    )


@pytest.mark.parametrize(
    ("story", "changes_max"),
    [
        pytest.param("gb" * 100, 1, id="back and forth"),
        pytest.param("ggb" * 66, 2, id="one of three"),
        pytest.param("gs" * 100, 1, id="silent now and then"),
        pytest.param("gbs" * 66, 2, id="all of it"),
        pytest.param("gggggb" * 33, 0, id="one of six"),
        pytest.param("w" * 200, 1, id="always slow"),
    ],
)
def test_what_flaps_is_told_of_hardly_ever(story: str, changes_max: int) -> None:
    assert changes(course(story, "healthy")) <= changes_max


def changes(healths: Sequence[Health]) -> int:
    return sum(one != other for one, other in pairwise(healths))


STORIES = st.lists(
    st.sampled_from(["g", "g", "w", "b", "s", "g1", "s0", "b0", "G"]), min_size=1, max_size=60
).map("".join)


@given(STORIES, st.sampled_from(["unknown", "healthy", "degraded", "unreachable"]))
def test_a_change_is_not_followed_by_another_at_the_next_look(story: str, begins: Health) -> None:
    seen = course(story, begins, wanted=2)
    moved = [number for number in range(1, len(seen)) if seen[number] != seen[number - 1]]
    assert all(later - earlier >= health.SETTLES for earlier, later in pairwise(moved))


@given(STORIES)
def test_one_look_alone_never_makes_anything_known(story: str) -> None:
    assert course(story, wanted=2)[0] == "unknown"


@given(STORIES, st.sampled_from(["degraded", "unreachable"]))
def test_what_ails_is_well_again_only_after_good_looks_in_a_row(story: str, begins: Health) -> None:
    seen = course(story, begins, wanted=2)
    told = samples(story, wanted=2)
    for number in range(1, len(seen)):
        if seen[number - 1] in AILING and seen[number] == "healthy":
            lately = told[number - health.IN_A_ROW + 1 : number + 1]
            assert [(each.kind, each.running) for each in lately] == [("good", 2)] * health.IN_A_ROW


@given(STORIES, st.sampled_from(["unknown", "healthy", "degraded", "unreachable"]))
@example("wwwgg", "unknown")
def test_what_heals_does_not_make_ill_nor_the_other_way_round(story: str, begins: Health) -> None:
    window = Window(samples(story, wanted=2)[-health.WINDOW :])
    change = judge(begins, window, stayed=9)
    if change is not None:
        assert judge(change.health, window, stayed=9) in {None} | _worse_at_once(window)


def _worse_at_once(window: Window) -> set[Change | None]:
    """Return what a degraded service may be as well: silent."""
    return {each for each in [judge("degraded", window, stayed=9)] if each and each.health == "unreachable"}


def test_every_row_can_be_read_by_people() -> None:
    for row in TABLE:
        assert row.to not in row.before
        assert row.when[0].islower() or row.when[0].isdigit()
        assert row.before


def test_every_row_is_needed() -> None:
    """Each decides some story that no other row would decide so."""
    stories = ["g", "gsss", "ggs0", "sggg", "gg", "sbbb", "bgwgb", "g1g1", "gGGG"]
    decided = {
        row.when
        for story in stories
        for begins in ("unknown", "healthy", "degraded", "unreachable")
        for row in [first(begins, story)]
        if row is not None
    }
    assert decided == {row.when for row in TABLE}


def first(begins: Health, story: str) -> health.Row | None:
    window = Window(samples(story, wanted=2), gap_seconds=7200.0 if story == "g" else None)
    return next((row for row in TABLE if begins in row.before and row.holds(window)), None)
