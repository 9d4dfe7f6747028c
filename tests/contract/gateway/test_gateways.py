"""What every gateway promises to those who route through it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.deployer.adapters.gateway.client import Gateway
from services.deployer.adapters.gateway.route import Route
from tests.contract.gateway.gateways import FakeMachine, Machine, RealMachine
from tests.ports import free_port


@pytest.fixture(params=[RealMachine, FakeMachine])
async def machine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Machine]:
    made: Machine = request.param(tmp_path / "gateway")
    yield made
    await made.close()


def a_route(name: str = "shop+staging+web", port: int | None = None, release: str = "one") -> Route:
    return Route(name, port or free_port(), "static", release, 7, "c0ffee", root="/nowhere")


async def listens(gateway: Gateway, name: str) -> bool:
    return (await gateway.sync()).routes[name].listening


async def test_a_route_is_in_force_after_a_sync(machine: Machine) -> None:
    route = a_route()
    machine.gateway.set_route(route)
    state = await machine.gateway.sync()
    assert state.routes[route.name].listening
    assert state.routes[route.name].problem == ""
    assert state.routes[route.name].in_flight == {}


async def test_a_sync_starts_a_gateway_that_is_not_there_and_the_next_one_finds_it(machine: Machine) -> None:
    first = await machine.gateway.sync()
    await machine.gateway.ensure_running()
    assert (await machine.gateway.sync()).process == first.process


async def test_many_who_start_it_at_once_get_one(machine: Machine) -> None:
    states = await asyncio.gather(*(machine.gateway.sync() for _ in range(5)))
    assert len({state.process for state in states}) == 1


async def test_a_new_life_of_windlass_adopts_the_gateway_and_its_routes(machine: Machine) -> None:
    route = a_route()
    machine.gateway.set_route(route)
    before = await machine.gateway.sync()
    machine.restart_windlass()
    assert machine.gateway.route(route.name) == route
    after = await machine.gateway.sync()
    assert after.process == before.process
    assert after.routes[route.name].listening


async def test_a_gateway_that_was_killed_comes_back_with_its_routes(machine: Machine) -> None:
    route = a_route()
    machine.gateway.set_route(route)
    before = await machine.gateway.sync()
    await machine.kill()
    await machine.gateway.ensure_running()
    after = await machine.gateway.sync()
    assert after.process != before.process
    assert after.routes[route.name].listening


async def test_a_port_that_somebody_else_has_is_reported_until_it_is_free(machine: Machine) -> None:
    route = a_route(port=machine.take())
    machine.gateway.set_route(route)
    state = (await machine.gateway.sync()).routes[route.name]
    assert (state.listening, state.problem) == (False, "Address already in use")
    machine.give_back(route.port)
    assert await listens(machine.gateway, route.name)


async def test_one_port_serves_one_route_and_the_one_that_has_it_keeps_it(machine: Machine) -> None:
    holder = a_route(name="zebra")
    machine.gateway.set_route(holder)
    await machine.gateway.sync()
    machine.gateway.set_route(a_route(name="ant", port=holder.port))
    state = await machine.gateway.sync()
    assert state.routes["zebra"].listening
    assert not state.routes["ant"].listening
    assert state.routes["ant"].problem == f"port {holder.port} belongs to zebra"


async def test_a_removed_route_gives_its_port_back(machine: Machine) -> None:
    route = a_route()
    machine.gateway.set_route(route)
    await machine.gateway.sync()
    machine.gateway.remove_route(route.name)
    machine.gateway.remove_route(route.name)
    assert route.name not in (await machine.gateway.sync()).routes
    machine.gateway.set_route(a_route(name="other", port=route.port))
    assert await listens(machine.gateway, "other")


async def test_a_port_passes_between_routes_of_two_names_in_one_sync(machine: Machine) -> None:
    route = a_route(name="shop+staging+web+next")
    machine.gateway.set_route(route)
    await machine.gateway.sync()
    machine.gateway.remove_route(route.name)
    machine.gateway.set_route(replace(route, name="shop+staging+web"))
    assert await listens(machine.gateway, "shop+staging+web")


async def test_setting_a_route_again_replaces_it(machine: Machine) -> None:
    route = a_route()
    machine.gateway.set_route(route)
    machine.gateway.set_route(replace(route, release="two"))
    assert machine.gateway.routes() == {route.name: replace(route, release="two")}
    assert await listens(machine.gateway, route.name)


async def test_a_release_that_owes_nothing_is_drained_at_once(machine: Machine) -> None:
    machine.gateway.set_route(a_route())
    await machine.gateway.sync()
    assert await machine.gateway.drained("shop+staging+web", "one", 30.0)
    assert await machine.gateway.drained("unheard of", "none", 30.0)


async def test_a_gateway_that_was_shut_down_is_gone_and_keeps_its_routes(machine: Machine) -> None:
    route = a_route()
    machine.gateway.set_route(route)
    before = await machine.gateway.sync()
    await machine.gateway.shut_down()
    await machine.gateway.shut_down()
    assert machine.gateway.route(route.name) == route
    assert (await machine.gateway.sync()).process != before.process
