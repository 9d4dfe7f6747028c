"""What is shown of a build whose attempts fail in a way that may pass."""

from typing import Any

from services.status.projection import Kind, fold
from services.status.views import BuildView
from shared.events import ArtifactBuilt, ArtifactFailed, BuildBackingOff, BuildRequested, Event
from tests.builders import named
from tests.unit.status.looked import at
from tests.unit.status.stories import message, retold
from tests.unit.status.told import evidence

REQUEST = str(named("request"))
BACKING_OFF: dict[str, Any] = {
    "attempt": 1,
    "until": at(20),
    "code": "INFRASTRUCTURE_NETWORK_FAILURE",
    "rule": "connection_refused",
    "evidence": evidence("the registry refused the connection"),
    "log": "build/b/1",
}


def told(*types: tuple[type[Event], dict[str, Any]]) -> BuildView:
    all_: list[tuple[type[Event], dict[str, Any]]] = [(BuildRequested, {}), *types]
    history = [
        message(retold(type_.type, **{**changes, "request": REQUEST}), place)
        for place, (type_, changes) in enumerate(all_, start=1)
    ]
    view = fold({}, history)[Kind.BUILD, REQUEST].view
    assert isinstance(view, BuildView)
    return view


def test_a_build_that_is_attempted_again_says_when_and_why() -> None:
    view = told((BuildBackingOff, BACKING_OFF))
    assert (view.answer, view.attempt, view.next_attempt_at, view.rule) == (
        "pending",
        1,
        at(20),
        "connection_refused",
    )
    assert view.evidence == evidence("the registry refused the connection")


def test_a_build_that_is_answered_is_not_attempted_again() -> None:
    for type_, answer in ((ArtifactBuilt, "built"), (ArtifactFailed, "failed")):
        view = told((BuildBackingOff, BACKING_OFF), (type_, {"reused": False} if answer == "built" else {}))
        assert (view.answer, view.next_attempt_at, view.evidence is None) == (answer, None, answer == "built")
        late = told((type_, {"reused": False} if answer == "built" else {}), (BuildBackingOff, BACKING_OFF))
        assert (late.next_attempt_at, late.attempt) == (None, 0)
