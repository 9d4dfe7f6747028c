"""`python -m deploy.migrations NUMBER MESSAGE` writes a revision for what the tables have and the schema
has not; read it before it is committed.
"""

import sys

from deploy.migrations.alembic_run import new_revision

if __name__ == "__main__":
    new_revision(number=sys.argv[1], message=" ".join(sys.argv[2:]))
