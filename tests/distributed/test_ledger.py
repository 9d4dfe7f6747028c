"""The judge catches what it is there for: each way of breaking a promise, written into a good ledger."""

from collections.abc import Callable

import pytest

from tests.distributed.ledger import Effect, Shape, read, wrongs

SHAPE = Shape("shop", ("staging", "production"), ("first", "serve", "last"), serves="serve", built=True)
OLD, NEW = "a" * 40, "b" * 40

GOOD = f"""\
shop - {OLD} 1 build - begin 10
shop - {OLD} 1 build - end 11
shop staging {OLD} 1 first 1 begin 20
shop staging {OLD} 1 first 1 end 21
shop staging {OLD} 1 serve 1 begin 22
shop staging {OLD} 1 last 1 begin 23
shop staging {OLD} 1 last 1 end 24
shop - {NEW} 2 build - begin 25
shop - {NEW} 2 build - end 26
shop production {OLD} 1 first 1 begin 30
shop staging {NEW} 2 first 1 begin 31
shop production {OLD} 1 first 1 end 32
shop production {OLD} 1 serve 1 begin 33
shop staging {NEW} 2 first 1 end 34
shop staging {NEW} 2 serve 1 begin 35
shop production {OLD} 1 last 1 begin 36
shop production {OLD} 1 last 1 end 37
shop staging {NEW} 2 last 1 begin 38
shop staging {NEW} 2 last 1 end 39
shop production {NEW} 2 first 1 begin 40
shop production {NEW} 2 first 1 end 41
shop production {NEW} 2 serve 1 begin 42
shop production {NEW} 2 last 1 begin 43
shop production {NEW} 2 last 1 end 44
"""


def _judged(text: str, *, pushed: tuple[str, ...] = (OLD, NEW)) -> list[str]:
    return wrongs(SHAPE, read(text), pushed)


def _without(wanted: str) -> str:
    kept = [line for line in GOOD.splitlines(keepends=True) if wanted not in line]
    assert len(kept) < len(GOOD.splitlines())
    return "".join(kept)


def _moved(wanted: str, before: str) -> str:
    """Write the lines that hold `wanted` right before the first that holds `before`, times too."""
    lines = GOOD.splitlines(keepends=True)
    moving = [line for line in lines if wanted in line]
    rest = [line for line in lines if wanted not in line]
    place = next(number for number, line in enumerate(rest) if before in line)
    moved = [*rest[:place], *moving, *rest[place:]]
    return "".join(f"{line.rpartition(' ')[0]} {at}\n" for at, line in enumerate(moved))


def _times_changed(change: Callable[[Effect], int]) -> str:
    return "".join(
        f"{e.pipeline} {e.stage} {e.commit} {e.revision} {e.step} {e.attempt} {e.moment} {change(e)}\n"
        for e in read(GOOD)
    )


def test_a_good_ledger_has_nothing_wrong_in_it() -> None:
    assert _judged(GOOD) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            GOOD.replace(
                f"shop staging {OLD} 1 last 1 end 24\n",
                f"shop staging {OLD} 1 last 1 end 24\nshop staging {OLD} 1 last 2 begin 24\n",
            ),
            "once and in order",
            id="a step takes effect again",
        ),
        pytest.param(_without(f"staging {OLD} 1 last 1 end"), "once and in order", id="a step is cut off"),
        pytest.param(_without(f"staging {NEW} 2 first"), "once and in order", id="a step is left out"),
        pytest.param(
            _moved(f"staging {OLD} 1 serve", f"staging {OLD} 1 first"), "in order", id="a wrong order"
        ),
        pytest.param(
            GOOD + f"shop staging {NEW} 2 serve 1 begin 50\n", "once", id="a release starts again"
        ),
        pytest.param(
            _moved(f"staging {NEW} 2 first 1 begin", f"staging {OLD} 1 last 1 end"),
            "had ended",
            id="two runs of a stage overlap",
        ),
        pytest.param(
            _times_changed(lambda e: 23 if (e.stage, e.commit, e.did) == ("staging", NEW, ("first", "begin"))
                           else e.at),
            "had ended",
            id="two runs overlap by their times alone",
        ),
        pytest.param(_moved(f"staging {NEW}", f"staging {OLD}"), "pushed later", id="a commit goes back"),
        pytest.param(_without(f"production {NEW}"), "not what came to production last", id="a lost push"),
        pytest.param(_without(NEW), "not what came to staging last", id="a push nobody heard of"),
        pytest.param("", "not what came to staging last", id="nothing happened at all"),
        pytest.param(
            _moved(f"production {NEW}", f"staging {NEW} 2 last 1 end"), "had ended in staging", id="too early"
        ),
        pytest.param(_without(f"staging {OLD}"), "never was in the stage before", id="a stage is left out"),
        pytest.param(
            GOOD + f"shop - {NEW} 2 build - begin 60\nshop - {NEW} 2 build - end 61\n",
            "not built once",
            id="built twice",
        ),
        pytest.param(_without("build - end"), "not built once", id="a build is cut off"),
        pytest.param(_without("build"), "before it was built", id="never built"),
        pytest.param(
            _moved("build", f"staging {OLD} 1 first 1 end"), "before it was built", id="built too late"
        ),
        pytest.param(
            GOOD.replace(f"production {NEW} 2", f"production {NEW} 3"), "as revisions", id="two numbers"
        ),
        pytest.param(
            GOOD + f"shop staging {'c' * 40} 3 first 1 begin 70\n", "nobody asked", id="a strange commit"
        ),
        pytest.param(
            _times_changed(lambda effect: 100 - effect.at), "contradict", id="times run backwards"
        ),
    ],
)  # fmt: skip
def test_each_way_of_breaking_a_promise_is_caught(text: str, said: str) -> None:
    found = _judged(text)
    assert any(said in each for each in found), found


def test_a_revision_that_was_superseded_leaves_no_trace() -> None:
    assert _judged(GOOD, pushed=(OLD, "c" * 40, NEW)) == []


def test_what_is_on_its_way_is_no_arrival() -> None:
    assert _judged(GOOD, pushed=(OLD, NEW, "c" * 40)) != []
