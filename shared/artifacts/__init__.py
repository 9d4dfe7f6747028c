"""Artifacts as bytes: one archive format and the store that keeps archives by digest.

A contract between the builder, which packs and puts, and the deployer, which unpacks. Knows
nothing of builds, recipes or stages.
"""

from shared.artifacts.archive import LIMITS, Limits
from shared.artifacts.artifact_store import (
    ArtifactStore,
    Corrupted,
    LocalArtifactStore,
    Missing,
    Stored,
)
from shared.artifacts.fakes import FakeArtifactStore

__all__ = [
    "LIMITS",
    "ArtifactStore",
    "Corrupted",
    "FakeArtifactStore",
    "Limits",
    "LocalArtifactStore",
    "Missing",
    "Stored",
]
