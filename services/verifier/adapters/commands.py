"""The seam between judging a deployment and running a program beside it."""

from typing import Protocol

from services.verifier.probe import Command, Outcome


class Commands(Protocol):
    """Runs a program of the user's own. How often it may be repeated is the user's word: any number."""

    async def run(self, command: Command) -> Outcome:
        """Run it and return how it ended; ended by us at its time limit, and when we are cancelled."""
        ...

    async def end_leftovers(self) -> None:
        """End and remove what earlier lives of this replica left; to be done before anything is run."""
        ...
