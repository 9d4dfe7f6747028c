"""The verifier on its bus and its database: one verdict per verification, whatever is repeated or dies."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from services.verifier.adapters.fakes import FakeProber, Page
from services.verifier.app import build
from services.verifier.probe import Answer, Connection, Probe
from services.verifier.settings import VerifierSettings
from services.verifier.tables import verifications
from shared.clock import ManualClock, SystemClock
from shared.db import ServiceDatabase, metadata
from shared.db.sqlite import SqliteDatabase
from shared.db.tables import work
from shared.events import (
    Event,
    Evidence,
    ProbeTarget,
    RunCancelled,
    RunCancelling,
    RunFailed,
    RunSucceeded,
    RunTimedOut,
    VerificationFailed,
    VerificationPassed,
)
from shared.plan import Criteria
from shared.service import Service
from tests.integration.verifier.world import (
    ROOT,
    RUN,
    START,
    URL,
    Ears,
    World,
    in_background,
    of_run,
    request,
    settle,
)

EVIDENCE = Evidence(phase="deploy", kind="timeout", message="it did not finish")
ENDINGS = [
    pytest.param(RunCancelling(**of_run(), actor="ann", reason="wrong"), id="cancelling"),
    pytest.param(RunCancelled(**of_run(), state="Cancelled", actor="ann", reason="wrong"), id="cancelled"),
    pytest.param(RunFailed(**of_run(), state="Failed", failed_in="step", evidence=EVIDENCE), id="failed"),
    pytest.param(RunTimedOut(**of_run(), state="Timed Out", evidence=EVIDENCE), id="timed out"),
    pytest.param(RunSucceeded(**of_run(), state="Succeeded"), id="succeeded"),
]


async def test_a_good_deployment_passes_with_the_second_probe_and_no_wait_after_it(world: World) -> None:
    prober = FakeProber({URL: Page()})
    async with world.running(world.service(prober)):
        await world.say(request())
        await world.until(lambda: bool(world.ears.heard))
    (verdict,) = world.ears.heard
    assert isinstance(verdict, VerificationPassed)
    assert (verdict.verification, verdict.run, verdict.step) == (UUID(int=1001), RUN, "web")
    assert [probe.at - START for probe in verdict.probes] == [timedelta(0), timedelta(seconds=1)]
    assert prober.asked == [URL, URL]
    assert (await world.left(work), await world.left(verifications)) == (0, 0)


async def test_a_broken_deployment_fails_at_its_deadline_with_what_was_seen(world: World) -> None:
    async with world.running(world.service(FakeProber({URL: Page(500, "boom")}))):
        await world.say(request())
        await world.until(lambda: bool(world.ears.heard))
    (verdict,) = world.ears.heard
    assert isinstance(verdict, VerificationFailed)
    assert verdict.evidence.message == f"GET {URL} gave 500 instead of 2xx/3xx (11 of 11 probes failed)"
    assert verdict.evidence.finished_at == START + timedelta(seconds=10)
    assert verdict.evidence.probes[-1].body_head == "boom"


async def test_a_request_heard_twice_gets_one_verdict(world: World) -> None:
    prober = FakeProber({URL: Page()})
    service = world.service(prober)
    async with world.running(service):
        await world.say(request(), request())
        await world.until(lambda: bool(world.ears.heard))
        await world.say(request())
        for _ in range(50):
            world.clock.advance(0.5)
            await settle()
    assert len(world.ears.heard) == 1
    assert len(prober.asked) == 2


async def test_a_restart_in_the_middle_begins_a_fresh_streak_and_keeps_the_deadline(world: World) -> None:
    first = FakeProber({URL: Page()})
    async with world.running(world.service(first)):
        await world.say(request(successes=3))
        await world.until(lambda: len(first.asked) == 2)
    assert world.ears.heard == []
    second = FakeProber({URL: Page(500)})
    async with world.running(world.service(second)):
        await world.until(lambda: bool(world.ears.heard))
    (verdict,) = world.ears.heard
    assert isinstance(verdict, VerificationFailed)
    assert verdict.evidence.finished_at == START + timedelta(seconds=10)


async def test_a_verdict_reached_after_a_restart_is_said_once(world: World) -> None:
    first = FakeProber({URL: Page(503)})
    async with world.running(world.service(first)):
        await world.say(request())
        await world.until(lambda: len(first.asked) == 3)
    for _ in range(3):
        async with world.running(world.service(FakeProber({URL: Page()}))):
            await world.until(lambda: bool(world.ears.heard))
    assert [type(verdict) for verdict in world.ears.heard] == [VerificationPassed]


async def test_a_verifier_that_slept_past_the_deadline_does_not_fail_a_good_deployment(world: World) -> None:
    await world.say(request())
    world.clock.advance(3600.0)
    late = FakeProber({URL: Page()})
    async with world.running(world.service(late)):
        await world.until(lambda: bool(world.ears.heard))
    assert [type(verdict) for verdict in world.ears.heard] == [VerificationPassed]
    assert late.asked == [URL, URL]


async def test_a_worker_that_lost_its_order_says_nothing(world: World) -> None:
    slow = FakeProber({URL: Page(500)}, hanging=asyncio.Event())
    assert slow.hanging
    earlier, later = world.service(slow), world.service(FakeProber({URL: Page()}))
    async with world.running(earlier):
        await world.say(request(successes=1))
        await world.until(slow.heard.is_set)
        async with in_background(*later.background):  # the same name: the earlier life is dead
            await world.until(lambda: bool(world.ears.heard))
            slow.hanging.set()
            for _ in range(200):
                world.clock.advance(0.1)
                await settle()
    assert [type(verdict) for verdict in world.ears.heard] == [VerificationPassed]


@pytest.mark.parametrize("ending", ENDINGS)
async def test_the_end_of_a_run_ends_its_probes_without_a_verdict(world: World, ending: Event) -> None:
    prober = FakeProber({URL: Page(500), "http://127.0.0.1:9001/": Page(500)})
    async with world.running(world.service(prober)):
        await world.say(request(1), request(2), request(3, "http://127.0.0.1:9001/", UUID(int=78)))
        await world.until(lambda: len(prober.asked) > 6)
        await world.say(ending)
        await settle()
        prober.asked.clear()
        await world.until(lambda: len(prober.asked) > 2)
        assert set(prober.asked) == {"http://127.0.0.1:9001/"}
        assert await world.left(work) == 1
        await world.until(lambda: bool(world.ears.heard))
    assert [verdict.run for verdict in world.ears.heard] == [UUID(int=78)]
    assert (await world.left(work), await world.left(verifications)) == (0, 0)


async def test_a_cancel_does_not_wait_for_a_probe_that_hangs(world: World) -> None:
    prober = FakeProber({URL: Page()}, hanging=asyncio.Event())
    async with world.running(world.service(prober)):
        await world.say(request())
        await world.until(prober.heard.is_set)
        await world.say(RunCancelling(**of_run(), actor="ann", reason="wrong"))
        await settle()
        assert await world.left(work) == 0
    assert world.ears.heard == []


async def test_a_run_that_ends_before_its_probes_began_is_never_probed(world: World) -> None:
    prober = FakeProber({URL: Page()})
    service = world.service(prober)
    await world.say(request(), RunCancelling(**of_run(), actor="ann", reason="wrong"))
    probing, subscription = service.background, service.subscription
    async with world.running(Service(subscription)):
        await settle()
    async with world.running(Service(subscription, probing)):
        await world.until(lambda: prober.heard.is_set() or world.clock.now() > START + timedelta(seconds=5))
    assert prober.asked == []
    assert world.ears.heard == []
    assert await world.left(work) == 0


class BrokenProber:
    """A prober with a bug."""

    async def ask(self, probe: Probe) -> Answer:
        raise ZeroDivisionError(probe.url)

    async def connect(self, connection: Connection) -> Answer:
        raise ZeroDivisionError(connection.host)


async def test_a_bug_of_ours_ends_in_an_answer_that_accuses_nobody(world: World) -> None:
    async with world.running(world.service(BrokenProber())):
        await world.say(request())
        await world.until(lambda: bool(world.ears.heard), step=2.0)
    (verdict,) = world.ears.heard
    assert isinstance(verdict, VerificationFailed)
    assert verdict.evidence.kind == "error"
    assert "ZeroDivisionError" in verdict.evidence.message


async def test_fifty_verifications_go_on_side_by_side(world: World) -> None:
    prober = FakeProber({URL: Page()})
    async with world.running(world.service(prober)):
        await world.say(*(request(n) for n in range(50)))
        await world.until(lambda: len(world.ears.heard) == 50)
    assert len({verdict.verification for verdict in world.ears.heard}) == 50
    assert world.clock.now() < START + timedelta(seconds=10)


async def test_a_real_server_is_verified_over_http(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nWindlass-Release: run-7\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    database = SqliteDatabase(tmp_path / "windlass.db", SystemClock())
    metadata.create_all(database.writer)
    clock = ManualClock(START)
    world = World(database, clock, Ears(ServiceDatabase(database, "ears")))
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    good, stale = (
        ProbeTarget(
            service="web", base_url=url, criteria=Criteria(paths=ROOT, interval_seconds=0.05), release=release
        )
        for release in ("run-7", "run-8")
    )
    now = database.clock.now()
    asked = [
        request(n).model_copy(update={"targets": (target,), "deadline": now + timedelta(seconds=seconds)})
        for n, (target, seconds) in enumerate([(good, 40.0), (stale, 0.5)])
    ]
    async with world.running(build(database, VerifierSettings())):
        await world.say(*asked)
        async with asyncio.timeout(50):
            for _ in range(2):
                await world.ears.said.acquire()
    passed, failed = sorted(world.ears.heard, key=lambda verdict: isinstance(verdict, VerificationFailed))
    assert isinstance(passed, VerificationPassed)
    assert isinstance(failed, VerificationFailed)
    assert "answered by release run-7, expected run-8" in failed.evidence.message
    server.close()
    await database.close()
