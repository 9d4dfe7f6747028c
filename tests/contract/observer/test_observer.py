"""What every observer sees, the real one and the fake."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.verifier.signals import Signals
from shared.events import LocalPlace
from tests.contract.observer.sites import FakeSite, LocalSite, Site


@pytest.fixture(params=["local", "fake"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    if request.param == "fake":
        yield FakeSite()
        return
    local = LocalSite(tmp_path)
    yield local
    await local.close()


async def test_a_process_that_runs_is_seen(site: Site) -> None:
    await site.start()
    assert await site.observer.signals(site.place) == Signals("running")
    found = await site.observer.diagnostics(site.place)
    assert found is not None
    assert (found.process, found.exit_code, found.signal, found.restarts) == ("running", None, "", 0)
    assert [line.text for line in found.log_tail] == ["ready"]


async def test_a_process_that_ended_is_seen_with_how_it_did(site: Site) -> None:
    await site.start()
    await site.end()
    seen = await site.observer.signals(site.place)
    assert seen == Signals("exited", restarts=0, wanted=1, running=0, message="exited with 3")
    found = await site.observer.diagnostics(site.place)
    assert found is not None
    assert (found.process, found.exit_code, found.listening) == ("exited", 3, ())
    assert [line.text for line in found.log_tail] == ["ready", "done"]


async def test_a_further_process_of_the_release_is_a_restart(site: Site) -> None:
    await site.start()
    await site.end()
    await site.start()
    assert await site.observer.signals(site.place) == Signals("running", restarts=1)
    found = await site.observer.diagnostics(site.place)
    assert found is not None
    assert found.restarts == 1


@pytest.mark.parametrize(
    "lives", ["", "/nowhere/at/all", "/etc/hostname", "relative", "x" * 5000], ids=lambda path: path[:20]
)
async def test_of_a_place_that_is_not_here_nothing_is_said(site: Site, lives: str) -> None:
    await site.start()
    elsewhere = LocalPlace(lives=lives, files="/nowhere")
    assert await site.observer.signals(elsewhere) is None
    assert await site.observer.diagnostics(elsewhere) is None
    assert await site.observer.takes_connections(elsewhere, "127.0.0.1", 80) is None
