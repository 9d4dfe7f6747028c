"""Compares what a transaction of the deployer knows with what it would read, after every write.

A difference is kept and told at the test's end: raised where it is found, it would be a message that the
bus delivers again.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

import pytest

from services.deployer.store import Known, Store

READS = {  # after which nothing can differ; whatever else a store does is looked at
    "artifacts",
    "bad_ends",
    "deploy_runs",
    "held_revisions",
    "last_begun",
    "last_run",
    "late_revisions",
    "lock",
    "open_runs",
    "past_runs",
    "revision",
    "revision_numbers",
    "run",
    "stages",
    "stages_before",
    "steps",
}


def watch(patch: pytest.MonkeyPatch) -> list[str]:
    """Have every write of every store followed by a look; returns what is found, as it is found."""
    found: list[str] = []
    for name, method in list(vars(Store).items()):
        if iscoroutinefunction(method) and not name.startswith("_") and name not in READS:
            patch.setattr(Store, name, _looked_at(name, method, found))
    return found


def _looked_at(
    name: str, write: Callable[..., Awaitable[Any]], found: list[str]
) -> Callable[..., Awaitable[Any]]:
    @wraps(write)
    async def looked_at(store: Store, *args: Any, **values: Any) -> Any:
        given = await write(store, *args, **values)
        found.extend(f"after {name}: {each}" for each in await differences(store))
        return given

    return looked_at


async def differences(store: Store) -> list[str]:
    """Return where what is known is not what is there."""
    known, fresh = store.known, Store(store.tx, Known(locked=store.known.locked))
    pairs: list[tuple[str, Any, Any]] = []
    for pipeline, stages in known.stages.items():
        pairs.append(("stages", list(stages), list(await fresh.stages(pipeline))))
    for pipeline, runs in known.open_runs.items():
        pairs.append(("open runs", list(runs), list(await fresh.open_runs(pipeline))))
    for run, steps in known.steps.items():
        pairs.append(("steps", dict(steps), dict(await fresh.steps(run))))
    for this, revision in known.revisions.items():
        pairs.append(("revision", revision, await fresh.revision(*this)))
    for this, artifacts in known.artifacts.items():
        pairs.append(("artifacts", dict(artifacts), dict(await fresh.artifacts(*this))))
    for this, moment in fresh.known.moments.items():
        pairs.append(("moment", known.moments.get(this, moment), moment))
    return [f"{what}: known {ours}, there {there}" for what, ours, there in pairs if ours != there]
