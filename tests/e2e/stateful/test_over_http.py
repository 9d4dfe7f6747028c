"""Whatever is done to a running server over HTTP, and in whatever order, it keeps its promises."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from services.status.store.writing import Projection
from shared.clock import SystemClock
from shared.db import ServiceDatabase
from shared.db.sqlite import SqliteDatabase
from tests.distributed.rebuild import Undoing, differences
from tests.distributed.rebuild import _views as views
from tests.e2e.program import Program
from tests.e2e.stateful.machine import Voyage
from tests.e2e.stateful.port import Port, opened
from tests.ports import free_port

pytestmark = pytest.mark.e2e

QUICK = settings(
    max_examples=10,
    stateful_step_count=12,
    derandomize=True,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
LONG = settings(QUICK, max_examples=300, stateful_step_count=30, derandomize=False,
                phases=(*QUICK.phases, Phase.shrink))  # fmt: skip


@pytest.fixture
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """Give a running server; whatever it started is ended with it."""
    program = Program(tmp_path_factory.mktemp("stateful"), free_port())
    try:
        asyncio.run(program.start())
        with opened(program) as port:
            yield port
        assert "Traceback" not in program.log
        assert '"level": "error"' not in program.log
    finally:
        asyncio.run(program.clear())


async def rebuilt_differently(port: Port) -> list[str]:
    """End the server, and return which views are not what the history makes of them."""
    await port.program.end()
    database = SqliteDatabase(port.program.data / "windlass.db", SystemClock())
    try:
        undoing = Undoing(database)
        async with database.reading() as reading:
            before = await views(reading)
        await Projection(ServiceDatabase(undoing, "status")).rebuild()
    finally:
        await database.close()
    return differences(before, undoing.seen)


def play(port: Port, how: settings, record_property: Callable[[str, object], None]) -> None:
    class Here(Voyage):
        where = port

    run_state_machine_as_test(Here, settings=how)
    tally = port.tally
    assert not asyncio.run(rebuilt_differently(port)), "L3"
    told = (
        f"{tally.examples} pipelines over HTTP, {tally.steps} steps, {tally.events} events, "
        f"{tally.answered('accepted')} operations accepted, {tally.answered('refused')} refused, "
        f"runs: {', '.join(f'{number} {state}' for state, number in sorted(tally.ends.items()))}"
    )
    record_property("explored", told)


@pytest.mark.timeout(900)
def test_whatever_is_done_over_http_the_promises_hold(
    port: Port, record_property: Callable[[str, object], None]
) -> None:
    play(port, QUICK, record_property)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_whatever_is_done_over_http_for_long_the_promises_hold(
    port: Port, record_property: Callable[[str, object], None]
) -> None:
    play(port, LONG, record_property)
