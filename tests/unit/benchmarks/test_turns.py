from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.suite import Bench, Effort, in_turns


async def test_parties_take_turns_and_none_always_follows_the_same_one(tmp_path: Path) -> None:
    taken: list[str] = []
    said: list[str] = []

    def of(party: str) -> Callable[[], Awaitable[int]]:
        async def turn() -> int:
            taken.append(party)
            return len(taken)

        return turn

    bench = Bench(tmp_path, tmp_path, Effort(rounds=3), said.append)
    given = await in_turns({"A": of("A"), "B": of("B"), "C": of("C")}, bench)

    assert "".join(taken) == "ABC" + "CBA" + "ABC" + "CBA"
    assert given == {"A": [6, 7, 12], "B": [5, 8, 11], "C": [4, 9, 10]}  # the first round is forgotten
    assert said == ["warmed up", "round 1 of 3", "round 2 of 3", "round 3 of 3"]
