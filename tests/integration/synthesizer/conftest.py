"""One synthesizer and one repository for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.synthesizer.desk import Desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    await desk.scene.end()
