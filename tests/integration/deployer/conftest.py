"""A stand for each test of the deployer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.deployer.stand import Stand


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    stand = Stand(tmp_path / "windlass.db")
    yield stand
    await stand.database.close()


@pytest.fixture
async def other_stand(tmp_path: Path) -> AsyncIterator[Stand]:
    stand = Stand(tmp_path / "other.db")
    yield stand
    await stand.database.close()
