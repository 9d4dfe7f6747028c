"""Names for things, and how an id follows from what caused it.

Nothing but the ingest of a new cause (a delivery, an operation) makes a random id; everything
after it derives its id, so that doing it twice gives the same id (DESIGN 3).
"""

from typing import NewType
from uuid import UUID, uuid5

Repository = NewType("Repository", str)  # "acme/shop": as the forge calls it, or a folder's name
Pipeline = NewType("Pipeline", str)  # the slug, unique in an installation: the folder in .windlass/
Stage = NewType("Stage", str)  # the stage's name inside its pipeline
Commit = NewType("Commit", str)  # 40 (or 64) lower-case hex digits
Run = NewType("Run", UUID)
Step = NewType("Step", str)  # a step's id inside its pipeline
BuildKey = NewType("BuildKey", str)  # sha256 hex of everything that goes into an artifact
Digest = NewType("Digest", str)  # "sha256:<hex>" of an artifact's bytes

WHOLE = "*"  # in place of a stage: all that the pipeline has and will have; no stage can be called so


def derive(cause: UUID, role: str) -> UUID:
    """Return the id of what `cause` brings about in `role`; equal arguments, equal id."""
    return uuid5(cause, role)


def stage_key(pipeline: str, stage: str) -> str:
    """Return the key under which everything about a stage is ordered."""
    return f"{pipeline}/{stage}"
