"""What a pushed commit becomes, for every relation to the newest revision."""

import pytest

from services.synthesizer.ancestry import Become, Decision, Newest, Skip, Trigger, decide
from shared.ids import Commit

NEW, OLD = Commit("b" * 40), Commit("a" * 40)


@pytest.mark.parametrize(
    ("newest", "trigger", "contained", "expected"),
    [
        pytest.param(None, "push", False, Become(1), id="the first push"),
        pytest.param(None, "manual", False, Become(1), id="the first by hand"),
        pytest.param(OLD, "push", False, Become(8), id="a newer commit"),
        pytest.param(OLD, "manual", False, Become(8), id="a commit beside it, by hand"),
        pytest.param(NEW, "push", True, Skip(7, "revision 7 is this commit"), id="pushed twice"),
        pytest.param(NEW, "manual", True, Become(8), id="the newest once more, by hand"),
        pytest.param(
            OLD, "push", True, Skip(7, "revision 7 contains this commit and is newer"), id="a late push"
        ),
        pytest.param(
            OLD,
            "manual",
            True,
            Skip(
                7,
                "revision 7 contains this commit and is newer; "
                "to bring an earlier state back, push a revert of what came after it",
            ),
            id="an older one by hand",
        ),
    ],
)
def test_a_commit_becomes(
    newest: Commit | None, trigger: Trigger, contained: bool, expected: Decision
) -> None:
    known = Newest(7, newest) if newest else None
    assert decide(known, NEW, trigger, contained=contained) == expected
