"""The documents of verifications: how far one has come, and all that was seen in its rounds."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from services.status.views.view import View
from shared.events import Diagnostics, Evidence, ProbeRound

Soak = Literal["none", "not_begun", "watching", "passed", "failed"]


class VerificationProgress(View):
    """How far a verification has come."""

    verification: UUID = Field(description="Its id")
    step: str = Field(description="The step whose candidate it is about; empty: the run's stable URLs")
    asked_at: datetime = Field(description="When it was asked for")
    rounds_made: int = Field(0, description="How many rounds of probes there were")
    rounds_good: int = Field(0, description="In how many of them every probe passed")
    rounds_untold: int = Field(
        0,
        description="How many more there were that nobody told of: rounds so close together are told in part",
    )
    problem: str = Field("", description="What the last round lacked; empty: nothing, or there was none")
    soak_seconds: float = Field(
        0.0, description="How long it is watched once it met its criteria; 0: it is not"
    )
    soaks_until: datetime | None = Field(
        None, description="It met its criteria, and is or was watched until then"
    )
    soak_rounds_made: int = Field(0, description="How many rounds there were while it was watched")
    soak_rounds_good: int = Field(0, description="In how many of them every probe passed")
    last_round: int = Field(0, description="The number of the last round; 0: there was none")
    last_round_at: datetime | None = Field(None, description="When that was made")
    counted_since: datetime | None = Field(
        None,
        description="When that count of rounds began: a verifier that was away counts from 1 again",
    )


class VerificationView(VerificationProgress):
    """Whether something deployed was found good."""

    answered_at: datetime | None = Field(None, description="When there was an answer")
    passed: bool | None = Field(None, description="The answer; null: there is none yet")
    soak: Soak = Field(
        "none",
        description="How the watch goes that follows: none: nobody asked for one; not_begun: it has not met "
        "its criteria, or never did",
    )
    urls: tuple[str, ...] = Field((), description="What was asked for its answers")
    probes: int = Field(0, description="How many requests that took")
    rounds: tuple[ProbeRound, ...] = Field(
        (),
        description="What was seen round by round: the first and the last ones. A verifier that was away "
        "counts from 1 again; the times tell them apart",
    )
    rounds_left_out: int = Field(
        0, description="How many are left out: between those, or as nobody told of them"
    )
    evidence: Evidence | None = Field(None, description="What was observed instead")
    diagnostics: Diagnostics | None = Field(
        None, description="What was found on the target at that moment; the output is with the run's evidence"
    )


class VerificationStory(VerificationView):
    """A verification with far more of its rounds, and where it belongs."""

    run: UUID = Field(description="Its run")
    pipeline: str = Field(description="The pipeline")
    stage: str = Field(description="The stage")
    revision: int = Field(description="The revision that is verified")
