"""How far each branch and tag of a pipeline has come; until now each tracked one branch."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "marks",
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("commit", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("untouched", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("pipeline", "ref", name=op.f("pk_marks")),
    )
    op.execute(
        'INSERT INTO marks (pipeline, ref, "commit", revision, untouched) '
        "SELECT pipeline, 'refs/heads/' || tracks, newest_commit, newest_revision, false FROM pipelines"
    )


def downgrade() -> None:
    raise NotImplementedError("the way back is the copy of the data folder made before the upgrade")
