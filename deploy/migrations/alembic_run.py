"""Alembic as a library: it reads no file but the revisions, and configures no logs."""

import sys
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import services
from deploy.migrations import FOLDER
from shared.db import metadata


def import_tables() -> None:
    """Load every module that puts tables into the metadata."""
    for module in ("shared.access", "shared.db.tables"):
        import_module(module)
    for package in iter_modules(services.__path__, "services."):
        if package.ispkg and find_spec(f"{package.name}.tables"):
            import_module(f"{package.name}.tables")


def revisions() -> list[str]:
    """Return all revisions there are, oldest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


def heads() -> list[str]:
    """Return the newest revision, or more than one if somebody branched."""
    return list(ScriptDirectory.from_config(_config()).get_heads())


def upgrade(connection: sa.Connection, to: str = "head") -> None:
    """Apply what is missing, in the transaction that is open."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def new_revision(number: str, message: str) -> None:
    """Write the revision that leads from the newest one to the tables as they are in the code.

    It wants `ruff format` and a reader afterwards.
    """
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    with engine.begin() as connection:
        upgrade(connection)
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.revision(config, message, autogenerate=True, rev_id=number)


def differences(connection: sa.Connection) -> list[object]:
    """Return what an up-to-date database lacks of the tables in the code, or has too much."""
    import_tables()
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def _config() -> Config:
    config = Config(stdout=sys.stderr)
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("file_template", "r%%(rev)s_%%(slug)s")  # a name that can be imported
    return config
