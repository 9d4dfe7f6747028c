"""One real repository and real mirrors for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shared.git import GitMirrors
from tests.contract.git.repository import WorkingCopy, new_repository


@pytest.fixture
def source(tmp_path: Path) -> WorkingCopy:
    return new_repository(tmp_path / "source")


@pytest_asyncio.fixture
async def mirrors(tmp_path: Path) -> AsyncIterator[GitMirrors]:
    mirrors = GitMirrors(tmp_path / "data" / "mirrors")
    yield mirrors
    await mirrors.close()
