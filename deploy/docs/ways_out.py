"""The section of `docs/state-machines.md` that says what each open state waits for, and how that ends."""

from collections.abc import Collection, Mapping

from deploy.docs.markdown import table
from services.deployer.run_state import State
from services.deployer.ways_out import AT_WORK, STEPS, WAITS, WHERE, WHERE_AT_WORK, WayOut

HEAD = """
## Waits and ways out

Whatever is not over waits for something that ends: in bounded time, or by a person whom it names. What a run
waits for is told with its reason, on what it waits, since when, what releases it and by when, in the same
words by `windlass why` and the API.
"""
COLUMNS = ("Waits for", "Ended by", "At the latest by")


def section() -> str:
    """Return it."""
    runs = [
        (f"`{reason}`", _where(WHERE[reason]), *_told(row)) for reason, row in WAITS.items() if WHERE[reason]
    ]
    never = [f"`{reason}`: {row.waits_for}.\n" for reason, row in WAITS.items() if not WHERE[reason]]
    work = [(str(state), _kinds(WHERE_AT_WORK[state]), *_told(row)) for state, row in AT_WORK.items()]
    steps = [(str(state), *_told(row)) for state, row in STEPS.items()]
    parts = (
        HEAD,
        "### A run that waits\n",
        table(("Reason", "In", *COLUMNS), runs),
        *never,
        "### A run that holds its stage and waits for nothing of its own\n",
        table(("State", "Kinds", *COLUMNS), work),
        "### A step\n",
        table(("State", *COLUMNS), steps),
    )
    return "\n".join(parts)


def _told(row: WayOut) -> tuple[str, str, str]:
    return row.waits_for, row.ended_by, row.at_the_latest


def _where(where: Mapping[State, Collection[str]]) -> str:
    return "; ".join(f"{state} ({_kinds(kinds)})" for state, kinds in where.items())


def _kinds(kinds: Collection[str]) -> str:
    return ", ".join(sorted(each.replace("_", "-") for each in kinds))
