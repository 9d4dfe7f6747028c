"""What follows from a failure, and how that is said. Pure.

The deployer decides what follows; here it is told to people, in the same words wherever they look.
"""

from dataclasses import dataclass

from services.status.views import Ended, StageView

BROUGHT_BACK = "rollback"  # the kind of a run that is never undone itself


@dataclass(frozen=True, slots=True)
class Aftermath:
    """One thing that may follow."""

    name: str
    when: str  # when it does, in a sentence
    then: str  # what happens, in a sentence
    told: str  # the sentence wherever a failure is shown


ATTEMPTED_AGAIN = Aftermath(
    "attempted again",
    "An attempt of a step, or of a build, failed in a way that may pass by itself (its code is retryable), "
    "and attempts are left.",
    "It is attempted again in the same run, after a pause that doubles each time up to its limit. Nothing "
    "else of the stage changes meanwhile.",
    "It is attempted again by itself.",
)
ROLLED_BACK = Aftermath(
    "rolled back",
    "The release did not come up or was not found good, before it had its address or while it was watched "
    "after that (soak); or the run ended badly after one of its services had been switched; or an alarm "
    "ended it. And an earlier revision succeeded here that is not on hold.",
    "A run of that earlier revision takes the stage over, with the artifacts and the plan that it had then.",
    "The stage goes back by itself to the revision that was good here before.",
)
ON_HOLD = Aftermath(
    "put on hold",
    "The revision was rolled back from.",
    "It does not return to the stage by itself. A newer revision goes past it; a person may release it.",
    "It is on hold here: a newer revision goes past it, and it does not return by itself.",
)
NO_CANDIDATE = Aftermath(
    "nothing to roll back to",
    "The stage should be rolled back, and no other revision that may run here has ever succeeded here.",
    "What is there stays there, and a person is waited for.",
    "There was no revision to roll back to. It waits for a person, or for a newer revision.",
)
ROLLBACK_FAILED = Aftermath(
    "a rollback failed",
    "The run that failed was a rollback.",
    "It is not undone by another: what is live is not certain, and a person is waited for.",
    "A rollback is not rolled back: it waits for a person.",
)
WAITS = Aftermath(
    "waits for a person",
    "Anything else: a build, a script or a check failed before any release was changed, or a person ended "
    "the run.",
    "What was live stays live. The next revision goes on as usual; this one comes again only if a person "
    "retries it.",
    "It waits for a person, or for a newer revision.",
)

AFTERMATHS: tuple[Aftermath, ...] = (
    ATTEMPTED_AGAIN, ROLLED_BACK, ON_HOLD, NO_CANDIDATE, ROLLBACK_FAILED, WAITS,
)  # fmt: skip


def of_run(kind: str, rollback: str) -> Aftermath:
    """Return what follows from a run's bad end, as far as the run itself says."""
    if rollback == "started":
        return ROLLED_BACK
    if rollback == "no_candidate":
        return NO_CANDIDATE
    return ROLLBACK_FAILED if kind == BROUGHT_BACK else WAITS


def of_stage(stage: StageView, ended: Ended) -> Aftermath:
    """Return what follows from a run's bad end, as the stage stands now."""
    found = of_run(ended.kind, ended.rollback)
    is_held = any(hold.revision == ended.revision for hold in stage.holds)
    return ON_HOLD if is_held and found in (WAITS, ROLLED_BACK) else found
