"""`windlass health`, and what `status` and `why` say of a service that does badly."""

import json
from datetime import timedelta
from typing import Any

from shared.clock import SystemClock
from shared.events import HealthChanged, HealthCounts, HealthSampled
from tests.integration.cli.conftest import Office
from tests.integration.cli.test_commands import failed, planned, tell
from tests.unit.status.told import HERE, Told

ABOUT: dict[str, Any] = {**HERE, "service": "serve", "run": Told.run_id(1), "revision": 1}


def live(office: Office) -> None:
    office.say(planned())
    tell(office, Told().declared().queued(1).started(1).succeeded(1))


def changed(health: Any, before: Any, reason: str) -> HealthChanged:
    since = SystemClock().now() - timedelta(minutes=20)
    return HealthChanged(**ABOUT, health=health, before=before, reason=reason, since=since)


def sampled() -> HealthSampled:
    begins = SystemClock().now() - timedelta(minutes=5)
    counts = HealthCounts(
        begins_at=begins,
        seconds=300.0,
        looks=10,
        good=7,
        slow=0,
        bad=0,
        silent=3,
        latency_seconds=0.012,
        latency_seconds_max=0.2,
        worst="unreachable",
    )
    return HealthSampled(**ABOUT, counts=counts)


def test_health_is_told_of_all_and_of_one_with_its_last_day(office: Office) -> None:
    assert office.windlass("health").out == "Nothing is live yet whose health is looked at.\n"
    live(office)
    office.say(
        changed("healthy", "unknown", "it answers"), changed("unreachable", "healthy", "refused\x1b[2J")
    )
    office.say(sampled())
    listed = office.windlass("health").out.splitlines()
    assert listed[0].split() == ["Pipeline", "Stage", "Service", "Health", "Since", "Revision", "Why"]
    assert listed[1].split()[:4] == ["shop", "staging", "serve", "unreachable"]
    assert "\x1b" not in listed[1]

    told = office.windlass("health", "shop").out.splitlines()
    assert told[0] == "shop/staging is unreachable."
    assert "serve of revision 1: unreachable for 20 min" in told
    assert "  why        refused\\x1b[2J" in told
    assert any(line.startswith("  last day   -----") and "70 % good, 30 % no answer" in line for line in told)
    assert "  answers    12 ms on average, 200 ms at most" in told
    assert [line for line in told if len(line) > 80] == []
    assert office.windlass("health", "shop", "staging").out.splitlines() == told


def test_programs_are_told_with_the_history_where_a_pipeline_is_named(office: Office) -> None:
    live(office)
    office.say(changed("degraded", "unknown", "slow"), sampled())
    [stage] = json.loads(office.windlass("health", "--json").out)["stages"]
    assert [each["now"]["health"] for each in stage["services"]] == ["degraded"]
    [stage] = json.loads(office.windlass("health", "shop", "--json").out)["stages"]
    [service] = stage["services"]
    assert [each["health"] for each in service["changes"]] == ["degraded"]
    assert [each["looks"] for each in service["history"]] == [10]


def test_a_stage_of_which_nothing_was_heard_says_so(office: Office) -> None:
    office.say(planned())
    said = office.windlass("health", "shop", "production")
    assert (said.code, said.out.splitlines()[1]) == (0, "  Nothing is live here whose health is looked at.")
    assert office.windlass("health", "shop").out == "Nothing is live yet whose health is looked at.\n"
    assert failed(office.windlass("health", "shop", "prod"), 1, "staging, production")
    assert failed(office.windlass("health", "nope"), 1, "no pipeline 'nope'")


def test_status_and_why_say_what_is_the_matter_with_a_service(office: Office) -> None:
    live(office)
    office.say(changed("degraded", "healthy", "3 of 6 looks were slow"))
    shown = " ".join(office.windlass("status").out.split())
    assert "degraded" in shown
    assert "Service serve of revision 1 is degraded: 3 of 6 looks were slow" in shown
    said = office.windlass("why", "shop", "staging").out
    assert "shop/staging is degraded." in said
    assert "Service serve of revision 1 is degraded: 3 of 6 looks were slow" in said
