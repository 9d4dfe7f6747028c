"""Rules about a run as a whole, over whatever its evidence says: a rollback that failed, or had nothing
to go back to. They have no lines of their own; what failed inside is told with them.
"""

from dataclasses import dataclass

from shared.diagnosis.evidence import Setting
from shared.events.verification import FailureCode

STATUS = "windlass status {pipeline}"
HISTORY = "windlass history {pipeline}"
BACK = "windlass rollback {pipeline} {stage} --to REVISION --reason WHY"
FORWARD = "windlass roll-forward {pipeline} {stage} --reason WHY"


@dataclass(frozen=True, slots=True)
class RollbackRule:
    """One way in which going back did not work."""

    name: str
    code: FailureCode
    cause: str
    check: tuple[str, ...]
    commands: tuple[str, ...]
    done_when: str


AUTOMATIC_FAILED = RollbackRule(
    "automatic_rollback_failed",
    "AUTOMATIC_ROLLBACK_FAILED",
    "The earlier revision could not be restored.",
    (
        "What serves now may be the failed revision, or nothing: look at the stage before anything else.",
        "Whether the earlier revision needs what is not there any more, such as a table or a secret.",
    ),
    (STATUS, BACK, FORWARD),
    "The stage shows a revision as running and its health as healthy.",
)
NO_CANDIDATE = RollbackRule(
    "no_rollback_candidate",
    "AUTOMATIC_ROLLBACK_NO_CANDIDATE",
    "It should have been rolled back, and no earlier revision was ever good here.",
    (
        "The stage has no revision that succeeded and is not held: the failed one is still in place.",
        "Whether one that would do is held, and may be let in again.",
    ),
    (STATUS, HISTORY),
    "A new revision that mends the cause has succeeded in this stage.",
)
MANUAL_FAILED = RollbackRule(
    "manual_rollback_failed",
    "MANUAL_ROLLBACK_FAILED",
    "The revision that a person asked to go back to could not be restored.",
    (
        "What serves now: the revision that was to be left may still be there.",
        "Whether another revision that succeeded here would do.",
    ),
    (STATUS, HISTORY, BACK),
    "A rollback to a revision that was good here has ended Rolled Back.",
)
ROLLBACK_RULES = (AUTOMATIC_FAILED, NO_CANDIDATE, MANUAL_FAILED)


def rollback_rule(setting: Setting) -> RollbackRule | None:
    """Return what the run's failure is as a rollback's; None: it has nothing to do with one."""
    if setting.kind == "rollback":
        return MANUAL_FAILED if setting.asked_by else AUTOMATIC_FAILED
    return NO_CANDIDATE if setting.no_candidate else None
