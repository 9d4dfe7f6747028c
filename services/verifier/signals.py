"""What a target tells of a service beside its answers: values between judging and looking.

Whoever judges knows no target. On ECS `wanted` is the service's desired count, `running` its running count
less the targets that its target group calls unhealthy, and `restarts` the tasks that were replaced.
"""

from dataclasses import dataclass
from typing import Literal

Process = Literal["running", "exited", "lost", "absent"]


@dataclass(frozen=True, slots=True)
class Signals:
    """How a service's processes are doing at a moment."""

    process: Process  # the latest one
    restarts: int = 0  # processes of this release that were started after the first
    wanted: int = 1  # how many should run
    running: int = 1  # how many do
    message: str = ""  # why fewer do, in a sentence: "exited with 3", "was ended by SIGKILL"
