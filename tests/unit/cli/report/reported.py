"""Files and problems for the report."""

from typing import Any

from services.cli.report.checked_file import CheckedFile
from shared.plan import Problem

SHOP = ".windlass/shop/pipeline.yaml"


def problem(**changes: Any) -> Problem:
    given = {"file": SHOP, "line": 2, "column": 3, "message": "there is no such key", "rule": "unknown-key"}
    return Problem(**{**given, **changes})


def checked(source: str, *problems: Problem, **changes: Any) -> CheckedFile:
    given = {"path": SHOP, "shown": SHOP, "pipeline": "shop"}
    return CheckedFile(**{**given, **changes}, source=source.encode(), problems=problems)
