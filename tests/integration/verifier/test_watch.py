"""Watches: what is live is looked after, in its time, and told of."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.verifier.adapters.fakes import Page
from services.verifier.signals import Signals
from services.verifier.tables import watches
from shared.events import (
    HealthChanged,
    HealthEnded,
    HealthSampled,
    RunCancelled,
    RunCancelling,
    RunSuperseded,
)
from tests.builders import named
from tests.integration.verifier.lookout import (
    BAD,
    GOOD,
    SILENT,
    SLOW,
    Lookout,
    about,
    began,
    failed,
    succeeded,
    target,
    url,
)


async def test_what_a_run_brought_is_looked_at_soon_and_then_in_its_time(lookout: Lookout) -> None:
    async with lookout.watching():
        await lookout.hear(succeeded(1))
        await lookout.pass_time(3)
        assert lookout.looks() == 1
        await lookout.pass_time(12)
        assert lookout.looks() == 3
        await lookout.pass_time(300)
        assert 3 + 9 <= lookout.looks() <= 3 + 11
    (changed,) = lookout.said(HealthChanged)
    assert (changed.service, changed.run, changed.revision) == ("web", named("run 1"), 1)
    assert (changed.before, changed.health) == ("unknown", "healthy")
    assert changed.reason.startswith("2 looks in a row were good")


@pytest.mark.parametrize(
    ("page", "health", "reason"),
    [
        pytest.param(SILENT, "unreachable", "3 looks in a row found no answer: ", id="silent"),
        pytest.param(BAD, "degraded", "3 of the last 5 looks were not good: ", id="bad"),
        pytest.param(SLOW, "degraded", "3 of the last 5 looks were not good: ", id="slow"),
    ],
)
async def test_what_ails_is_told_once_with_its_reason_and_so_is_its_recovery(
    lookout: Lookout, page: Page, health: str, reason: str
) -> None:
    async with lookout.watching():
        await lookout.healthy()
        lookout.answers(page)
        await lookout.until(lambda: lookout.health() == health)
        await lookout.pass_time(200)
        lookout.answers(GOOD)
        await lookout.until(lambda: lookout.health() == "healthy")
        await lookout.pass_time(200)
    told = lookout.said(HealthChanged)
    assert [each.health for each in told] == ["healthy", health, "healthy"]
    assert told[1].reason.startswith(f"{reason}{url()} ")


async def test_processes_are_looked_at_beside_answers(lookout: Lookout) -> None:
    lookout.observer.seen["lives"] = Signals("running", wanted=1, running=1)
    async with lookout.watching():
        await lookout.hear(succeeded(1, target(lives="lives")))
        await lookout.until(lambda: lookout.health() == "healthy")
        lookout.answers(SILENT)
        lookout.observer.seen["lives"] = Signals("exited", wanted=1, running=0, message="exited with 3")
        await lookout.until(lambda: lookout.health() == "unreachable")
    told = lookout.said(HealthChanged)[-1]
    assert told.reason.startswith("none of its processes runs, and nothing answers: ")


async def test_ports_are_looked_at_and_commands_are_not_run(lookout: Lookout) -> None:
    lookout.prober.ports = {"127.0.0.1:9090"}
    watched = target(paths=(), tcp=(9090,), commands=({"command": ["rm"]},))
    async with lookout.watching():
        await lookout.hear(succeeded(1, watched))
        await lookout.until(lambda: lookout.health() == "healthy")
        lookout.prober.ports = set()
        lookout.prober.pages.clear()
        await lookout.until(lambda: lookout.health() == "unreachable")


async def test_well_known_paths_that_a_service_does_not_have_are_asked_for_once(lookout: Lookout) -> None:
    root = "http://127.0.0.1:9000/"
    lookout.prober.pages = {root: GOOD, f"{root}health": GOOD}
    async with lookout.watching():
        await lookout.hear(succeeded(1, target(paths=())))
        await lookout.until(lambda: lookout.health() == "healthy")
        await lookout.pass_time(60)
        lookout.prober.pages[f"{root}health"] = BAD
        await lookout.until(lambda: lookout.health() == "degraded")
    assert lookout.prober.asked.count(f"{root}healthz") == 1
    assert lookout.prober.asked.count(f"{root}health") > 5


async def test_a_stretch_of_looks_is_told_once_and_the_last_one_with_the_end(lookout: Lookout) -> None:
    async with lookout.watching():
        await lookout.healthy()
        await lookout.pass_time(700)
        told = lookout.said(HealthSampled)
        assert len(told) == 2
        assert [each.counts.looks == each.counts.good for each in told] == [True, True]
        assert told[1].counts.begins_at - told[0].counts.begins_at == timedelta(seconds=300)
        made = lookout.looks()
        await lookout.hear(succeeded(2, target("other")))
    sampled = lookout.said(HealthSampled)
    assert sum(each.counts.looks for each in sampled) == made
    (ended,) = lookout.said(HealthEnded)
    assert (ended.service, ended.run) == ("web", named("run 1"))


async def test_a_newer_run_begins_anew_what_it_brought_and_leaves_alone_what_was_kept(
    lookout: Lookout,
) -> None:
    async with lookout.watching():
        await lookout.healthy("web", "api", "old")
        await lookout.hear(succeeded(2, target("web"), services=("web", "api")))
        assert (lookout.health("web"), lookout.run_of("web")) == ("unknown", named("run 2"))
        assert (lookout.health("api"), lookout.run_of("api")) == ("healthy", named("run 1"))
        assert lookout.health("old") is None
    assert [each.service for each in lookout.said(HealthEnded)] == ["old"]
    assert {(each.service, each.run) for each in lookout.said(HealthSampled)} == {
        ("web", named("run 1")),
        ("old", named("run 1")),
    }


async def test_what_a_deployer_of_an_earlier_release_says_ends_no_watch(lookout: Lookout) -> None:
    earlier = succeeded(2).model_copy(update={"targets": (), "services": (), "urls": {"web": url()}})
    async with lookout.watching():
        await lookout.healthy()
        await lookout.hear(earlier)
        assert (lookout.health(), lookout.run_of()) == ("healthy", named("run 1"))


async def test_a_success_that_is_heard_after_a_newer_one_changes_nothing(lookout: Lookout) -> None:
    await lookout.hear(succeeded(2))
    await lookout.hear(succeeded(1, target("old")), position=0, late=600.0)
    assert (lookout.run_of("web"), lookout.health("old")) == (named("run 2"), None)


async def test_a_success_heard_twice_is_as_if_once(lookout: Lookout) -> None:
    async with lookout.watching():
        message = await lookout.hear(succeeded(1))
        await lookout.until(lambda: lookout.health() == "healthy")
        await lookout.deliver(message)
        assert lookout.health() == "healthy"


async def test_a_stage_that_deploys_nothing_has_no_watches(lookout: Lookout) -> None:
    nothing = succeeded(1).model_copy(update={"targets": (), "services": ()})
    async with lookout.watching():
        await lookout.hear(nothing)
        await lookout.pass_time(60)
    assert lookout.store.look(sa.select(watches)) == []
    assert lookout.prober.asked == []


async def test_what_a_run_does_on_its_way_makes_nobody_ill(lookout: Lookout) -> None:
    marked = target().model_copy(update={"release": str(named("run 1"))})
    lookout.answers(Page(release=str(named("run 1"))))
    async with lookout.watching():
        await lookout.hear(succeeded(1, marked))
        await lookout.until(lambda: lookout.health() == "healthy")
        await lookout.hear(began(2))
        lookout.answers(Page(release=str(named("run 2"))))
        made = lookout.looks()
        await lookout.pass_time(300)
        assert lookout.looks() > made + 5
        assert lookout.health() == "healthy"
        await lookout.hear(failed(2))
        await lookout.until(lambda: lookout.health() != "healthy")
    assert [each.health for each in lookout.said(HealthChanged)][1] in {"unknown", "degraded"}


async def test_a_run_that_was_superseded_ends_nothing(lookout: Lookout) -> None:
    await lookout.hear(began(2))
    await lookout.hear(RunSuperseded(**about(3), state="Superseded", by_run=named("run 4"), by_revision=4))
    assert lookout.stage().busy_run == named("run 2")


async def test_a_run_that_is_being_cancelled_is_still_under_way(lookout: Lookout) -> None:
    await lookout.hear(began(2))
    await lookout.hear(RunCancelling(**about(2), actor="ann", reason="wrong"))
    assert lookout.stage().busy_run == named("run 2")
    await lookout.hear(RunCancelled(**about(2), state="Cancelled", actor="ann", reason="wrong"))
    assert lookout.stage().busy_run is None
