"""A stand for each test of the deployer: on SQLite, unless the test's module wants it on each database.

At the end of every test, whatever it was about, the story that its stand told must be one of the model's;
and no transaction may have known anything of its rows that was not so.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.clock import ManualClock
from tests.integration.deployer import known_is_true
from tests.integration.deployer.stand import EPOCH, Stand
from tests.integration.replicas import OnSqlite, in_order
from tests.model.story import follow


@pytest.fixture(autouse=True)
def nothing_known_was_wrong(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    found = known_is_true.watch(monkeypatch)
    yield
    assert not found


@pytest.fixture
async def stand(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stand]:
    name = getattr(request, "param", "sqlite")
    stand = Stand(await in_order(name, tmp_path, ManualClock(EPOCH)))
    yield stand
    await stand.store.close()
    follow(stand.story)


@pytest.fixture
async def other_stand(tmp_path: Path) -> AsyncIterator[Stand]:
    folder = tmp_path / "other"
    folder.mkdir()
    stand = Stand(await OnSqlite.at(folder, ManualClock(EPOCH)))
    yield stand
    await stand.store.close()
    follow(stand.story)
