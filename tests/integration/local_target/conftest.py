"""What the tests of the local target share."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from services.deployer.adapters.gateway.client import GatewayClient
from shared.clock import SystemClock
from tests.integration.local_target.gateway_site import Site, client
from tests.integration.local_target.local_stage import LocalStage
from tests.ports import free_port


@pytest.fixture(scope="module")
def gateway_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of one gateway for all tests of a module: starting one takes half a second."""
    folder = tmp_path_factory.mktemp("site") / "gateway"
    yield folder
    asyncio.run(GatewayClient(folder, SystemClock()).shut_down())


@pytest.fixture
async def site(gateway_folder: Path) -> AsyncIterator[Site]:
    """A stable port of its own for each test."""
    site = Site(GatewayClient(gateway_folder, SystemClock()), free_port())
    yield site
    site.gateway.remove_route(site.name)
    await site.gateway.sync()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client."""
    async with client() as session:
        yield session


@pytest.fixture
async def stage(tmp_path: Path, gateway_folder: Path) -> AsyncIterator[LocalStage]:
    """A machine of its own for each test, but for the gateway."""
    made = LocalStage(tmp_path, gateway_folder)
    yield made
    await made.close()
