"""Steps that hold a run until a person, a time or a test lets it go on."""

from typing import Annotated, Literal, Self

from pydantic import Field, Strict, model_validator

from shared.placeholder import MAY_BE_LATE, MAY_COME_LATE
from shared.step_types.params import (
    MINUTES_MAX,
    OURS,
    Env,
    Flag,
    Minutes,
    Params,
    PathInside,
    Text,
    Texts,
    is_late,
    refusal,
)
from shared.step_types.step_type import ANYWHERE, StepType

APPROVAL_HOURS_MAX = 30 * 24
TEST_MINUTES_MAX = 24 * 60  # as of any step that runs something
SPARE_SECONDS = 3600.0  # of a step's time after the longest wait: what waits says itself when it is over


class ApprovalManual(Params):
    """APPROVAL:MANUAL: waits for people to approve; one who rejects fails the run."""

    message: Text = Field(
        default="", description="What is asked, in the words of the team", examples=["Is the campaign live?"]
    )
    approvers: Texts = Field(
        default=(),
        description="Who may approve; empty: whoever may act on the stage",
        examples=[["alice", "bob"]],
    )
    approvals: Annotated[int, Strict(), Field(ge=1, le=20), MAY_COME_LATE] = Field(
        default=1, description="How many different people must"
    )
    self_approval: Flag = Field(
        default=True, description="Whether the person counts whose push or request is deployed"
    )
    expires_after_hours: Annotated[int, Strict(), Field(ge=1, le=APPROVAL_HOURS_MAX), MAY_COME_LATE] = Field(
        default=7 * 24, description="After which the run fails unanswered"
    )

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if is_late(self.approvers) or is_late(self.approvals) or not self.approvers:
            return self
        if len(self.approvers) < self.approvals:
            raise refusal(f"need {self.approvals} approvals and name fewer approvers")
        return self


class ApprovalBake(Params):
    """APPROVAL:BAKE: waits; a person may end it early, or reject and so fail the run."""

    duration_minutes: Minutes = Field(description="How long", examples=[30])


class ApprovalTest(Params):
    """APPROVAL:TEST: runs a command; unless it ends with 0, a person must decide.

    The command runs in a checkout of the commit that is deployed. `exit_code` is always an output, and empty
    if something else ended the command; the numbers of tests are outputs too when `results` names reports
    that it wrote, or when jest printed its summary. What reports say never overrules the exit code.
    """

    testCommand: Annotated[str, Strict(), Field(min_length=1)] = Field(  # noqa: N815 - as DevRamps writes it
        description="Shell line", examples=["npm run smoke"]
    )
    timeout: Annotated[int, Strict(), Field(ge=1, le=TEST_MINUTES_MAX)] = Field(
        default=30, description="Minutes after which the command is ended and has failed"
    )
    workingDirectory: PathInside = Field(  # noqa: N815
        default="", description="Folder of the repository that it runs in; empty: its top", examples=["./web"]
    )
    environmentVariables: Env = Field(  # noqa: N815
        default_factory=dict,
        description="Environment variables",
        examples=[{"BASE_URL": "https://${{ vars.api_host }}"}],
    )
    testType: Annotated[Literal["generic", "jest"], MAY_BE_LATE] = Field(  # noqa: N815
        default="generic", description="Whose printed summary is read; generic: nobody's"
    )
    results: PathInside = Field(
        default="",
        description="JUnit reports that the command writes, from the top of the repository; "
        "`*` stands for any name, `**` for any folders",
        examples=["web/reports/*.xml"],
        json_schema_extra=OURS,
    )
    expires_after_hours: Annotated[int, Strict(), Field(ge=1, le=APPROVAL_HOURS_MAX), MAY_COME_LATE] = Field(
        default=7 * 24,
        description="After which a failed test that nobody decided about fails the run",
        json_schema_extra=OURS,
    )


TYPES = (
    StepType(
        name="APPROVAL:MANUAL",
        carried_out=True,
        params=ApprovalManual,
        outputs=("approved_by", "comment"),
        timeout_seconds=APPROVAL_HOURS_MAX * 3600 + SPARE_SECONDS,
        targets=ANYWHERE,
        on_rollback="skip",
        summary="Waits until people approve.",
        example="""\
name: Go live
type: APPROVAL:MANUAL
params:
  message: Has support been told?
  approvers: [alice, bob, carol]
  approvals: 2
  expires_after_hours: 48
""",
    ),
    StepType(
        name="APPROVAL:BAKE",
        carried_out=True,
        params=ApprovalBake,
        outputs=(),
        timeout_seconds=MINUTES_MAX * 60 + SPARE_SECONDS,
        targets=ANYWHERE,
        on_rollback="skip",
        summary="Waits for a time before the run goes on.",
        example="""\
name: Soak
type: APPROVAL:BAKE
params:
  duration_minutes: 30
""",
    ),
    StepType(
        name="APPROVAL:TEST",
        carried_out=True,
        params=ApprovalTest,
        outputs=("exit_code", "tests_passed", "tests_failed", "tests_skipped"),
        timeout_seconds=1800.0,
        limit_param="timeout",
        targets=ANYWHERE,
        on_rollback="skip",
        summary="Runs a test command; a person decides if it fails.",
        example="""\
name: Smoke
type: APPROVAL:TEST
params:
  testCommand: npm run smoke
  testType: jest
  workingDirectory: ./web
  timeout: 10
""",
    ),
)
