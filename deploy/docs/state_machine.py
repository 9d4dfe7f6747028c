"""A state machine's page: diagram and table, from its `TRANSITIONS` and `IGNORED`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deploy.docs.remarks import members


@dataclass(frozen=True, slots=True)
class Machine:
    """What a page needs to know of one state machine; its states and triggers are enums of any kind."""

    title: str
    initial: StrEnum
    transitions: Mapping[Any, Mapping[Any, StrEnum]]
    ignored: Mapping[Any, Collection[Any]]


def page(machines: Sequence[Machine]) -> str:
    """Return one page with all of them."""
    head = "# State machines\n\nWritten by `make docs` from the transition tables; do not edit.\n"
    return "\n".join([head, *(_section(machine) for machine in machines)])


def _section(machine: Machine) -> str:
    parts = (f"## {machine.title}\n", _diagram(machine), _states(machine), _moves(machine))
    return "\n".join(parts)


def _diagram(machine: Machine) -> str:
    names = [f'    state "{state}" as {state.name}' for state in machine.transitions]
    moves = [
        f"    {state.name} --> {target.name}: {trigger}"
        for state, row in machine.transitions.items()
        for trigger, target in row.items()
    ]
    ends = [f"    {state.name} --> [*]" for state, row in machine.transitions.items() if not row]
    lines = [*names, f"    [*] --> {machine.initial.name}", *moves, *ends]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```", ""])


def _states(machine: Machine) -> str:
    remarks = {member.name: member.remark for member in members(type(machine.initial))}
    rows = [
        f"| {state} | {'no' if row else 'yes'} | {remarks.get(state.name, '')} |"
        for state, row in machine.transitions.items()
    ]
    return "\n".join(["| State | Final | Meaning |", "|---|---|---|", *rows, ""])


def _moves(machine: Machine) -> str:
    moves = [
        f"| {state} | {trigger} | {target} |"
        for state, row in machine.transitions.items()
        for trigger, target in row.items()
    ]
    ignored = [
        f"| {state} | {trigger} | *ignored* |"
        for state, triggers in machine.ignored.items()
        for trigger in sorted(triggers)
    ]
    note = "\nEvery other pair is a bug: its message goes to the dead letters.\n"
    return "\n".join(["| In | When | Becomes |", "|---|---|---|", *moves, *ignored, note])
