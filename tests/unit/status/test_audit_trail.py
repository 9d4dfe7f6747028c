"""How the entries of the audit trail read."""

from typing import Any

import pytest

from services.status.audit_trail import ENTERED, Entry, entry
from shared.events.stages import StageEvent
from tests.builders import START, named
from tests.unit.status.stories import retold


def entered(type_: str, **changes: Any) -> Entry:
    body = retold(type_, **changes)
    assert isinstance(body, StageEvent)
    return entry(named("event"), START, named("cause"), body)


@pytest.mark.parametrize(
    ("type_", "changes", "text"),
    [
        pytest.param(
            "operation.requested",
            {"kind": "release_hold"},
            "Asked to release a hold in staging, by grace: wrong flag",
            id="asked",
        ),
        pytest.param(
            "operation.requested",
            {"kind": "rollback", "dry_run": True, "reason": ""},
            "Asked what a rollback would do in staging, by grace",
            id="asked what would happen",
        ),
        pytest.param(
            "run.cancelled",
            {"actor": "alarm a", "reason": "5xx", "rollback": "no_candidate"},
            "Revision 12 in staging: Cancelled, by alarm a: 5xx; there was no revision to roll back to",
            id="nothing to go back to",
        ),
        pytest.param(
            "operation.requested",
            {"kind": "stop", "stage": "*", "reason": ""},
            "Asked to stop in the pipeline, by grace",
            id="asked of the whole pipeline",
        ),
        pytest.param(
            "stage.stopped",
            {},
            "the pipeline was stopped, by grace: the data centre is being moved",
            id="stopped",
        ),
        pytest.param(
            "stage.resumed",
            {"stage": "staging"},
            "staging was resumed, by grace: it stands again",
            id="resumed",
        ),
        pytest.param(
            "stage.held",
            {"reason": "it failed"},
            "Revision 12 was put on hold in staging: it failed",
            id="held",
        ),
        pytest.param(
            "hold.released",
            {"reason": "mended"},
            "Revision 12 was released from its hold in staging, by grace: mended",
            id="released",
        ),
        pytest.param(
            "window.overridden",
            {"until": "2026-03-02T13:00:00+01:00", "reason": "outage"},
            "The window of production was overridden until 2026-03-02 12:00 UTC, by grace: outage",
            id="overridden",
        ),
        pytest.param("run.started", {}, "Revision 12 in staging: In Progress", id="began"),
        pytest.param("run.rolling_back", {}, "Revision 12 in staging: Rolling Back", id="rolls back"),
        pytest.param(
            "run.rolling_forward", {}, "Revision 13 in production: Rolling Forward", id="rolls forward"
        ),
        pytest.param(
            "run.succeeded", {"state": "Rolled Back"}, "Revision 12 in staging: Rolled Back", id="ended"
        ),
        pytest.param(
            "run.superseded",
            {"by_revision": 13},
            "Revision 12 in staging: Superseded by revision 13",
            id="superseded",
        ),
        pytest.param(
            "gate.answered",
            {},
            "Step release of revision 12 was approved in production, by grace: seen on staging",
            id="approved",
        ),
        pytest.param(
            "definition.answered",
            {"comment": ""},
            "Revision 12 in staging: the change of its pipeline file was approved, by grace",
            id="a change of the definition approved",
        ),
    ],
)
def test_an_entry_says_who_did_what_where_and_why(type_: str, changes: dict[str, Any], text: str) -> None:
    assert entered(f"windlass.{type_}.v1", **changes).text == text


@pytest.mark.parametrize("type_", [each.type for each in ENTERED])
def test_everything_that_is_entered_has_a_sentence_and_what_it_followed_from(type_: str) -> None:
    shown = entered(type_)
    assert shown.text
    assert (shown.id, shown.causation, f"windlass.{shown.what}.v1") == (named("event"), named("cause"), type_)
