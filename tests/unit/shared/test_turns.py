from dataclasses import dataclass

import pytest

from shared.work.turns import REMEMBERED_MAX, Turns


@dataclass(frozen=True)
class Waiter:
    name: str

    @property
    def share(self) -> str:
        return self.name[0]


@pytest.mark.parametrize(
    ("waiting", "in_hand", "served", "order"),
    [
        pytest.param("a1 a2 b1", {}, "", "a1 a2 b1", id="oldest first when nobody was served"),
        pytest.param("a1 a2 b1", {"a": 1}, "", "b1 a1 a2", id="fewest in hand first"),
        pytest.param("a1 a2 b1", {}, "a", "b1 a1 a2", id="served longest ago first"),
        pytest.param("a1 b1 c1", {}, "bac", "b1 a1 c1", id="in the order they were served"),
        pytest.param("a1 b1 c1", {}, "aba", "c1 b1 a1", id="served again goes behind"),
        pytest.param("a1 b1", {"a": 1, "b": 2}, "a", "a1 b1", id="in hand before served"),
    ],
)
def test_the_next_turn_goes_to_who_had_least(
    waiting: str, in_hand: dict[str, int], served: str, order: str
) -> None:
    turns = Turns()
    for share in served:
        turns.served(share)
    waiters = [Waiter(name) for name in waiting.split()]
    assert " ".join(waiter.name for waiter in turns.in_order(waiters, in_hand)) == order


def test_only_so_many_shares_are_remembered() -> None:
    turns = Turns()
    for number in range(3 * REMEMBERED_MAX):
        turns.served(f"share {number}")
    assert len(turns._served) == REMEMBERED_MAX
    last = f"share {3 * REMEMBERED_MAX - 1}"

    @dataclass(frozen=True)
    class Share:
        share: str

    order = turns.in_order([Share(last), Share("share 0")], {})
    assert [each.share for each in order] == ["share 0", last]
