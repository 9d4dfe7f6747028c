"""Rules about a database's shape: what was not migrated, and migrations that could not be run."""

import re

from shared.diagnosis.evidence import Case, Phase
from shared.diagnosis.last_words import PROGRAMS, SCRIPTS, SERVES, dying, said
from shared.diagnosis.rule import Find, Finding, Rule, first_of, line
from shared.diagnosis.sample import failed

LOGS = "windlass logs {pipeline} {revision} --stage {stage}"
MIGRATED = "The migration runs to its end, and its tool says that nothing is left to do."
BUILT: frozenset[Phase] = PROGRAMS - {"build"}  # a build's own tests have databases too


_MIGRATES = re.compile(  # how tools say that they migrate
    r"psql:|ERROR \d{4} \(\w{5}\) at line|INFO  \[alembic|FAILED: |Running migrations|  Applying |Applying"
    r" migration"
    r"|== {1,2}\d{8,20} |Migrating |Prisma Migrate|Flyway |.{0,60}\b(?:Migrating schema|[Mm]igration"
    r" \S{1,80} failed)"
    r"|.{0,40}migrate\.py|StandardError: An error has occurred|.{0,200}?(?:liquibase|flywaydb|FlywaySql)"
    r"|error: migration failed"
)


def _sql(*phrases: str) -> Find:
    return said(BUILT, *phrases)


def _migrating(*phrases: str) -> Find:
    """Find it in a script; elsewhere only where a tool says that it migrates."""
    says = said(SCRIPTS | SERVES, *phrases)

    def find(case: Case) -> Finding | None:
        finding = says(case)
        known = case.phase in SCRIPTS or any(map(_MIGRATES.match, case.lines))
        return finding if known else None

    return find


def _goes_on(case: Case, place: int) -> bool:
    """Tell a migration that is written from one that is only missed."""
    return any(text.startswith("Running migrations") for text in case.lines[place:])


MIGRATION_RULES: tuple[Rule, ...] = (
    Rule(
        "migration_waited_for_lock",
        _sql(
            r"canceling statement due to (?:lock|statement) timeout",
            r"Lock wait timeout exceeded",
            r"\bdeadlock detected\b|Deadlock found when trying to get lock",
            r"could not obtain lock on ",
            r"database is locked",
            r"Could not acquire change log lock",
            r"[Tt]imed out trying to acquire a postgres advisory lock",
            r"Error: ?(?:can't acquire lock|database locked)",
        ),
        "The migration waited for a lock that something else on the database holds, and gave up.",
        (LOGS, "psql -c 'select pid, state, query from pg_stat_activity where wait_event_type = ''Lock'''"),
        home="deploy",
        check=(
            "What held the table then: a long query, an open transaction, another migration.",
            "Whether the change can be made without locking the whole table, or in smaller steps.",
        ),
        done_when=MIGRATED,
        confidence="certain",
        example=failed("deploy", "psycopg.errors.LockNotAvailable: canceling statement due to lock timeout"),
        near_miss=failed("deploy", "INFO lock timeout is 5s", exit_code=1),
    ),
    Rule(
        "migration_left_half_done",
        first_of(
            _sql(r"Dirty database version", r"P3009\b", r"found failed migrations in the target database"),
            dying(BUILT, r"migrate found failed migrations in the target database", r"Error: P3009\b"),
            _sql(r"Detected failed migration to version|contains a failed migration"),
        ),
        "An earlier migration ended half-way, and nothing more is migrated until somebody has looked at it.",
        (LOGS,),
        home="deploy",
        check=(
            "Which of that migration's changes took place.",
            "Whether to finish or to undo them by hand; then tell the migration tool which of both it was.",
        ),
        done_when=MIGRATED,
        confidence="certain",
        example=failed("deploy", "error: Dirty database version 16. Fix and force version.", exit_code=1),
        near_miss=failed("deploy", "error: no migration found for version 16", exit_code=1),
    ),
    Rule(
        "migration_history_differs",
        first_of(
            _sql(
                r"Migration checksum mismatch",
                r"Validate failed: ",
                r"Migrations have failed validation",
                r"Multiple head revisions are present",
                r"Can't locate revision identified by",
                r"Conflicting migrations detected",
                r"InconsistentMigrationHistory",
                r"NodeNotFoundError: Migration ",
                r"no migration found for version",
                r"P3005\b|P3008\b",
                r"ValidationFailedException: Validation Failed",
            ),
            dying(
                BUILT,
                r"CommandError: Conflicting migrations detected",
                r"ERROR \[alembic\.util\.messaging\] (?:Can't locate|Multiple head)",
                r"FAILED: (?:Can't locate revision|Multiple head revisions)",
                r"The database schema is not empty",
            ),
        ),
        "The migrations in the release do not follow from those that the database has run.",
        (LOGS,),
        home="deploy",
        check=(
            "Whether a migration that was already run was changed, renamed or removed since.",
            "Whether two branches added one each, and nobody joined them.",
        ),
        done_when=MIGRATED,
        confidence="certain",
        example=failed(
            "deploy",
            "ERROR [alembic.util.messaging] Can't locate revision identified by 'a1b2'",
            exit_code=255,
        ),
        near_miss=failed(
            "deploy", "INFO  [alembic.runtime.migration] Running upgrade a1 -> b2", exit_code=255
        ),
    ),
    Rule(
        "migrations_pending",
        first_of(
            said(
                BUILT,
                r"PendingMigrationError",
                r"Migrations are pending",
                r"Target database is not up to date",
                r"Detected resolved migration not applied to database",
                r"Following migrations? have not yet been applied",
                r"Schema-validation: missing (?:table|column) ",
            ),
            dying(
                BUILT, r"Migrations are pending\. To resolve this issue", r"FAILED: Target database is not up"
            ),
        ),
        "The database has not run the migrations that the release needs.",
        (LOGS,),
        home="rollout",
        check=(
            "Whether the pipeline runs the migrations in this stage, before the new release starts.",
            "Whether they were run against the database that the release uses.",
        ),
        done_when="The migration tool says that nothing is pending, and the service starts.",
        confidence="certain",
        example=failed(
            "rollout", "ActiveRecord::PendingMigrationError: Migrations are pending.", exit_code=1
        ),
        near_miss=failed("rollout", "You have 3 unapplied migration(s).", exit_code=3),
    ),
    Rule(
        "migration_lacks_table",
        _migrating(
            r"\b(?:relation|table|column|type|schema) \"[^\"]{1,120}\" (?:of relation .{1,120} )?does not"
            r" exist",
            r"\bno such (?:table|column): ",
            r"Table '[^']{1,160}' doesn't exist",
            r"Unknown column '[^']{1,160}' in '",
            r"Can't DROP '[^']{1,160}'; check that column/key exists",
        ),
        "The migration changes a table or column that this database does not have.",
        (LOGS,),
        home="deploy",
        check=(
            "Whether an earlier migration that makes it was left out, or comes later.",
            "Whether the step's connection leads to the database, and the schema, that is meant.",
        ),
        done_when=MIGRATED,
        confidence="certain",
        example=failed("deploy", 'psql:002.sql:4: ERROR:  relation "orders" does not exist', exit_code=3),
        near_miss=failed("deploy", 'NOTICE:  table "orders" does not exist, skipping', exit_code=3),
    ),
    Rule(
        "database_not_migrated",
        first_of(
            said(
                SERVES,
                r"\brelation \"[^\"]{1,120}\" does not exist",
                r"\bcolumn \"?[\w.\"]{1,120}\"? (?:of relation \"[^\"]{1,120}\" )?does not exist",
                r"\bno such (?:table|column): ",
                r"Table '[^']{1,160}' doesn't exist",
                r"Unknown column '[^']{1,160}' in '",
                r"Invalid object name '",
                r"P2021\b|P2022\b",
            ),
            dying(SERVES, r"The (?:table|column) `[^`]{1,160}` does not exist in the current database"),
        ),
        "The database lacks a table or column that the program asks for: it was not migrated for this"
        " release.",
        (LOGS,),
        home="rollout",
        check=(
            "Whether the migration that makes the table or column is part of this release.",
            "Whether the pipeline runs the migrations in this stage, before the new release starts.",
        ),
        done_when="The table is there, and the service starts.",
        confidence="certain",
        example=failed("rollout", 'django.db.utils.ProgrammingError: relation "orders" does not exist'),
        near_miss=failed(
            "rollout", 'INFO report: relation "orders" does not exist in the cache', exit_code=3
        ),
    ),
    Rule(
        "migration_made_it_already",
        _migrating(
            r"\b(?:relation|table|column|type|index|constraint|schema|database|role|trigger)"
            r" \"?[^\"]{1,120}\"? (?:of relation .{1,120} |for relation .{1,120} )?already exists",
            r"Table '[^']{1,160}' already exists",
            r"Duplicate (?:column|key) name '",
            r"duplicate column name: ",
            r"There is already an object named '",
        ),
        "The migration makes something that the database has already.",
        (LOGS,),
        home="deploy",
        check=(
            "Whether it was made by hand, or by a run that ended before it was noted.",
            "Whether the tool's table of migrations is the one of this database.",
        ),
        done_when=MIGRATED,
        confidence="certain",
        example=failed(
            "deploy", 'psycopg.errors.DuplicateTable: relation "orders" already exists', exit_code=1
        ),
        near_miss=failed("deploy", 'NOTICE:  relation "orders" already exists, skipping', exit_code=3),
    ),
    Rule(
        "migration_data_in_the_way",
        _migrating(
            r"could not create unique index",
            r"duplicate key value violates unique constraint",
            r"column \"[^\"]{1,120}\" (?:of relation .{1,120} )?contains null values",
            r"is violated by some row",
            r"violates (?:foreign key|not-null|check) constraint",
            r"Duplicate entry '[^']{0,160}' for key",
            r"Cannot add or update a child row",
            r"Data too long for column|value too long for type",
            r"(?:UNIQUE|NOT NULL|FOREIGN KEY) constraint failed",
        ),
        "There is data in the database that the migration's new rule does not allow.",
        (LOGS,),
        home="deploy",
        check=(
            "Which rows break the rule: the detail under the line names one.",
            "Whether a step before it should put the data right.",
        ),
        done_when=MIGRATED,
        confidence="certain",
        example=failed("deploy", 'ERROR:  could not create unique index "orders_number"', exit_code=1),
        near_miss=failed("deploy", "checked: no row violates foreign key constraint", exit_code=1),
    ),
    Rule(
        "migration_not_written",
        line(
            SCRIPTS,
            r"Migrations for '\w{1,80}':$",
            r"Your models in app\(s\): .{1,200} have changes that are not yet reflected in a migration",
            r"\[\+\] (?:Added|Changed) .{0,80}\(drift\)|Drift detected: ",
            r"FAILED: New upgrade operations detected",
            unless=_goes_on,
        ),
        "The program's models have changed, and nobody wrote the migration for it.",
        (LOGS,),
        home="deploy",
        check=("The changes under the line: make their migration, and commit it.",),
        done_when="The check finds nothing that is not in a migration.",
        confidence="certain",
        example=failed("deploy", "Migrations for 'orders':\n  orders/migrations/0002.py", exit_code=1),
        near_miss=failed(
            "deploy", "Migrations for 'orders':\n  + Add field\nRunning migrations:", exit_code=1
        ),
    ),
    Rule(
        "migration_syntax",
        _migrating(
            r"\bsyntax error at or near ",
            r"You have an error in your SQL syntax",
            r"near \"[^\"]{1,120}\": syntax error",
            r"\bsyntax error at end of input",
            r"Incorrect syntax near ",
        ),
        "The migration is no valid SQL for this database.",
        (LOGS,),
        home="deploy",
        check=(
            "The place in the statement that the message names.",
            "Whether the database is of the kind and version that it was written for.",
        ),
        done_when=MIGRATED,
        confidence="certain",
        example=failed("deploy", 'psql:003.sql:7: ERROR:  syntax error at or near "COLUM"', exit_code=3),
        near_miss=failed("deploy", "script: 3: Syntax error: end of file unexpected", exit_code=2),
    ),
    Rule(
        "migration_failed",
        line(
            BUILT,
            r"A migration failed to apply\.",
            r"(?:Error: )?P30(?:06|17|18|19)\b",
            r"(?:ERROR: |error: |Error: )?[Mm]igration (?:of schema )?.{1,120} failed\b",
            r"StandardError: An error has occurred, (?:this and )?all later migrations canceled",
            r"(?:error: )?migration failed(?: in line \d{1,6})?: ",
            r"migration file \".{1,120}\" failed",
        ),
        "A migration could not be applied.",
        (LOGS,),
        home="deploy",
        check=(
            "What the database said about it: the lines around this one.",
            "Which of its changes took place before it failed.",
        ),
        done_when=MIGRATED,
        example=failed(
            "deploy", "A migration failed to apply. New migrations cannot be applied", exit_code=1
        ),
        near_miss=failed("deploy", "the migration of customers failed last year too", exit_code=1),
    ),
    Rule(
        "database_permission_missing",
        _sql(
            r"permission denied for (?:table|schema|relation|database|sequence|function|language|type) ",
            r"must be (?:owner|superuser|member) of ",
            r"\b(?:SELECT|INSERT|UPDATE|CREATE|ALTER|DROP|INDEX) command denied to user ",
            r"permission denied to (?:create|set) ",
        ),
        "The database's user may not do what the program or migration does.",
        (LOGS,),
        home="deploy",
        check=(
            "As which user the step connects, and what that user was granted.",
            "Whether the tables belong to another user: then that one migrates, or grants.",
        ),
        done_when=MIGRATED,
        confidence="certain",
        example=failed("deploy", "psql:001.sql:1: ERROR:  permission denied for schema public", exit_code=3),
        near_miss=failed("deploy", "sh: 1: ./migrate: Permission denied", exit_code=126),
    ),
)
