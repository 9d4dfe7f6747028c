"""The three ways an outside system or a message can let us down.

What follows from each is decided in one place, `shared/delivery.py`. A failing *answer* (a step
that exited 1, a probe that got a 500) is no fault: it is data.
"""


class TryAgain(Exception):  # noqa: N818 - named for what follows from it
    """It could not be done now and may succeed unchanged later: a refused connection, a busy lock."""


class Refused(Exception):  # noqa: N818
    """It will never succeed as asked, and somebody asked for it: an unknown commit, a taken port."""


class Poison(Exception):  # noqa: N818
    """A message that no code of ours can take: a body that does not parse, an illegal transition."""
