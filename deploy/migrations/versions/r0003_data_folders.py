"""Which data folder a service's processes live in."""

import sqlalchemy as sa
from alembic import op

from shared.db import INSTANT

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "data_folders",
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("noted_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("service", name=op.f("pk_data_folders")),
    )


def downgrade() -> None:
    raise NotImplementedError("the way back is the copy of the data folder made before the upgrade")
