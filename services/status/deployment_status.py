"""How a stage is doing, in one word: the one place where that is decided. Pure.

The rows are asked in order and the first that holds answers. What people did and what runs now come before
what was deployed, and how the services do is asked last: a stage whose last run failed stays `failed` though
what was there before answers well, and one that is stopped stays `paused`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from services.status.views import DeploymentStatus, ServiceHealth, StageView
from shared.events import Health

FAILED = frozenset({"Failed", "Timed Out"})  # states of the last run here
WORST_FIRST: tuple[Health, ...] = ("unreachable", "degraded", "unknown", "healthy")


@dataclass(frozen=True, slots=True)
class Row:
    """When a stage has a status."""

    condition: str  # its name
    holds: Callable[[StageView], bool]
    status: DeploymentStatus
    meaning: str  # in a sentence, for people


def worst(healths: Iterable[ServiceHealth]) -> Health | None:
    """Return the health of the service that does worst; None: there is none."""
    return min((each.health for each in healths), key=WORST_FIRST.index, default=None)


def _is_held(stage: StageView) -> bool:
    return stage.running is not None


def _is_stopped(stage: StageView) -> bool:
    return bool(stage.stops)


def _failed_last(stage: StageView) -> bool:
    return stage.last is not None and stage.last.state in FAILED


def _has_nothing(stage: StageView) -> bool:
    return stage.live is None


def _is_unreachable(stage: StageView) -> bool:
    return worst(stage.health) == "unreachable"


def _is_degraded(stage: StageView) -> bool:
    return worst(stage.health) == "degraded"


def _is_live(stage: StageView) -> bool:
    return stage.live is not None


ROWS: tuple[Row, ...] = (
    Row(
        "a run holds the stage",
        _is_held,
        "deploying",
        "A run works here now. Whatever else is so, this is told until it ends.",
    ),
    Row(
        "somebody stopped it",
        _is_stopped,
        "paused",
        "A person stopped the stage, or the whole pipeline: nothing begins here until somebody resumes it. "
        "What is live stays live, and may be doing badly: the services tell.",
    ),
    Row(
        "its last run failed",
        _failed_last,
        "failed",
        "The last run that held the stage Failed or Timed Out, and nothing has been put in its place since. "
        "What was live before may still answer, and well.",
    ),
    Row(
        "nothing was deployed",
        _has_nothing,
        "pending",
        "No run has succeeded here yet.",
    ),
    Row(
        "a service is unreachable",
        _is_unreachable,
        "unreachable",
        "What is live was deployed well, and at least one of its services does not answer now.",
    ),
    Row(
        "a service is degraded",
        _is_degraded,
        "degraded",
        "What is live was deployed well, all of its services answer, and at least one not as it should.",
    ),
    Row(
        "something is live",
        _is_live,
        "running",
        "What the last run brought is live, and no service is known to do badly.",
    ),
)


def row_of(stage: StageView) -> Row:
    """Return the row that decides."""
    return next(row for row in ROWS if row.holds(stage))


def judged(stage: StageView) -> StageView:
    """Return the stage with the status that follows from the rest of it."""
    status = row_of(stage).status
    return stage if stage.status == status else stage.model_copy(update={"status": status})
