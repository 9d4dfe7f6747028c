"""Why the program did not start, said to the person who started it."""


class CannotStart(Exception):  # noqa: N818 - named for what follows from it
    """A sentence for people, with the way out in it."""
