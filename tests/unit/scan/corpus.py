"""Small repositories, one YAML file each: what lies in them and exactly what a scan says of them.

`files` maps paths to contents; `scan` is the answer with everything left out that is empty. A fact's
evidence stands beside it under `because`.
"""

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import yaml

from shared.scan import Caution, MemoryTree, Scan, Service, scan

TREES = Path(__file__).parent / "trees"
NAME = "repo"  # what every one of the repositories is called


def names() -> list[str]:
    """Return the names of all trees."""
    return sorted(path.stem for path in TREES.glob("*.yaml"))


def load(name: str) -> dict[str, Any]:
    """Return one tree and what is expected of it."""
    text = (TREES / f"{name}.yaml").read_text(encoding="utf-8")
    loaded = yaml.load(text, Loader=yaml.CSafeLoader)
    assert isinstance(loaded, dict)
    return loaded


def scanned(files: dict[str, Any]) -> Scan:
    """Scan a tree; a file without content is an empty one."""
    return scan(MemoryTree({path: content or "" for path, content in files.items()}), NAME)


def told(found: Scan) -> dict[str, Any]:
    """Return a scan as the corpus writes it."""
    answer: dict[str, Any] = {"shape": found.shape}
    if found.services:
        answer["services"] = [_service(service) for service in found.services]
    if found.left_out:
        answer["left_out"] = [
            f"{each.name} in {each.root} ({each.file}): {each.reason}" for each in found.left_out
        ]
    if found.warnings:
        answer["warnings"] = [_caution(each) for each in found.warnings]
    if not found.complete:
        answer["complete"] = False
    return answer


def _service(service: Service) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for each in fields(Service):
        value = getattr(service, each.name)
        is_default = each.default is not MISSING and value == each.default
        if each.name != "evidence" and not is_default:
            shown[each.name] = list(value) if isinstance(value, tuple) else value
    shown["because"] = {each.fact: str(each) for each in service.evidence}
    return shown


def _caution(caution: Caution) -> str:
    about = f" {caution.service}:" if caution.service else ""
    hint = f" -> {caution.hint}" if caution.hint else ""
    return f"{caution.severity} {caution.rule}:{about} {caution.message}{hint}"
