"""Group commit: nobody is answered before the commit that has their delivery, and nobody is forgotten."""

import asyncio
from collections.abc import Sequence

import pytest

from services.ingest import accept_queue
from services.ingest.accept_queue import GROUP_MAX, TURNS_GATHERED_MAX, AcceptQueue
from services.ingest.acceptance import Answer, Delivery, Registered
from services.ingest.github import Nothing
from shared.faults import TryAgain
from shared.ids import Repository
from tests.contract.installation import running

SHOP = Registered(Repository("acme/shop"), "https://git.example/acme/shop", None)


def delivery(id_: str) -> Delivery:
    return Delivery(SHOP, id_, "", Nothing("a tag"))


class Disk:
    """Writes when it is let, or fails."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.free = asyncio.Event()
        self.free.set()
        self.fault: Exception | None = None

    async def accept(self, group: Sequence[Delivery]) -> list[Answer]:
        self.groups.append([each.delivery for each in group])
        await self.free.wait()
        if self.fault:
            raise self.fault
        return [Answer(202, {"of": each.delivery}) for each in group]


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_deliveries_that_arrive_during_a_commit_share_the_next_one() -> None:
    disk = Disk()
    queue = AcceptQueue(disk)
    async with running(queue.run()):
        disk.free.clear()
        first = asyncio.create_task(queue.accept(delivery("1")))
        await turns()
        others = [asyncio.create_task(queue.accept(delivery(id_))) for id_ in "234"]
        await turns()
        assert not first.done()
        disk.free.set()
        answers = await asyncio.gather(first, *others)
    assert disk.groups == [["1"], ["2", "3", "4"]]
    assert [answer.document["of"] for answer in answers] == ["1", "2", "3", "4"]


async def _turns_until(answered: "asyncio.Task[Answer]") -> int:
    count = 0
    while not answered.done():
        await asyncio.sleep(0)
        count += 1
        assert count < 100, "it is never answered"
    return count


async def test_after_a_group_the_next_one_grows_to_its_size() -> None:
    disk = Disk()
    queue = AcceptQueue(disk)
    async with running(queue.run()):
        await asyncio.gather(*(queue.accept(delivery(id_)) for id_ in "1234"))
        asked = []
        for id_ in "5678":  # who was answered sends again, one a turn
            asked.append(asyncio.create_task(queue.accept(delivery(id_))))
            await asyncio.sleep(0)
        await asyncio.gather(*asked)
    assert disk.groups == [["1", "2", "3", "4"], ["5", "6", "7", "8"]]


async def test_after_a_large_group_one_alone_waits_a_few_turns_and_the_next_none() -> None:
    disk = Disk()
    queue = AcceptQueue(disk)
    async with running(queue.run()):
        await asyncio.gather(*(queue.accept(delivery(str(number))) for number in range(50)))
        waited = [await _turns_until(asyncio.create_task(queue.accept(delivery(id_)))) for id_ in "abc"]
    assert [len(group) for group in disk.groups] == [50, 1, 1, 1]
    assert waited[0] <= TURNS_GATHERED_MAX + waited[1]
    assert waited[1] == waited[2] < TURNS_GATHERED_MAX


async def test_a_group_has_a_most() -> None:
    disk = Disk()
    queue = AcceptQueue(disk)
    async with running(queue.run()):
        await asyncio.gather(*(queue.accept(delivery(str(number))) for number in range(GROUP_MAX + 5)))
    assert [len(group) for group in disk.groups] == [GROUP_MAX, 5]


@pytest.mark.parametrize("fault", [TryAgain("the disk is full"), ValueError("a bug")])
async def test_a_failed_commit_is_told_to_all_of_its_group_and_to_nobody_else(fault: Exception) -> None:
    disk = Disk()
    queue = AcceptQueue(disk)
    async with running(queue.run()):
        disk.fault = fault
        asked = (queue.accept(delivery(id_)) for id_ in "12")
        assert await asyncio.gather(*asked, return_exceptions=True) == [fault, fault]
        disk.fault = None
        assert (await queue.accept(delivery("3"))).status == 202


async def test_whoever_waits_when_windlass_stops_is_told_to_come_again() -> None:
    disk = Disk()
    queue = AcceptQueue(disk)
    async with running(queue.run()):
        disk.free.clear()
        asked = [asyncio.create_task(queue.accept(delivery("1")))]
        await turns()
        asked.append(asyncio.create_task(queue.accept(delivery("2"))))
        await turns()
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(end, TryAgain) for end in ends)


async def test_a_full_queue_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accept_queue, "QUEUE_MAX", 2)
    queue = AcceptQueue(Disk())
    waiting = [asyncio.create_task(queue.accept(delivery(id_))) for id_ in "12"]
    await turns()
    with pytest.raises(TryAgain):
        await queue.accept(delivery("3"))
    async with running(queue.run()):
        await asyncio.gather(*waiting)


async def test_a_caller_who_has_gone_is_not_written_for() -> None:
    disk = Disk()
    queue = AcceptQueue(disk)
    gone = asyncio.create_task(queue.accept(delivery("1")))
    await turns()
    gone.cancel()
    await turns()
    async with running(queue.run()):
        await queue.accept(delivery("2"))
    assert disk.groups == [["2"]]


async def test_nobody_waits_longer_than_a_forge_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accept_queue, "ANSWER_SECONDS_MAX", 0.01)
    with pytest.raises(TryAgain):
        await AcceptQueue(Disk()).accept(delivery("1"))


class Picky(Disk):
    """Cannot write one of them."""

    def __init__(self, refused: str, fault: Exception) -> None:
        super().__init__()
        self.refused = refused
        self.alone_fault = fault

    async def accept(self, group: Sequence[Delivery]) -> list[Answer]:
        answers = await super().accept(group)
        if self.refused in self.groups[-1]:
            raise self.alone_fault if len(group) == 1 else ValueError("does not fit")
        return answers


async def test_one_that_cannot_be_written_does_not_cost_the_others_their_answer() -> None:
    queue = AcceptQueue(Picky("2", ValueError("does not fit")))
    asked = [asyncio.create_task(queue.accept(delivery(id_))) for id_ in "123"]
    await turns()
    async with running(queue.run()):
        first, second, third = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(first, Answer)
    assert isinstance(second, ValueError)
    assert isinstance(third, Answer)


async def test_when_the_database_goes_away_meanwhile_nobody_waits_for_it_one_by_one() -> None:
    disk = Picky("2", TryAgain("away"))
    queue = AcceptQueue(disk)
    asked = [asyncio.create_task(queue.accept(delivery(id_))) for id_ in "1234"]
    await turns()
    async with running(queue.run()):
        ends = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(end) for end in ends] == [Answer, TryAgain, TryAgain, TryAgain]
    assert disk.groups == [["1", "2", "3", "4"], ["1"], ["2"]]
