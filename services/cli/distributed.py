"""Commands that speak to the database and the brokers themselves, not to a Windlass that runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from services.cli.faults import UNREACHABLE, CommandFault


@contextmanager
def asked() -> Iterator[ModuleType]:
    """Give the program's verbs; what they refuse becomes a sentence and an exit code."""
    from services.distributed import chores  # noqa: PLC0415 - half a second that no other command pays
    from shared.faults import Refused, TryAgain  # noqa: PLC0415

    try:
        yield chores
    except Refused as fault:
        raise CommandFault(_sentence(fault)) from None
    except TryAgain as fault:
        raise CommandFault(_sentence(fault), next_=chores.way_out(fault), code=UNREACHABLE) from None


def _sentence(fault: Exception) -> str:
    text = str(fault)
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith(".") else ".")
