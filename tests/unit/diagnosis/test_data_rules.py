"""Databases, brokers and other services that a program needs, as its drivers say that they are not there."""

import pytest

from shared.diagnosis.rules import classify, classify_log
from shared.events import Evidence
from tests.unit.diagnosis.samples import DEPLOY, SETTING, STARTUP, evidence, named, network, start

NODE = "\n    at TCPConnectWrap.afterConnect (node:net:1555:16)\n\nNode.js v20.11.0"
TRACE = 'Traceback (most recent call last):\n  File "/app/x.py", line 3, in <module>\n    connect()\n'
STARTS = {
    "psycopg": (
        TRACE + 'psycopg.OperationalError: connection failed: connection to server at "10.0.0.5", port 5432'
        " failed: Connection refused",
        "database_unreachable",
    ),
    "sqlalchemy": (
        TRACE + "sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) could not translate host"
        ' name "db" to address: Name or service not known',
        "database_unreachable",
    ),
    "pymysql": (
        TRACE + "pymysql.err.OperationalError: (2003, \"Can't connect to MySQL server on 'db'\")",
        "database_unreachable",
    ),
    "asyncpg": (
        TRACE + "ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 5432)",
        "database_unreachable",
    ),
    "node pg": ("Error: connect ECONNREFUSED 10.0.0.5:5432" + NODE, "database_unreachable"),
    "prisma": (
        "PrismaClientInitializationError: \nInvalid invocation:\nCan't reach database server at `db:5432`",
        "database_unreachable",
    ),
    "sequelize": (
        "ConnectionRefusedError [SequelizeConnectionRefusedError]: connect ECONNREFUSED 127.0.0.1:5432"
        + NODE,
        "database_unreachable",
    ),
    "mongoose": (
        "MongooseServerSelectionError: connect ECONNREFUSED 127.0.0.1:27017" + NODE,
        "database_unreachable",
    ),
    "jdbc": (
        (
            "Caused by: org.postgresql.util.PSQLException: Connection to db:5432 refused. Check that the"
            " hostname"
        ),
        "database_unreachable",
    ),
    "jdbc mysql": (
        "Caused by: com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure",
        "database_unreachable",
    ),
    "go": (
        (
            "2026/03/01 12:00:00 failed to connect to `host=db user=shop database=shop`: dial error (dial tcp"
            " 10.0.0.5:5432: connect: connection refused)"
        ),
        "database_unreachable",
    ),
    "go panics": ("panic: dial tcp 10.0.0.5:3306: connect: connection refused", "database_unreachable"),
    "ruby": (
        "/app/db.rb:3:in `connect': could not connect to server: Connection refused (PG::ConnectionBad)",
        "database_unreachable",
    ),
    "php": (
        "PHP Fatal error:  Uncaught PDOException: SQLSTATE[HY000] [2002] Connection refused in /app/x.php:3",
        "database_unreachable",
    ),
    "elixir": (
        "** (DBConnection.ConnectionError) tcp connect (db:5432): connection refused - :econnrefused",
        "database_unreachable",
    ),
    "a password": (
        TRACE + 'psycopg2.OperationalError: FATAL:  password authentication failed for user "shop"',
        "database_password_refused",
    ),
    "a password of mysql": (
        "Error: Access denied for user 'shop'@'10.0.0.9' (using password: YES)" + NODE,
        "database_password_refused",
    ),
    "pg_hba": (
        'error: no pg_hba.conf entry for host "10.0.0.9", user "shop", database "shop", no encryption',
        "database_password_refused",
    ),
    "mongo": (
        TRACE + "pymongo.errors.OperationFailure: Authentication failed., full error: {'ok': 0.0}",
        "database_password_refused",
    ),
    "redis": (
        "ReplyError: WRONGPASS invalid username-password pair or user is disabled." + NODE,
        "database_password_refused",
    ),
    "no database": ('error: database "shop" does not exist' + NODE, "database_missing"),
    "no mysql database": ("Error: Unknown database 'shop'" + NODE, "database_missing"),
    "sqlite": (TRACE + "sqlite3.OperationalError: unable to open database file", "database_missing"),
    "no role": (
        TRACE + 'psycopg.OperationalError: FATAL:  role "shop" does not exist',
        "database_user_missing",
    ),
    "too many": (
        TRACE + "psycopg2.OperationalError: FATAL:  sorry, too many clients already",
        "database_connections_used_up",
    ),
    "no tls": ("Error: The server does not support SSL connections" + NODE, "database_encryption_differs"),
    "starting": (
        TRACE + "psycopg.OperationalError: FATAL:  the database system is starting up",
        "database_not_ready",
    ),
    "redis-py": (
        TRACE + "redis.exceptions.ConnectionError: Error 111 connecting to 127.0.0.1:6379.",
        "broker_unreachable",
    ),
    "ioredis": (
        "MaxRetriesPerRequestError: Reached the max retries per request limit (which is 20)." + NODE,
        "broker_unreachable",
    ),
    "kafka": (TRACE + "kafka.errors.NoBrokersAvailable: NoBrokersAvailable", "broker_unreachable"),
    "kombu": (
        TRACE + "kombu.exceptions.OperationalError: [Errno 111] Connection refused",
        "broker_unreachable",
    ),
    "rabbit": ("Error: connect ECONNREFUSED 10.0.0.5:5672" + NODE, "broker_unreachable"),
    "sidekiq": (
        "/app/x.rb:1:in `connect': Error connecting to Redis on x:6379 (Redis::CannotConnectError)",
        "broker_unreachable",
    ),
    "another service": (
        TRACE + "requests.exceptions.ConnectionError: HTTPConnectionPool(host='auth', port=80)",
        "dependency_unreachable",
    ),
    "another service, node": ("Error: getaddrinfo ENOTFOUND auth.internal" + NODE, "dependency_unreachable"),
    "another service, java": (
        'Exception in thread "main" java.net.ConnectException: Connection refused',
        "dependency_unreachable",
    ),
    "another service, go": (
        '2026/03/01 12:00:00 Get "http://auth": dial tcp: lookup auth on 10.0.0.2:53: no such host',
        "dependency_unreachable",
    ),
}
CHATTER = [
    "2026-03-01 12:00:00 ERROR db: connection refused, retrying in 5 s",
    "WARN pool: Error: connect ECONNREFUSED 10.0.0.5:5432 (attempt 2 of 5)",
    '{"level":"error","msg":"connect ECONNREFUSED 10.0.0.5:5432"}',
    "INFO auth: password authentication failed for user 17",
    "[warn] redis.exceptions.ConnectionError: will try again",
]


@pytest.mark.parametrize(("log", "rule"), STARTS.values(), ids=STARTS)
def test_what_a_service_needs_and_does_not_get_is_named(log: str, rule: str) -> None:
    assert named(classify(start(log), SETTING)) == (rule, STARTUP)
    assert classify_log(log).answer.stage == "rollout"


@pytest.mark.parametrize("log", CHATTER)
def test_what_a_service_logs_on_its_way_decides_nothing(log: str) -> None:
    assert classify(start(log, 3), SETTING).rule == "ended_before_listening"
    assert classify_log(log).rule == "not_recognised"


def test_a_driver_that_says_which_service_it_is_comes_before_the_plain_refusal_above_it() -> None:
    log = f"{TRACE}ConnectionRefusedError: [Errno 111] refused\nDuring handling of the above exception,"
    both = f"{log}\n{TRACE}redis.exceptions.ConnectionError: Error 111 connecting to 127.0.0.1:6379."
    assert classify(start(log), SETTING).rule == "dependency_unreachable"
    assert classify(start(both), SETTING).rule == "broker_unreachable"


@pytest.mark.parametrize(
    ("seen", "rule"),
    [
        pytest.param(
            evidence("rollout", "waiting for postgres at db:5432...\n" * 9, "timeout"),
            "database_unreachable",
            id="for its database",
        ),
        pytest.param(
            evidence("rollout", "waiting for postgres at db:5432...\nwarming caches", "timeout"),
            "never_listened",
            id="and got over it",
        ),
        pytest.param(
            evidence("rollout", "Waiting for redis...\n" * 3, "timeout"),
            "broker_unreachable",
            id="for its cache",
        ),
    ],
)
def test_a_service_that_waits_until_its_time_is_over_says_for_what(seen: Evidence, rule: str) -> None:
    assert named(classify(seen, SETTING)) == (rule, STARTUP)


def test_a_script_that_does_not_reach_a_database_has_a_network_fault() -> None:
    log = 'psql: error: connection to server at "10.0.0.5", port 5432 failed: Connection refused'
    found = classify(evidence("deploy", log, exit_code=2), SETTING)
    assert named(found) == ("database_unreachable", network("deploy"))
    assert found.answer.retryable
    assert classify_log(log).answer == found.answer


def test_a_script_whose_database_refuses_its_password_is_not_tried_again() -> None:
    log = 'psql: error: FATAL:  password authentication failed for user "shop"'
    found = classify(evidence("deploy", log, exit_code=2), SETTING)
    assert named(found) == ("database_password_refused", DEPLOY)
