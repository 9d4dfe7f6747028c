"""What is different about a planned push, and what it would meet at a Windlass, for people. Pure."""

from collections.abc import Iterator, Sequence

from services.cli.output import harmless
from services.cli.queue_effects import QueueEffects
from services.cli.report.text import Palette
from services.cli.words import listed
from shared.language.change_words import as_written
from shared.language.destructive import RULES
from shared.language.difference import ApprovalNeeded, Change
from shared.language.shown_value import CUT

CHARACTERS_MAX = 100  # of one value
STAGES_NAMED_MAX = 4  # in one line
CHANGES_MAX = 200  # the rest is in --json


def cut(text: str) -> str:
    """Return as much of a text as a line has room for."""
    shown = harmless(text)
    return shown if len(shown) <= CHARACTERS_MAX else f"{shown[:CHARACTERS_MAX]}{CUT}"


def changes(found: Sequence[Change], approval: ApprovalNeeded | None, palette: Palette) -> Iterator[str]:
    """Yield the changes of the definition: those that are the same in several stages once.

    They are counted as wherever else they are told, in each stage.
    """
    if not found:
        yield f"{palette.place}Changes of the definition{palette.end}  none"
        return
    gathered = _gathered(found)
    destructive = sum(change.is_destructive for change in found)
    number = f"{len(found)}, of which {destructive} destructive" if destructive else f"{len(found)}"
    once = "; those that are the same in several stages are shown once" if len(gathered) < len(found) else ""
    yield f"{palette.place}Changes of the definition{palette.end}  {number}{once}"
    for change, stages in gathered[:CHANGES_MAX]:
        yield from _change(change, stages, palette)
    if len(gathered) > CHANGES_MAX:
        yield f"    and {len(gathered) - CHANGES_MAX} more, which --json lists"
    if approval:
        yield ""
        yield from _approval(approval, palette)


def _gathered(found: Sequence[Change]) -> list[tuple[Change, list[str]]]:
    """Return changes, each with the stages in which it is the same."""
    kept: dict[tuple[object, ...], tuple[Change, list[str]]] = {}
    for change in found:
        in_stage = change.path[0] == "stages" and len(change.path) > 2
        place = change.path[2:] if in_stage else change.path
        key = (in_stage, place, change.kind, change.old, change.new, change.rule)
        stages = kept.setdefault(key, (change, []))[1]
        stages += [change.path[1]] if in_stage else []
    return list(kept.values())


def _change(change: Change, stages: Sequence[str], palette: Palette) -> Iterator[str]:
    mark = f"{palette.error}!{palette.end}" if change.is_destructive else " "
    change = as_written(change)
    thing = change.thing.partition(" · ")[2] if len(stages) > 1 else change.thing
    where = f"{_named(stages)} · {thing}" if len(stages) > 1 else thing
    yield f"  {mark} {harmless(where)}: {_what(change)}"
    if change.rule:
        yield f"      {palette.error}{change.rule}{palette.end}: {RULES[change.rule]}"


def _named(stages: Sequence[str]) -> str:
    more = len(stages) - STAGES_NAMED_MAX
    return f"stages {', '.join(stages[:STAGES_NAMED_MAX])}" + (f" and {more} more" if more > 0 else "")


def _what(change: Change) -> str:
    old, new = cut(change.old) or "none", cut(change.new) or "none"
    match change.kind:
        case "added":
            return f"added, {new}"
        case "removed":
            return f"removed, was {old}"
    return f"{old} -> {new}"


def _approval(needed: ApprovalNeeded, palette: Palette) -> Iterator[str]:
    number = len(needed.changes) + needed.further
    because = "any change" if needed.mode == "ALWAYS" else "destructive changes"
    yield (
        f"{palette.warning}Approval needed{palette.end}  {because} of the definition must be approved "
        f"({needed.mode}), and there {'is 1' if number == 1 else f'are {number}'}"
    )


def effects(queue: QueueEffects, palette: Palette) -> Iterator[str]:
    """Yield what the push would meet."""
    if queue.contained_in is not None:
        yield (
            f"  {palette.warning}Skipped:{palette.end} revision {queue.contained_in} has this commit already."
        )
    else:
        yield f"  It would be revision {queue.revision}."
    for note in queue.notes:
        yield f"  {harmless(note)}"
    for stage in () if queue.contained_in is not None else queue.stages:
        yield f"  {palette.place}{harmless(stage.stage)}{palette.end} is {harmless(stage.status)} now"
        for sentence in stage.waits_for:
            yield f"    {harmless(sentence)}"
        if stage.supersedes:
            still = "that still waits" if len(stage.supersedes) == 1 else "those still wait"
            yield f"    It would supersede {listed(stage.supersedes)}, if {still}."
        if stage.held:
            yield f"    Kept out of it: {listed(stage.held)}; this one goes past."
