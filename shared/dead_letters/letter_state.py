"""What may become of a dead letter."""

from enum import StrEnum


class LetterState(StrEnum):
    """Where a dead letter stands."""

    WAITING = "waiting"  # for a person
    ASKED = "asked"  # for a replica of its group, which hands it over
    REPLAYED = "replayed"  # its group has handled it
    DISCARDED = "discarded"  # a person decided that it is not needed


class LetterTrigger(StrEnum):
    """What moves it."""

    REPLAY_ASKED = "replay asked"
    HANDLED = "handled"
    DIED = "died again"
    REFUSED = "its group cannot hear it"
    DISCARD_ASKED = "discard asked"


S, T = LetterState, LetterTrigger

# A letter that is asked for may be discarded too: its group may have no replica any more.
# fmt: off
TRANSITIONS: dict[LetterState, dict[LetterTrigger, LetterState]] = {
    S.WAITING:   {T.REPLAY_ASKED:  S.ASKED,
                  T.DIED:          S.WAITING,
                  T.DISCARD_ASKED: S.DISCARDED},
    S.ASKED:     {T.HANDLED:       S.REPLAYED,
                  T.DIED:          S.WAITING,
                  T.REFUSED:       S.WAITING,
                  T.DISCARD_ASKED: S.DISCARDED},
    S.REPLAYED:  {},
    S.DISCARDED: {},
}
# Somebody else was quicker: the row says what became of the letter, and that stands. Whoever asked is
# told so.
IGNORED: dict[LetterState, frozenset[LetterTrigger]] = {
    S.WAITING:   frozenset({T.HANDLED, T.REFUSED}),
    S.ASKED:     frozenset({T.REPLAY_ASKED}),
    S.REPLAYED:  frozenset(T),
    S.DISCARDED: frozenset(T),
}
# fmt: on
TERMINAL = frozenset(state for state, row in TRANSITIONS.items() if not row)
OPEN = frozenset(TRANSITIONS) - TERMINAL


def moved_by(trigger: LetterTrigger) -> tuple[frozenset[LetterState], LetterState]:
    """Return the states that `trigger` moves, and where it moves them: what a compare-and-set needs."""
    before = frozenset(state for state, row in TRANSITIONS.items() if trigger in row)
    (after,) = {TRANSITIONS[state][trigger] for state in before}
    return before, after
