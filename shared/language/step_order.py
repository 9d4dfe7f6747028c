"""In which order steps go: what each waits for, with cycles found and skipped steps bridged. Pure."""

from collections.abc import Collection, Mapping, Sequence

Edges = Mapping[str, Sequence[str]]  # step -> the steps it goes after


def find_cycle(edges: Edges) -> list[str]:
    """Return steps that wait for each other in a circle, the first one again at the end; or none."""
    remaining = {step: list(after) for step, after in edges.items()}
    for step in in_order(edges):
        del remaining[step]
    if not remaining:
        return []
    walked: list[str] = []
    step = next(iter(remaining))
    while step not in walked:
        walked.append(step)
        step = next(after for after in remaining[step] if after in remaining)
    return [*walked[walked.index(step) :], step]


def in_order(edges: Edges) -> list[str]:
    """Return the steps so that each comes after what it waits for, else as they are listed.

    Steps in a cycle, or behind one, are left out.
    """
    ordered: dict[str, None] = {}
    waiting = list(edges)
    while ready := next((step for step in waiting if _is_free(edges[step], ordered)), None):
        ordered[ready] = None
        waiting.remove(ready)
    return list(ordered)


def without_skipped(edges: Edges, skipped: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the edges with skipped steps bridged: who went after one goes after what it went after.

    Without that, leaving out the middle one of three would let the last start beside the first.
    """
    bridged: dict[str, tuple[str, ...]] = {}
    for step in in_order(edges):
        after: dict[str, None] = {}
        for earlier in edges[step]:
            after.update(dict.fromkeys(bridged[earlier] if earlier in skipped else (earlier,)))
        bridged[step] = tuple(after)
    return bridged


def _is_free(after: Sequence[str], done: Collection[str]) -> bool:
    return all(earlier in done for earlier in after)
