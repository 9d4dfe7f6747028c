"""Dying at any named point of the local target does no harm: the next life ends where one life would.

Death is a `BaseException` raised at the point; the processes of the stage are real and go on. What
the operating system does to a killed Windlass is the end-to-end crash tests' business.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
import pytest

from services.deployer.step_order import Broke, Done, Launched, StepOrder, Stopped
from tests.integration.local_target.gateway_site import fetch
from tests.integration.local_target.local_stage import LocalStage, is_alive

pytestmark = pytest.mark.timeout(240)  # two lives for each of many points


class Killed(BaseException):
    """The program is dead from here on."""


@dataclass
class Reaper:
    """Stands in for the crash points of the process."""

    seen: list[str] = field(default_factory=list)  # in the order of their first passing
    target: str = ""

    def passing(self, name: str) -> None:
        """Note the point, and die if it is the one."""
        if name not in self.seen:
            self.seen.append(name)
        if name == self.target:
            self.target = ""
            raise Killed(name)


@pytest.fixture
def reaper(monkeypatch: pytest.MonkeyPatch) -> Reaper:
    """The crash points, in our hands."""
    reaper = Reaper()
    monkeypatch.setattr("shared.crash._POINTS", reaper)
    return reaper


async def carry_out(
    stage: LocalStage, course: Callable[[StepOrder], Awaitable[None]], order: StepOrder
) -> None:
    """Live one life: look after what there is, then do the step."""
    try:
        await stage.target.resume()
        await course(order)
        await stage.settled()
    except Killed:
        pass


async def die_everywhere(
    stage: LocalStage,
    reaper: Reaper,
    course: Callable[[StepOrder], Awaitable[None]],
    make: Callable[[int], Awaitable[StepOrder]],
) -> list[StepOrder]:
    """Carry one order out undisturbed, then one more for every point passed in that, dying there."""
    orders = [await make(1), await make(2)]
    await carry_out(stage, course, orders[0])
    reaper.seen.clear()
    await carry_out(stage, course, orders[1])
    points = list(reaper.seen)
    for number, name in enumerate(points, 3):
        orders.append(await make(number))
        reaper.target = name
        await carry_out(stage, course, orders[-1])
        assert reaper.target == "", f"{name} was not passed again"
        await stage.restart_windlass()
        await carry_out(stage, course, orders[-1])
    assert len(points) > 5, points
    return orders


async def test_a_deployment_survives_death_at_every_point(
    stage: LocalStage, reaper: Reaper, http: aiohttp.ClientSession
) -> None:
    async def deploy(order: StepOrder) -> None:
        assert isinstance(await stage.run(order), Launched)
        answer = await stage.switch(order)
        assert isinstance(answer, Done)
        assert (await fetch(http, answer.outputs["url"])).release == order.release

    orders = await die_everywhere(stage, reaper, deploy, stage.service)
    assert stage.started == [str(order.revision) for order in orders]
    assert [is_alive(stage.leader(order)) for order in orders[-2:]] == [False, True]
    assert len((await stage.target.host.gateway.sync()).routes) == 1
    assert {"deployer.switch.route_written", "deployer.release.drained"} < set(reaper.seen)


async def test_a_site_survives_death_at_every_point(
    stage: LocalStage, reaper: Reaper, http: aiohttp.ClientSession
) -> None:
    async def deploy(order: StepOrder) -> None:
        assert isinstance(await stage.run(order), Launched)
        answer = await stage.switch(order)
        assert isinstance(answer, Done)
        assert (await fetch(http, answer.outputs["url"])).release == order.release

    orders = await die_everywhere(stage, reaper, deploy, stage.static)
    assert len((await stage.target.host.gateway.sync()).routes) == 1
    assert len(list(stage.place(orders[-1]).releases.iterdir())) == 2


async def test_a_discarded_candidate_survives_death_at_every_point(
    stage: LocalStage, reaper: Reaper, http: aiohttp.ClientSession
) -> None:
    async def discard(order: StepOrder) -> None:
        assert isinstance(await stage.run(order), Launched | Broke | Stopped)
        assert await stage.discard(order) == Done()

    orders = await die_everywhere(stage, reaper, discard, stage.service)
    assert stage.started == [str(order.revision) for order in orders]
    assert (await stage.target.host.gateway.sync()).routes == {}
    kept = [order for order in orders if stage.release(order).folder.exists()]
    assert not any(is_alive(stage.leader(order)) for order in kept)


async def test_a_script_survives_death_at_every_point(stage: LocalStage, reaper: Reaper) -> None:
    async def make(number: int) -> StepOrder:
        given = f'echo number={number} > "$WINDLASS_OUTPUT"'
        return stage.script(f'echo {number} >> "$NOTES"', "echo said", given, id=f"step-{number}")

    async def run(order: StepOrder) -> None:
        answer, lines = await asyncio.gather(stage.run(order), stage.lines(order))
        assert (answer, lines) == (Done({"number": order.step.id.removeprefix("step-")}), ["said"])

    orders = await die_everywhere(stage, reaper, run, make)
    assert stage.started == [str(number) for number in range(1, len(orders) + 1)]
    assert "deployer.script.outputs_noted" in reaper.seen


async def test_a_test_command_survives_death_at_every_point(stage: LocalStage, reaper: Reaper) -> None:
    report = "<testsuite><testcase/><testcase><error/></testcase></testsuite>"

    async def make(number: int) -> StepOrder:
        command = f'echo {number} >> "$NOTES"; echo "{report}" > r.xml; echo said; exit 1'
        return stage.testing(command, id=f"step-{number}", results="*.xml")

    async def run(order: StepOrder) -> None:
        answer, lines = await asyncio.gather(stage.run(order), stage.lines(order))
        assert isinstance(answer, Broke)
        assert answer.outputs == {
            "exit_code": "1",
            "tests_passed": "1",
            "tests_failed": "1",
            "tests_skipped": "0",
        }
        assert lines == ["said"]
        await stage.discard(order)

    orders = await die_everywhere(stage, reaper, run, make)
    assert stage.started == [str(number) for number in range(1, len(orders) + 1)]
    assert {"deployer.checkout.arrived", "deployer.test.results_noted"} < set(reaper.seen)
