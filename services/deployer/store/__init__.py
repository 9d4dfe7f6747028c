"""The deployer's SQL: what is written as it decides, and what it decides from."""

from services.deployer.store.definitions import DefinitionStore
from services.deployer.store.gates import GateStore
from services.deployer.store.known import ArtifactRecord, Known, Revision
from services.deployer.store.pipeline import (
    Store,
    lock_pipeline,
    lock_pipelines,
    next_deadline,
    pipelines_at_work,
    read_active_steps,
    read_artifacts,
    read_revision,
    read_run,
    read_steps,
)
from services.deployer.store.statements import PAST_RUNS_MAX
from services.deployer.store.whereabouts import WhereaboutsStore

__all__ = [
    "PAST_RUNS_MAX",
    "ArtifactRecord",
    "DefinitionStore",
    "GateStore",
    "Known",
    "Revision",
    "Store",
    "WhereaboutsStore",
    "lock_pipeline",
    "lock_pipelines",
    "next_deadline",
    "pipelines_at_work",
    "read_active_steps",
    "read_artifacts",
    "read_revision",
    "read_run",
    "read_steps",
]
