"""What failed, in one sentence."""

from collections.abc import Mapping

from shared.events.verification import FailureStage

_FAILED: Mapping[FailureStage, str] = {
    "clone": "The source could not be fetched",
    "detect": "What is in the repository could not be told",
    "auth": "A credential was refused or missing",
    "build": "The build failed",
    "publish": "What was built could not be published",
    "setup": "The step could not be prepared",
    "deploy": "The deployment failed",
    "rollout": "The release did not come up",
    "verify": "The release did not pass its verification",
    "rollback": "The rollback failed",
    "unknown": "Something failed",
}


def summary_of(stage: FailureStage, *, retryable: bool) -> str:
    """Return what failed, and whether the same again may help."""
    again = "trying again may help" if retryable else "trying again alone will not help"
    return f"{_FAILED[stage]}; {again}."
