"""A step's process outlives its worker (DESIGN 4): start, observe, wait, output, stop, by folder.

`Processes` is the seam, `LocalProcesses` the machine, `FakeProcesses` (in `fakes.py`) the tests' host.
What a process is for, and what follows from its end, is not known here.
"""

from shared.process.attempt import (
    GRACE_SECONDS,
    OUTPUT_BYTES_MAX,
    Absent,
    Exit,
    Exited,
    ExitReason,
    Lost,
    Observation,
    ProcessSpec,
    Running,
)
from shared.process.output import Batch
from shared.process.processes import LocalProcesses, Processes

__all__ = [
    "GRACE_SECONDS",
    "OUTPUT_BYTES_MAX",
    "Absent",
    "Batch",
    "Exit",
    "ExitReason",
    "Exited",
    "LocalProcesses",
    "Lost",
    "Observation",
    "ProcessSpec",
    "Processes",
    "Running",
]
