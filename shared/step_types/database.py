"""Steps on databases."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.placeholder import MAY_BE_LATE
from shared.step_types.params import Env, Params, PathInside, Script, Text, refusal
from shared.step_types.step_type import ANYWHERE, StepType

Tool = Literal[
    "auto", "alembic", "django", "flyway", "golang-migrate", "knex", "liquibase", "prisma", "rails", "sqlx"
]


class DatabaseMigrate(Params):
    """DATABASE:MIGRATE: runs a migration tool to its end.

    Without parameters: the tool whose files are found at the top of the repository, with what the
    environment says of the database.

    Takes `commands` only without `tool` and `to`.
    """

    tool: Annotated[Tool, MAY_BE_LATE] = Field(
        default="auto", description="Which tool; auto: the one whose files are in the directory"
    )
    commands: Script = Field(
        default=(), description="Shell lines instead of a tool, run by `sh -eu`", examples=["./migrate.sh up"]
    )
    artifact: Text = Field(
        default="", description="Bundle with the migrations; empty: the repository at the revision"
    )
    directory: PathInside = Field(
        default="", description="Folder of it with the tool's files; empty: its top", examples=["db"]
    )
    database_url: Text = Field(
        default="",
        description="Where the database is; handed over as DATABASE_URL",
        examples=['${{ stage_secret("DATABASE_URL") }}'],
    )
    env: Env = Field(default_factory=dict, description="Environment variables")
    to: Text = Field(
        default="",
        description="Migration to stop at, in the tool's words; empty: the newest",
        examples=["0042"],
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.commands and self.tool != "auto":
            raise refusal("cannot have both tool and commands")
        if self.commands and self.to:
            raise refusal("cannot have both to and commands: the commands say it themselves")
        return self


TYPES = (
    StepType(
        name="DATABASE:MIGRATE",
        artifact_kind="bundle",
        params=DatabaseMigrate,
        outputs=(),
        timeout_seconds=1800.0,
        targets=ANYWHERE,
        on_rollback="skip",
        summary="Brings a database's schema up to date with a migration tool.",
        example="""\
name: Schema
type: DATABASE:MIGRATE
params:
  tool: alembic
  directory: server
  database_url: ${{ stage_secret("DATABASE_URL") }}
""",
    ),
)
