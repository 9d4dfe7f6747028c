<% lines = [line for line in upgrades.splitlines() if "# ###" not in line] %>\
"""${message}"""

import sqlalchemy as sa
from alembic import op

${imports if imports else ""}
revision = "${up_revision}"
down_revision = ${f'"{down_revision}"' if down_revision else None}
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915 - a list, read once
    ${"\n".join(lines).strip() or "pass"}


def downgrade() -> None:
    raise NotImplementedError("the way back is the copy of the data folder made before the upgrade")
