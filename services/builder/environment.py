"""The environment of a build: made from nothing, so that the builder's own never reaches it.

What a recipe sets is part of the artifact's identity; what is set here is the same for everybody,
but for the commit and the names it goes by.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.builder.build_run import BuildOrder

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# A build may run whatever it likes, but its recipe may not change what runs before its first
# command, impersonate Windlass, or have programs write outside the workspace.
_REFUSED_PREFIXES = ("LD_", "DYLD_", "GIT_", "WINDLASS_")
_REFUSED = frozenset(
    {"BASHOPTS", "BASH_ENV", "ENV", "HOME", "IFS", "PS4", "SHELLOPTS", "TEMP", "TMP", "TMPDIR"}
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the machine and the commit give to every build of it."""

    home: Path
    temporary: Path
    committed_at: datetime
    search_path: str = SEARCH_PATH


def refused_names(recipe: Mapping[str, str]) -> tuple[str, ...]:
    """Return, sorted, which variables a recipe may not set."""
    return tuple(sorted(name for name in recipe if _is_refused(name)))


def environment(order: BuildOrder, around: Surroundings) -> dict[str, str]:
    """Return every variable that the build's commands see."""
    return {
        "PATH": around.search_path,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "CI": "true",
        "SOURCE_DATE_EPOCH": str(max(0, int(around.committed_at.timestamp()))),
        **order.recipe.env,
        "HOME": str(around.home),
        "TMPDIR": str(around.temporary),
        "WINDLASS_COMMIT": order.commit,
        "WINDLASS_REVISION": str(order.revision),
        "WINDLASS_PIPELINE": order.pipeline,
        "WINDLASS_ARTIFACT": order.recipe.id,
    }


def _is_refused(name: str) -> bool:
    if not _NAME.fullmatch(name) or name in _REFUSED:
        return True
    return name.startswith(_REFUSED_PREFIXES)
