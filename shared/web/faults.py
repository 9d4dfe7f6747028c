"""Why the program did not start, said to the person who started it."""

from shared.faults import Refused


class CannotStart(Refused):
    """A sentence for people, with the way out in it."""
