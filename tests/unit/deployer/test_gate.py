"""What people's words and the time do at a gate."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.deployer.gate import (
    BAKE,
    MANUAL,
    Counts,
    Fails,
    Gate,
    Given,
    Passes,
    Refused,
    Verdict,
    on_time,
    on_verdict,
)
from shared.ids import Step
from shared.plan import StepPlan

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def said(actor: str, verdict: Verdict = "approved", at: datetime = NOW) -> Given:
    return Given(actor, verdict, "", at)


def gate(kind: str = MANUAL, given: Sequence[Given] = (), pusher: str = "pam", **params: Any) -> Gate:
    step = StepPlan(
        id=Step("go"),
        name="Go live",
        type=kind,
        params={"self_approval": True, **params},
        goes_after=(),
        timeout_seconds=1,
    )
    return Gate(step, NOW - HOUR, NOW + HOUR, "abc", pusher, given)


TWO: dict[str, Any] = {"approvals": 2}
OTHERS: dict[str, Any] = {"self_approval": False}


@pytest.mark.parametrize(
    ("at", "given", "shown", "answer"),
    [
        pytest.param(gate(), said("ann"), "", Passes, id="one is enough"),
        pytest.param(gate(), said("ann"), "abc", Passes, id="of what was shown"),
        pytest.param(gate(), said("ann"), "old", Refused, id="of something else"),
        pytest.param(gate(), said("ann", "rejected"), "", Fails, id="a rejection"),
        pytest.param(gate(), said("ann", "rejected"), "old", Refused, id="a rejection of something else"),
        pytest.param(gate(**TWO), said("ann"), "", Counts, id="the first of two"),
        pytest.param(gate(given=[said("bob")], **TWO), said("ann"), "", Passes, id="the second of two"),
        pytest.param(gate(given=[said("ann")], **TWO), said("ann"), "", Refused, id="the same person twice"),
        pytest.param(gate(given=[said("bob")], **TWO), said("ann", "rejected"), "", Fails, id="one says no"),
        pytest.param(gate(approvers=["bob"]), said("ann"), "", Refused, id="not an approver"),
        pytest.param(gate(approvers=["bob"]), said("ann", "rejected"), "", Refused, id="nor may reject"),
        pytest.param(gate(approvers=["bob"]), said("bob"), "", Passes, id="an approver"),
        pytest.param(gate(**OTHERS), said("pam"), "", Refused, id="one's own push"),
        pytest.param(gate(**OTHERS), said("pam", "rejected"), "", Fails, id="one's own push may be rejected"),
        pytest.param(gate(), said("pam"), "", Passes, id="one's own push where that may be"),
        pytest.param(gate(**OTHERS), said("PAM"), "", Refused, id="one's own push in capitals"),
        pytest.param(gate(**OTHERS), said("ann"), "", Passes, id="somebody else's push"),
        pytest.param(gate(pusher="", **OTHERS), said("ann"), "", Refused, id="nobody knows whose push"),
        pytest.param(gate(pusher=""), said("ann"), "", Passes, id="nobody knows, and it may be anybody's"),
        pytest.param(gate(given=[said("ann")], **TWO), said("Ann"), "", Refused, id="twice in capitals"),
        pytest.param(gate(), said("ann", at=NOW + HOUR), "", Refused, id="its time is over"),
        pytest.param(gate(), said("ann", "rejected", NOW + HOUR), "", Refused, id="too late to reject"),
        pytest.param(gate(BAKE), said("ann", at=NOW + HOUR), "", Refused, id="it has baked"),
        pytest.param(gate(BAKE), said("ann"), "", Passes, id="a bake ends early"),
        pytest.param(gate(BAKE), said("ann", "rejected"), "", Fails, id="a bake is rejected"),
    ],
)
def test_what_a_word_does(at: Gate, given: Given, shown: str, answer: type[object]) -> None:
    assert type(on_verdict(at, given, shown)) is answer


@pytest.mark.parametrize(
    ("kind", "now", "answer"),
    [
        pytest.param(MANUAL, NOW, type(None), id="not yet"),
        pytest.param(BAKE, NOW, type(None), id="still baking"),
        pytest.param(MANUAL, NOW + HOUR, Fails, id="nobody approved"),
        pytest.param(BAKE, NOW + HOUR, Passes, id="baked"),
    ],
)
def test_what_the_time_brings(kind: str, now: datetime, answer: type[object]) -> None:
    assert type(on_time(gate(kind), now)) is answer
