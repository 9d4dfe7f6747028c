"""What is probed: a service, where it is, and when it counts as good."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator

from shared.events.evidence import Fact
from shared.plan import CommandCheck, Criteria, PathCheck, ReleaseMarker

_PARTS: dict[str, type[BaseModel]] = {
    "paths": PathCheck,
    "commands": CommandCheck,
    "release": ReleaseMarker,
}


def _as_known(said: Any, model: type[BaseModel] = Criteria) -> Any:
    """Return what is known here of what a newer release says: a pipeline's file is held to more than that."""
    if isinstance(said, list | tuple):
        return [_as_known(each, model) for each in said]
    if not isinstance(said, dict):
        return said
    known = {name: value for name, value in said.items() if name in model.model_fields}
    parts = _PARTS if model is Criteria else {}
    return {name: _as_known(value, parts[name]) if name in parts else value for name, value in known.items()}


class LocalPlace(Fact):
    """Where a release's processes and files are, on the machine that it is deployed to."""

    lives: str  # the folder of its processes, each in a folder called by its number; empty: it has none
    files: str  # its unpacked artifact


class ProbeTarget(Fact):
    """One service to probe."""

    service: str
    base_url: str
    criteria: Annotated[Criteria, BeforeValidator(_as_known)]
    release: str = ""  # expected in the Windlass-Release header; empty: no marker is asked for
    commit: str = ""  # that is deployed: what the service's own marker must say, unless said otherwise
    place: LocalPlace | None = None  # where to look beside asking; None: nobody can look there
