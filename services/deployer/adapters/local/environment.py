"""The environment of a step's process: made from nothing, so that Windlass's own never reaches it."""

import re
from collections.abc import Mapping
from pathlib import Path

from services.deployer.step_order import StepOrder
from shared.faults import Refused

# A step may run whatever it likes, but not have other code run before its own, nor impersonate us.
_REFUSED_PREFIXES = ("LD_", "DYLD_", "GIT_", "WINDLASS_")
_REFUSED = frozenset({"BASHOPTS", "BASH_ENV", "ENV", "HOST", "IFS", "PORT", "PS4", "SHELLOPTS"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def environment(order: StepOrder, own: Mapping[str, str], search_path: str, home: Path) -> dict[str, str]:
    """Return every variable that the step's process sees, `own` being those its parameters set.

    Raises `Refused` for what a step may not set.
    """
    refused = sorted(name for name in own if _is_refused(name))
    if refused:
        raise Refused(f"the step sets {', '.join(refused)}, which a step may not set")
    return {
        "PATH": search_path,
        "LANG": "C.UTF-8",
        "HOME": str(home),
        **own,
        "WINDLASS_RELEASE": order.release,
        "WINDLASS_REVISION": str(order.revision),
        "WINDLASS_COMMIT": order.commit,
        "WINDLASS_BRANCH": order.branch,
        "WINDLASS_TAG": order.tag,
        "WINDLASS_PIPELINE": order.pipeline,
        "WINDLASS_STAGE": order.stage,
        "WINDLASS_STEP": order.step.id,
        "WINDLASS_ATTEMPT": str(order.attempt),
    }


def _is_refused(name: str) -> bool:
    if not _NAME.fullmatch(name) or name in _REFUSED:
        return True
    return name.startswith(_REFUSED_PREFIXES)
