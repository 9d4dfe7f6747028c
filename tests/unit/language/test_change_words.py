"""Changes of a definition as sentences: in the file's words, with what is lost, on one line, bounded."""

import pytest

from shared.language.change_words import briefly, sentence
from shared.language.difference import Change, differences
from tests.unit.language.live import LIVE, edited, planned

PRODUCTION = 'stage "production"'


def changes(find: str, put: str) -> tuple[Change, ...]:
    return differences(planned(LIVE), planned(edited(find, put)))


@pytest.mark.parametrize(
    ("find", "put", "said", "short"),
    [
        pytest.param(
            "      auto_rollback_alarm_name: shop-5xx\n",
            "",
            f"{PRODUCTION} · auto_rollback_alarm_name: shop-5xx -> none "
            "(the alarm that rolls a stage back is taken away or is another)",
            f"{PRODUCTION} · auto_rollback_alarm_name removed",
            id="an alarm is gone",
        ),
        pytest.param(
            "duration_minutes: 30",
            "duration_minutes: 45",
            f'{PRODUCTION} · step "Soak" · params.duration_minutes: 30 -> 45',
            f'{PRODUCTION} · step "Soak" · params.duration_minutes changed',
            id="nothing is lost",
        ),
        pytest.param(
            "params: {duration_minutes: 30}\n",
            "params: {duration_minutes: 30}\n      timeout_minutes: 90\n",
            None,
            f'{PRODUCTION} · step "Soak" · timeout_minutes changed',
            id="minutes, as the file has them",
        ),
        pytest.param(
            "    - name: Soak\n      type: APPROVAL:BAKE\n      params: {duration_minutes: 30}\n",
            "",
            f'{PRODUCTION} · step "Soak": removed, was APPROVAL:BAKE '
            "(an approval step is taken out of a stage)",
            f'{PRODUCTION} · step "Soak" removed',
            id="a step is gone",
        ),
    ],
)
def test_a_change_is_told_in_the_words_of_the_file(find: str, put: str, said: str | None, short: str) -> None:
    found = changes(find, put)
    assert short in [briefly(change) for change in found]
    if said is not None:
        assert said in [sentence(change) for change in found]


@pytest.mark.parametrize("kind", ["added", "removed", "changed", "reordered"])
def test_a_sentence_is_bounded_whatever_a_stranger_wrote(kind: str) -> None:
    long = "x" * 10_000
    change = Change.model_validate(
        {"kind": kind, "thing": long, "path": (long,), "old": long, "new": long, "rule": "stage-bypass"}
    )
    assert len(sentence(change)) < 500
    assert len(briefly(change)) < 200


def test_nothing_is_said_of_a_value_that_there_was_not() -> None:
    bare = Change(kind="added", thing="x", path=("x",))
    assert sentence(bare) == "x: added"
    assert sentence(bare.model_copy(update={"kind": "removed"})) == "x: removed"
    assert sentence(bare.model_copy(update={"kind": "changed", "new": "1"})) == "x: none -> 1"
