"""`windlass dead-letters`, as an operator uses it."""

import json
from contextlib import AbstractAsyncContextManager

import pytest

from services.cli.commands import dead_letters
from tests.integration.cli.conftest import Ended, Office
from tests.integration.status.letters import Clumsy


@pytest.fixture
def clumsy(office: Office) -> Clumsy:
    builder = Clumsy(office.town)
    office.do(builder.bury("acme/a", "acme/b", "acme/c"))
    return builder


class AtWork:
    """The clumsy service, mended or not, for as long as the context lasts."""

    def __init__(self, office: Office, clumsy: Clumsy) -> None:
        self._office = office
        self._life: AbstractAsyncContextManager[None] = clumsy.at_work()

    def __enter__(self) -> None:
        self._office.do(self._life.__aenter__())

    def __exit__(self, *_: object) -> None:
        self._office.do(self._life.__aexit__(None, None, None))


def listed(office: Office, *words: str) -> dict[str, str]:
    """Return the ids of the letters listed, by what they are about."""
    document = json.loads(office.windlass("dead-letters", "list", "--json", *words).out)
    return {letter["key"]: letter["id"] for letter in document["dead_letters"]}


def failed(ended: Ended, code: int, *said: str) -> bool:
    return ended.code == code and all(part in ended.err for part in ("windlass: ", *said))


def test_there_are_none_at_first(office: Office) -> None:
    ended = office.windlass("dead-letters", "list")
    assert (ended.code, ended.err) == (0, "")
    assert "There are none" in ended.out
    assert "dead letter" not in office.windlass("status").out
    assert "None of these waits." in office.windlass("dead-letters", "replay", "--all").out


def test_status_says_that_some_wait_and_what_to_do(office: Office, clumsy: Clumsy) -> None:
    said = office.windlass("status").out
    assert "3 dead letters wait for you" in said
    assert "windlass dead-letters list" in said
    assert json.loads(office.windlass("status", "--json").out)["dead_letters_waiting"] == 3


def test_a_list_says_whose_what_and_why_and_does_no_harm(office: Office, clumsy: Clumsy) -> None:
    said = office.windlass("dead-letters", "list").out
    assert "push.received" in said
    assert "acme/b" in said
    assert "builder" in said
    assert "no such step\\x1b[2J: 'deploy'" in said
    assert "show ID" in said
    assert set(listed(office, "--type", "push.received", "--group", "builder")) == set(listed(office))
    assert listed(office, "--group", "verifier") == {}
    assert "There are more" in office.windlass("dead-letters", "list", "--limit", "2").out


def test_one_is_shown_by_the_beginning_of_its_id(office: Office, clumsy: Clumsy) -> None:
    letter = listed(office)["acme/a"]
    said = office.windlass("dead-letters", "show", letter[:6]).out
    parts = ("waiting", "builder", "windlass.pushes/3@1042", '"repository": "acme/a"', "no such step")
    for part in (letter, *parts, "x-sent-by: a mirror", f"windlass dead-letters replay {letter[:8]}"):
        assert part in said, part
    assert "\x1b" not in said
    assert json.loads(office.windlass("dead-letters", "show", letter, "--json").out)["id"] == letter


def test_what_is_no_text_is_said_to_be_none(office: Office) -> None:
    office.do(Clumsy(office.town).bury_foreign(b"\xff" * 100_000))
    letter = listed(office)["k"]
    said = office.windlass("dead-letters", "show", letter).out
    assert "base64" in said
    assert f"/api/v1/dead-letters/{letter}/body" in said


def test_letters_are_replayed_and_what_became_of_them_is_told(office: Office, clumsy: Clumsy) -> None:
    found = listed(office)
    clumsy.mended = True
    with AtWork(office, clumsy):
        ended = office.windlass(
            "dead-letters", "replay", found["acme/a"][:8], found["acme/b"], "--reason", "1.4"
        )
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.count("handled (builder, push.received of acme/") == 2
    assert sorted(clumsy.took) == ["acme/a", "acme/b"]
    shown = office.windlass("dead-letters", "list", "--state", "replayed").out
    assert "acme/c" not in shown
    assert "acme/a" in shown
    assert "by ann: 1.4)" in office.windlass("dead-letters", "show", found["acme/a"]).out
    again = office.windlass("dead-letters", "replay", found["acme/a"])
    assert failed(again, 1, "was replayed as asked by ann", "nothing left to do")


def test_a_letter_that_dies_again_fails_the_command_and_says_why(office: Office, clumsy: Clumsy) -> None:
    with AtWork(office, clumsy):
        ended = office.windlass("dead-letters", "replay", listed(office)["acme/a"])
    assert failed(ended, 1, "Not all were handled", "dead-letters show")
    assert "died again: poison: no such step" in ended.out


def test_a_letter_that_its_service_cannot_hear_fails_the_command(office: Office, clumsy: Clumsy) -> None:
    clumsy.deaf = True
    with AtWork(office, clumsy):
        ended = office.windlass("dead-letters", "replay", listed(office)["acme/a"])
    assert failed(ended, 1, "Not all were handled")
    assert "refused: builder does not hear windlass.push.received.v1 any more" in ended.out
    assert "refused: builder does not hear" in office.windlass("dead-letters", "list").out


def test_a_service_that_is_not_there_is_said_not_to_have_answered(
    office: Office, clumsy: Clumsy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "OUTCOME_SECONDS_MAX", 0.1)
    ended = office.windlass("dead-letters", "replay", listed(office)["acme/a"])
    assert ended.code == 0
    assert "builder has not answered yet" in ended.out


def test_all_of_a_service_are_replayed(
    office: Office, clumsy: Clumsy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.dead_letters.letters.REPLAYED_AT_ONCE_MAX", 2)
    ended = office.windlass("dead-letters", "replay", "--group", "builder")
    assert "3 dead letters are being handed over" in ended.out
    clumsy.mended = True
    with AtWork(office, clumsy):
        office.do(
            office.town.web.until("/api/v1/dead-letters", lambda answer: not answer.json()["dead_letters"])
        )
    assert len(clumsy.took) == 3


def test_letters_are_discarded_for_a_reason(office: Office, clumsy: Clumsy) -> None:
    found = listed(office)
    assert office.windlass("dead-letters", "discard", found["acme/a"]).code == 2
    ended = office.windlass("dead-letters", "discard", found["acme/a"], found["acme/b"], "--reason", "gone")
    assert ended.code == 0
    assert ended.out.count("discarded (builder") == 2
    assert set(listed(office)) == {"acme/c"}


def test_all_of_a_service_are_discarded(
    office: Office, clumsy: Clumsy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.dead_letters.letters.DISCARDED_AT_ONCE_MAX", 2)
    assert "None of these" in office.windlass("dead-letters", "discard", "-g", "status", "--reason", "x").out
    ended = office.windlass("dead-letters", "discard", "--group", "builder", "--reason", "the shop is gone")
    assert (ended.code, ended.err) == (0, "")
    assert "3 dead letters are discarded" in ended.out
    assert listed(office) == {}
    assert len(listed(office, "--state", "discarded")) == 3


def test_what_is_no_event_is_left_out_of_a_replay_and_only_to_be_discarded(office: Office) -> None:
    clumsy = Clumsy(office.town)
    office.do(clumsy.bury_foreign(b"hello"))
    letter = listed(office)["k"]
    shown = office.windlass("dead-letters", "show", letter).out
    assert "dead-letters discard" in shown
    assert "replay" not in shown
    said = office.windlass("dead-letters", "replay", "--all").out
    assert "1 was left out" in said
    assert "handed over" not in said
    assert failed(office.windlass("dead-letters", "replay", letter), 1, "no event of Windlass", "discard")
    office.do(clumsy.bury("acme/a"))
    said = office.windlass("dead-letters", "replay", "--all").out
    assert "1 dead letter is being handed over" in said
    assert "1 was left out" in said
    assert set(listed(office, "--state", "waiting")) == {"k"}
    ended = office.windlass("dead-letters", "discard", "--type", "foreign", "--reason", "not ours")
    assert "1 dead letter is discarded" in ended.out
    assert set(listed(office)) == {"acme/a"}


def test_ids_and_a_whole_lot_are_not_asked_for_together(office: Office) -> None:
    for words in ([], ["0123", "--all"], ["0123", "--group", "builder"]):
        for verb in (["replay"], ["discard", "--reason", "x"]):
            assert failed(office.windlass("dead-letters", *verb, *words), 2, "Say which"), words


def test_a_letter_that_is_not_there_is_told_where_to_look(office: Office) -> None:
    for words in (["show", "0123"], ["replay", "0123"], ["discard", "0123", "--reason", "x"]):
        assert failed(office.windlass("dead-letters", *words), 1, "no dead letter"), words


def test_every_command_explains_itself(office: Office) -> None:
    for words in ([], ["list"], ["show"], ["replay"], ["discard"]):
        ended = office.windlass("dead-letters", *words, "--help")
        assert ended.code == 0
        assert "Usage: windlass dead-letters" in ended.out
