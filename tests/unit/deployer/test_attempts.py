"""How long a step waits between two attempts."""

import pytest

from services.deployer.attempts import backoff
from shared.plan import Attempts


@pytest.mark.parametrize(
    ("attempt", "seconds"),
    [
        pytest.param(1, 10, id="at first as long as the plan says"),
        pytest.param(2, 20, id="then twice as long"),
        pytest.param(3, 40, id="and twice again"),
        pytest.param(5, 160, id="the last below the most"),
        pytest.param(6, 300, id="never more than the most"),
        pytest.param(10_000, 300, id="however often"),
    ],
)
def test_the_wait_doubles_up_to_the_most(attempt: int, seconds: float) -> None:
    assert backoff(Attempts(max=10), attempt).total_seconds() == seconds
