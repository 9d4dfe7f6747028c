"""What keeps a stage from beginning the run that is next."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from services.deployer.admission import Blocker, Gates, Stop, closed_by
from shared.events.runs import RunKind
from shared.window import Opening, Window

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
STOP = Stop("ann", "flags", NOW - HOUR, whole_pipeline=False)
ALARM = Blocker("alarm shop-5xx", "it fires", "it clearing", NOW - HOUR)
SHUT = Window(openings=(Opening(day="tue"),))


def ending(at: datetime) -> Blocker:
    return Blocker("alarm shop-5xx", "it fires", "it clearing", NOW - HOUR, at)


@pytest.mark.parametrize(
    ("gates", "kind", "reason"),
    [
        pytest.param(Gates(), "deploy", None, id="nothing"),
        pytest.param(Gates(STOP), "deploy", "stopped", id="a stop"),
        pytest.param(Gates(STOP), "retry", "stopped", id="a stop, a retry too"),
        pytest.param(Gates(STOP), "roll_forward", "stopped", id="a stop, a roll-forward too"),
        pytest.param(Gates(STOP, [ALARM], SHUT), "rollback", None, id="a rollback is held by nothing"),
        pytest.param(Gates(None, [ALARM], SHUT), "roll_forward", None, id="a roll-forward goes past them"),
        pytest.param(Gates(STOP, [ALARM], SHUT), "deploy", "stopped", id="the stop before the blocker"),
        pytest.param(Gates(None, [ALARM], SHUT), "deploy", "blocker", id="the blocker before the window"),
        pytest.param(Gates(None, [ending(NOW + HOUR)]), "deploy", "blocker", id="quiet for too short"),
        pytest.param(Gates(None, [ending(NOW)]), "deploy", None, id="quiet for long enough"),
        pytest.param(Gates(None, [ending(NOW), ALARM]), "deploy", "blocker", id="one of two is over"),
        pytest.param(Gates(window=SHUT), "deploy", "window", id="a closed window"),
        pytest.param(Gates(window=SHUT, overridden_until=NOW + HOUR), "deploy", None, id="overridden"),
        pytest.param(Gates(window=SHUT, overridden_until=NOW), "deploy", "window", id="no longer so"),
    ],
)
def test_what_holds_a_run(gates: Gates, kind: RunKind, reason: str | None) -> None:
    wait = closed_by(gates, kind, NOW)
    assert (wait.reason if wait else None) == reason


@pytest.mark.parametrize("kind", get_args(RunKind))
@pytest.mark.parametrize("gates", [Gates(STOP), Gates(None, [ALARM]), Gates(window=SHUT)])
def test_every_wait_names_what_releases_it(gates: Gates, kind: RunKind) -> None:
    wait = closed_by(gates, kind, NOW)
    assert wait is None or all((wait.blocked_by, wait.released_by))
