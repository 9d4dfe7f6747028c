"""Migrations that could not be run, and programs that start before they were."""

import pytest

from shared.diagnosis.rules import classify, classify_log
from tests.unit.diagnosis.samples import DEPLOY, SETTING, STARTUP, evidence, named, start

TRACE = 'Traceback (most recent call last):\n  File "/app/migrate.py", line 3, in <module>\n    run()\n'
SERVICE = TRACE.replace("migrate.py", "app.py")
SCRIPTS = {
    "lock timeout": (
        TRACE + "psycopg.errors.LockNotAvailable: canceling statement due to lock timeout",
        "migration_waited_for_lock",
    ),
    "lock timeout in psql": (
        "psql:004.sql:2: ERROR:  canceling statement due to lock timeout",
        "migration_waited_for_lock",
    ),
    "lock wait in mysql": (
        "ERROR 1205 (HY000) at line 1: Lock wait timeout exceeded; try restarting transaction",
        "migration_waited_for_lock",
    ),
    "deadlock": (TRACE + "django.db.utils.OperationalError: deadlock detected", "migration_waited_for_lock"),
    "sqlite is locked": (TRACE + "sqlite3.OperationalError: database is locked", "migration_waited_for_lock"),
    "dirty": ("error: Dirty database version 16. Fix and force version.", "migration_left_half_done"),
    "prisma P3009": (
        "Error: P3009\n\nmigrate found failed migrations in the target database",
        "migration_left_half_done",
    ),
    "flyway checksum": (
        "ERROR: Validate failed: Migrations have failed validation\nMigration checksum mismatch",
        "migration_history_differs",
    ),
    "alembic heads": (
        "FAILED: Multiple head revisions are present for given argument 'head'",
        "migration_history_differs",
    ),
    "alembic revision": (
        "ERROR [alembic.util.messaging] Can't locate revision identified by 'ae10'",
        "migration_history_differs",
    ),
    "django conflict": (
        "CommandError: Conflicting migrations detected; multiple leaf nodes in the graph",
        "migration_history_differs",
    ),
    "django history": (
        TRACE + "django.db.migrations.exceptions.InconsistentMigrationHistory: Migration a.1 is",
        "migration_history_differs",
    ),
    "duplicate table": (
        TRACE + 'psycopg.errors.DuplicateTable: relation "orders" already exists',
        "migration_made_it_already",
    ),
    "duplicate column": (
        'psql:002.sql:1: ERROR:  column "total" of relation "orders" already exists',
        "migration_made_it_already",
    ),
    "duplicate column in mysql": (
        "ERROR 1060 (42S21) at line 3: Duplicate column name 'total'",
        "migration_made_it_already",
    ),
    "sqlite table": (
        TRACE + "sqlite3.OperationalError: table orders already exists",
        "migration_made_it_already",
    ),
    "nulls": (
        'psql:002.sql:1: ERROR:  column "total" of relation "orders" contains null values',
        "migration_data_in_the_way",
    ),
    "unique": (
        TRACE + 'psycopg.errors.UniqueViolation: could not create unique index "u"',
        "migration_data_in_the_way",
    ),
    "mysql entry": (
        "ERROR 1062 (23000) at line 2: Duplicate entry '7' for key 'orders.number'",
        "migration_data_in_the_way",
    ),
    "syntax": ('psql:003.sql:7: ERROR:  syntax error at or near "COLUM"', "migration_syntax"),
    "syntax in mysql": (
        "ERROR 1064 (42000) at line 1: You have an error in your SQL syntax; check the manual",
        "migration_syntax",
    ),
    "no table": ('psql:003.sql:7: ERROR:  relation "orders" does not exist', "migration_lacks_table"),
    "no column": (
        TRACE + 'psycopg.errors.UndefinedColumn: column "total" does not exist',
        "migration_lacks_table",
    ),
    "permission": (
        "psql:003.sql:7: ERROR:  permission denied for schema public",
        "database_permission_missing",
    ),
    "owner": (
        TRACE + "psycopg.errors.InsufficientPrivilege: must be owner of table orders",
        "database_permission_missing",
    ),
    "mysql grant": (
        "ERROR 1142 (42000) at line 1: ALTER command denied to user 'shop'@'%' for table 'orders'",
        "database_permission_missing",
    ),
    "not written": ("Migrations for 'orders':\n  orders/migrations/0002_total.py", "migration_not_written"),
}
NODE = "\n    at Parser.parseErrorMessage (/app/x.js:283:98)\n\nNode.js v20.11.0"
STARTS = {
    "django": (
        SERVICE + 'django.db.utils.ProgrammingError: relation "orders" does not exist',
        "database_not_migrated",
    ),
    "node pg": ('error: relation "orders" does not exist' + NODE, "database_not_migrated"),
    "mysql": ("Error: Table 'shop.orders' doesn't exist" + NODE, "database_not_migrated"),
    "sqlite": (SERVICE + "sqlite3.OperationalError: no such table: orders", "database_not_migrated"),
    "a column": (
        SERVICE + "psycopg.errors.UndefinedColumn: column orders.total does not exist",
        "database_not_migrated",
    ),
    "go": (
        '2026/03/01 12:00:00 ERROR: relation "orders" does not exist (SQLSTATE 42P01)',
        "database_not_migrated",
    ),
    "hibernate": (
        (
            "Caused by: org.hibernate.tool.schema.spi.SchemaManagementException: Schema-validation: missing"
            " table [orders]"
        ),
        "migrations_pending",
    ),
    "rails": ("ActiveRecord::PendingMigrationError: Migrations are pending.", "migrations_pending"),
    "flyway inside": (
        (
            "Caused by: org.flywaydb.core.internal.sqlscript.FlywaySqlScriptException: Migration failed\n"
            'Message    : ERROR: syntax error at or near "nul"'
        ),
        "migration_syntax",
    ),
}


@pytest.mark.parametrize(("log", "rule"), SCRIPTS.values(), ids=SCRIPTS)
def test_a_migration_that_cannot_be_run_has_a_cause(log: str, rule: str) -> None:
    assert named(classify(evidence("deploy", log, exit_code=1), SETTING)) == (rule, DEPLOY)


@pytest.mark.parametrize(("log", "rule"), STARTS.values(), ids=STARTS)
def test_a_program_that_starts_before_its_migrations_says_so(log: str, rule: str) -> None:
    assert named(classify(start(log), SETTING)) == (rule, STARTUP)


@pytest.mark.parametrize(
    ("log", "rule"),
    [
        pytest.param(
            'psql:003.sql:7: ERROR:  relation "x" does not exist', "migration_lacks_table", id="a script"
        ),
        pytest.param(
            SERVICE + 'x.UndefinedTable: relation "x" does not exist', "database_not_migrated", id="a service"
        ),
        pytest.param(
            SERVICE + "x.UniqueViolation: duplicate key value violates unique constraint",
            "uncaught_error",
            id="data, and nobody migrates",
        ),
    ],
)
def test_a_bare_log_is_about_a_migration_where_a_tool_says_that_it_migrates(log: str, rule: str) -> None:
    assert classify_log(log).rule == rule


@pytest.mark.parametrize(
    "log",
    [
        'NOTICE:  relation "orders" already exists, skipping',
        "You have 3 unapplied migration(s). Your project may not work properly until you apply them.",
        'INFO report: relation "orders" does not exist in the cache',
        "0 rows violate foreign key constraint",
    ],
)
def test_what_a_migration_only_mentions_is_no_cause(log: str) -> None:
    assert classify(evidence("deploy", log, exit_code=1), SETTING).rule == "script_failed"
