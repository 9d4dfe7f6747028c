"""Failures as rules write them down: an example of what they name, and what only looks like it."""

from datetime import UTC, datetime
from typing import Any

from shared.diagnosis.evidence import Case, Kind, Phase, clean_lines
from shared.events import Diagnostics, ProbeFault, ProbeResult

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def failed(phase: Phase, log: str = "", kind: Kind = "process", **facts: Any) -> Case:
    """Return the case of a failure in that phase, whose program printed that; `facts` are the case's own."""
    return Case(phase, kind, clean_lines(log.splitlines()), **facts)


def probed(fault: ProbeFault, status: int | None = None, log: str = "", **facts: Any) -> Case:
    """Return the case of a verification whose probe had that fault, of a service that had said that."""
    url = facts.pop("url", "http://127.0.0.1:41000/health")
    seen = ProbeResult(at=AT, url=url, passed=False, status=status, fault=fault, problem="did not pass")
    return failed("verify", log, "probe", **{"probes": (seen,), **facts})


def found(*listening: str, **facts: Any) -> Diagnostics:
    """Return what was found on the target: a process that runs and takes connections there."""
    return Diagnostics.model_validate({"at": AT, "process": "running", "listening": listening, **facts})
