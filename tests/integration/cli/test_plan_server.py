"""`windlass plan --server`: what a planned push would meet at a Windlass."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import SystemClock
from shared.events import RevisionPlanned
from tests.integration.cli.conftest import Office
from tests.integration.cli.test_commands import planned, tell
from tests.integration.cli.working_copies import FILE, Copy
from tests.unit.language.sample import SHOP
from tests.unit.status.stories import retold
from tests.unit.status.told import Told


def queue(office: Office, *words: str) -> dict[str, Any]:
    ended = office.windlass("plan", "--server", "--json", *words)
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)["pipelines"][0]["queue"]
    assert isinstance(found, dict)
    return found


def test_whom_a_push_would_supersede_and_what_it_would_wait_for(office: Office, shop: Copy) -> None:
    office.say(planned(1), planned(2))
    tell(office, Told().declared().queued(1).started(1).queued(2))
    found = queue(office)
    assert (found["revision"], found["contained_in"]) == (3, None)
    assert found["stages"] == [
        {
            "stage": "staging",
            "status": "deploying",
            "running": 1,
            "supersedes": [2],
            "waits_for": ["Revision 1 holds the stage: In Progress."],
            "held": [],
        },
        {
            "stage": "production",
            "status": "pending",
            "running": None,
            "supersedes": [],
            "waits_for": ["Stage staging must succeed with this revision."],
            "held": [],
        },
    ]
    out = office.windlass("plan", "--server").out
    assert "  It would be revision 3.\n" in out
    assert "  Its newest revision 2 is commit 00000000, which is not here: `git fetch` first" in out
    assert "    It would supersede revision 2, if that still waits.\n" in out


def test_a_commit_that_the_newest_revision_has_would_be_skipped(office: Office, shop: Copy) -> None:
    first = shop.git("rev-parse", "HEAD")
    newest = shop.commit({"app/index": "changed"})
    office.say(planned(4, commit=newest))
    assert queue(office)["contained_in"] == 4
    assert queue(office, "--rev", first)["contained_in"] == 4
    assert "  Skipped: revision 4 has this commit already.\n" in office.windlass("plan", "--server").out
    shop.write({"app/index": "changed again"})
    found = queue(office)
    assert (found["contained_in"], found["revision"], found["notes"]) == (None, 5, [])


def test_a_pipeline_that_the_server_does_not_know_would_be_new(office: Office, shop: Copy) -> None:
    found = queue(office)
    assert found["revision"] == 1
    assert found["notes"] == [
        "The server does not know this pipeline yet: its repository must be registered there."
    ]


def test_gates_in_the_way_are_told(office: Office, shop: Copy) -> None:
    soon = SystemClock().now().date() + timedelta(days=30)
    freeze = f"{{from: '2020-01-01', to: '{soon}', reason: stock}}"
    window = f"deployment_time_window: {{zone: UTC, freezes: [{freeze}]}}"
    ask = "- name: Ask\n      type: APPROVAL:MANUAL\n    - name: Serve"
    shop.write({FILE: SHOP.replace("skip: [Smoke]", window).replace("- name: Serve", ask)})
    office.say(retold(RevisionPlanned.type, pipeline="shop", revision=1))
    waits = queue(office)["stages"][1]["waits_for"]
    assert waits[0] == "Stage staging must succeed with this revision."
    assert waits[1].startswith("The window production is frozen from 2020-01-01 to the end of ")
    assert waits[1].endswith(f": stock (UTC). It opens {soon + timedelta(days=1)} 00:00 UTC.")
    assert waits[-1] == "Its step Ask holds the run (APPROVAL:MANUAL)."


def test_the_revision_is_the_one_that_the_server_would_give(office: Office, shop: Copy) -> None:
    shop.write({FILE: SHOP.replace("VERSION: 1.10", "VERSION: '${{ trigger.revision }}'")})
    office.say(planned(41))
    ended = office.windlass("plan", "--server", "--json")
    found = json.loads(ended.out)["pipelines"][0]
    assert found["plan"]["artifacts"][0]["env"]["VERSION"] == "42"


def test_a_server_that_says_no_is_a_failure(
    office: Office, shop: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINDLASS_TOKEN", "wrong")
    ended = office.windlass("plan", "--server")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("windlass: ")
