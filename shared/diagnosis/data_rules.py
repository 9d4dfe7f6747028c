"""Rules about what a program needs to talk to as it starts: its database, its broker, other services.

That a database refuses the program's password is the program's setting and no credential of ours.
"""

from dataclasses import replace

from shared.diagnosis.bare_log import by_script
from shared.diagnosis.evidence import Case, Phase
from shared.diagnosis.last_words import PROGRAMS, SCRIPTS, SERVES, dying, said
from shared.diagnosis.rule import IN_THE_END, Answer, Find, Finding, Rule, by_phase, first_of, line, network
from shared.diagnosis.sample import failed

LOGS = "windlass logs {pipeline} {revision} --stage {stage}"
OUTSIDE: frozenset[Phase] = SCRIPTS | SERVES
BEHIND_LINES = IN_THE_END - 2  # before an error without a name
REACHED = "The program connects to it as it starts, and the step passes."
GONE = (  # how drivers say that nothing takes the connection
    r"(?:[Cc]onnection refused|[Cc]ould not connect|could not translate host|[Cc]an't connect"
    r"|[Cc]onnection timed out"
    r"|timeout expired|Name or service not known|Temporary failure in name resolution|No route to host"
    r"|nodename nor servname|Communications link failure|no such host|i/o timeout|connect: connection refused"
    r"|server closed the connection unexpectedly|failed to connect to|failed to lookup address)"
)
DATABASE_PORTS = r"(?:5432|3306|1433|1521|27017|26257|9042)"
BROKER_PORTS = r"(?:6379|5672|9092|4222|11211)"


def _waits(*patterns: str) -> Find:
    """Find what a program went on waiting for until its time was over: its last lines say nothing else."""
    says = line(SERVES, *patterns)

    def find(case: Case) -> Finding | None:
        found = says(case) if case.kind == "timeout" else None
        waits = found is not None and case.lines[-1][-20:] == case.lines[found.place][-20:]
        return found if waits else None

    return find


def _unless_named_otherwise(*finds: Find) -> Find:
    """Find what is only known to be a service: a driver's own word below it says which, and comes first."""
    first = first_of(*finds)

    def find(case: Case) -> Finding | None:
        finding = first(case)
        return replace(finding, place=BEHIND_LINES) if finding else None

    return find


def _reached(phase: Phase) -> Answer:
    """Name a way that is not there: a script's is the network's, a service's its own settings'."""
    return network(phase) if phase in SCRIPTS else by_phase(phase)


_RULES: tuple[Rule, ...] = (
    Rule(
        "database_password_refused",
        first_of(
            said(
                PROGRAMS,
                r"password authentication failed for user",
                r"no pg_hba\.conf entry for ",
                r"Peer authentication failed for user",
                r"fe_sendauth: no password supplied",
                r"Access denied for user '[^']{0,100}'@",
                r"client password must be a string",
                r"Login failed for user '",
                r"ORA-01017: ",
                r"bad auth : ?[Aa]uthentication failed",
                r"(?:MongoServerError|OperationFailure): (?:bad auth|Authentication failed)",
                r"(?:WRONGPASS|NOAUTH) ",
                r"ACCESS_REFUSED - Login was refused",
                r"P1000: Authentication failed against database server",
            ),
            dying(PROGRAMS, r"(?:Error: )?P1000\b", r"Authentication failed against database server"),
        ),
        "The database or broker refused the program's user or password.",
        (LOGS,),
        home="rollout",
        check=(
            "User and password in the connection's address, as this stage gives it to the step.",
            (
                "Whether the password was changed at the database and not here, or holds letters that must be"
                " escaped."
            ),
            "Whether the database admits that user from the address of the target.",
        ),
        done_when=REACHED,
        confidence="certain",
        example=failed(
            "rollout", 'psycopg.OperationalError: FATAL:  password authentication failed for user "shop"'
        ),
        near_miss=failed(
            "rollout", "INFO auth: password authentication failed for user 17, asked again", exit_code=3
        ),
    ),
    Rule(
        "database_missing",
        first_of(
            said(
                PROGRAMS,
                r"\bdatabase \"[^\"]{1,100}\" does not exist",
                r"Unknown database '",
                r"\bunable to open database file",
                r"Cannot open database \"",
                r"We could not find your database: ",
                r"ORA-12514",
            ),
            dying(
                PROGRAMS,
                r"(?:Error: )?P1003\b",
                r"Database `[^`]{1,100}` does not exist on the database server",
            ),
        ),
        "The database server answers, and has no database of that name.",
        (LOGS,),
        home="rollout",
        check=(
            "The database's name in the connection's address.",
            "Whether somebody has created it for this stage.",
        ),
        done_when=REACHED,
        confidence="certain",
        example=failed(
            "rollout",
            'asyncpg.exceptions.InvalidCatalogNameError: database "shop" does not exist',
            exit_code=1,
        ),
        near_miss=failed("rollout", 'error: relation "shop" does not exist', exit_code=1),
    ),
    Rule(
        "database_user_missing",
        said(PROGRAMS, r"\brole \"[^\"]{1,100}\" does not exist", r"\bThe user '[^']{1,100}' does not exist"),
        "The database server answers, and has no user of that name.",
        (LOGS,),
        home="rollout",
        check=(
            "The user's name in the connection's address.",
            "Whether somebody has created it for this stage.",
        ),
        done_when=REACHED,
        confidence="certain",
        example=failed(
            "rollout", 'psycopg.OperationalError: FATAL:  role "shop" does not exist', exit_code=1
        ),
        near_miss=failed("rollout", 'policy: role "shop" does not exist, ignored', exit_code=3),
    ),
    Rule(
        "database_connections_used_up",
        said(
            PROGRAMS,
            r"sorry, too many clients already",
            r"remaining connection slots are reserved",
            r"too many connections for (?:role|database)",
            r"\bToo many connections\b",
            r"no more connections allowed",
            r"max clients? (?:reached|connections)",
            r"Max(?:imum)? number of clients reached",
            r"P2037|P2024: Timed out fetching a new connection",
        ),
        "The database takes no more connections: all of them are in use.",
        (LOGS,),
        home="rollout",
        check=(
            "How large the pools of all running copies are together, against the database's limit.",
            "Whether the old release and the new one hold their connections at the same time.",
        ),
        done_when="The number of connections at the database stays below its limit during a rollout.",
        confidence="certain",
        example=failed("rollout", "psycopg2.OperationalError: FATAL:  sorry, too many clients already"),
        near_miss=failed("rollout", "WARNING proxy: too many connections from 10.0.0.9, slowed", exit_code=3),
    ),
    Rule(
        "database_encryption_differs",
        said(
            PROGRAMS,
            r"[Ss]erver does not support SSL",
            r"SSL connection is required",
            r"no encryption$|, SSL off$|SSL off\b",
            r"sslmode value .{1,80} invalid when SSL support is not compiled in",
            r"SSL is not enabled on the server",
            r"self[- ]signed certificate in certificate chain",
        ),
        "Program and database do not agree on an encrypted connection.",
        (LOGS,),
        home="rollout",
        check=(
            "What the connection's address asks for (sslmode, ssl, tls), against what the database offers.",
            "Whether the program trusts the authority that signed the database's certificate.",
        ),
        done_when=REACHED,
        example=failed("rollout", "Error: The server does not support SSL connections", exit_code=1),
        near_miss=failed("rollout", "Warning: the server does not support SSL, plain text only", exit_code=3),
    ),
    Rule(
        "database_not_ready",
        said(
            PROGRAMS,
            r"the database system is (?:starting up|shutting down|in recovery mode|not yet accepting)",
            r"LOADING Redis is loading the dataset",
            r"not master and slaveOk=false|NotPrimaryNoSecondaryOk|READONLY You can't write against a read"
            r" only",
            r"in a read-only transaction",
        ),
        "The database is there but not ready to be used: it starts, ends, or is a copy that only reads.",
        (LOGS,),
        home="rollout",
        check=(
            "Whether the database was restarted or failed over at that time.",
            "Whether the connection's address leads to the one that may be written to.",
        ),
        done_when=REACHED,
        confidence="certain",
        example=failed("rollout", "psycopg.OperationalError: FATAL:  the database system is starting up"),
        near_miss=failed("rollout", "INFO db: the database system is starting up", exit_code=3),
    ),
    Rule(
        "broker_unreachable",
        first_of(
            said(
                PROGRAMS,
                r"redis\.exceptions\.(?:Connection|Timeout)Error: ",
                r"Redis::CannotConnectError|RedisClient::CannotConnectError|RedisConnection(?:Exception"
                r"|Failure)",
                r"MaxRetriesPerRequestError: ",
                r"kombu\.exceptions\.OperationalError: ",
                r"pika\.exceptions\.\w{0,30}Connection\w{0,20}",
                r"NoBrokersAvailable|KafkaJSConnectionError|KafkaJSNumberOfRetriesExceeded"
                r"|KafkaConnectionError",
                r"AMQPConnectionError|AmqpConnectException|BrokerUnreachableException",
                r"connect ECONNREFUSED \S{1,80}:" + BROKER_PORTS + r"\b",
                r"Connect call failed \('[^']{1,80}', " + BROKER_PORTS,
                r"dial tcp \S{1,80}:" + BROKER_PORTS + r"\b",
                r"nats: no servers available",
            ),
            line(
                SERVES,
                r"(?:\[\d[^\]]{10,60}: )?ERROR/MainProcess\] consumer: Cannot connect to ",  # Celery
            ),
            _waits(r".{0,30}(?i:waiting for|unavailable).{0,30}(?i:redis|rabbit|kafka|broker|amqp)"),
        ),
        "The program could not reach its message broker or cache.",
        (LOGS, "nc -vz BROKER_HOST 6379"),
        answer=_reached,
        home="rollout",
        check=(
            "Host and port in the broker's address, as this stage gives it to the step.",
            "Whether the broker runs, and takes connections from the target's address.",
        ),
        done_when=REACHED,
        example=failed(
            "rollout", "redis.exceptions.ConnectionError: Error 111 connecting to 127.0.0.1:6379."
        ),
        near_miss=failed("rollout", "ERROR redis: connection lost, reconnecting", exit_code=3),
    ),
    Rule(
        "database_unreachable",
        first_of(
            said(
                PROGRAMS,
                r"(?:OperationalError|InterfaceError)\W.{0,250}" + GONE,
                r"ServerSelection(?:Timeout)?Error\b",
                r"MongoNetworkError\b|MongoNotConnectedError",
                r"SequelizeConnection\w{0,20}Error\b|SequelizeHostNotFoundError",
                r"PSQLException: .{0,100}(?:refused|attempt failed|timed out)",
                r"CommunicationsException: ",
                r"Mysql2::Error::ConnectionError|PG::ConnectionBad|ActiveRecord::(?:ConnectionNot"
                r"|DatabaseConn)",
                r"SQLSTATE\[(?:HY000\] \[200[23]|08\d{3})\]",
                r"Can't connect to (?:local )?(?:MySQL|MariaDB|server)",
                r"could not connect to server\b",
                r"connection to server (?:at|on) .{0,200}failed",
                r"could not translate host name",
                r"Can't reach database server",
                r"connect ECONNREFUSED \S{1,80}:" + DATABASE_PORTS + r"\b",
                r"Connect call failed \('[^']{1,80}', " + DATABASE_PORTS,
                r"dial tcp \S{1,80}:" + DATABASE_PORTS + r"\b",
                r"failed to connect to `(?:host|user)=",
                r"DBConnection\.ConnectionError",
                r"Unable to obtain (?:JDBC )?[Cc]onnection (?:from|to) database",
                r"P1001\b|P1002\b",
                r"A network-related or instance-specific error occurred while establishing a connection to"
                r" SQL",
                r"ORA-12541|ORA-12170",
            ),
            dying(
                PROGRAMS,
                r"Can't reach database server at ",
                r"(?:Error: )?P1001\b",
                r"(?:error: )?Is the server running on (?:that )?host ",
                r"\(sqlalchemy\.exc\.OperationalError\) .{0,200}" + GONE,
            ),
            line(PROGRAMS, r"(?:\S{0,60}wait-for-it\.sh|wait-for-it): timeout occurred after waiting "),
            line(PROGRAMS, r"\d{4}/\d\d/\d\d [\d:]{8} level=fatal .{0,60}(?:database|postgres|mysql)\b"),
            _waits(
                r".{0,30}(?i:waiting for|is unavailable|not (?:yet )?(?:ready|available|up)).{0,30}"
                r"(?i:postgres|mysql|mariadb|database|\bdb\b|mongo)",
                r"(?i:.{0,20}\b(?:postgres|mysql|mariadb|database|db) (?:is )?(?:unavailable|not (?:yet"
                r" )?(?:ready|up)))",
                r"\S{1,100}:\d{1,5} - no response$",  # pg_isready
            ),
        ),
        "The program could not reach its database.",
        (LOGS, "nc -vz DATABASE_HOST 5432"),
        answer=_reached,
        home="rollout",
        check=(
            "Host and port in the connection's address, as this stage gives it to the step.",
            "Whether the database runs, and takes connections from the target's address.",
            "Whether localhost is meant: in a container that is the container itself.",
        ),
        done_when=REACHED,
        example=failed("rollout", "Error: connect ECONNREFUSED 10.0.0.5:5432", exit_code=1),
        near_miss=failed("rollout", "WARN pool: database not ready, retrying", exit_code=3),
    ),
    Rule(
        "dependency_unreachable",
        _unless_named_otherwise(
            dying(
                OUTSIDE,
                r"(?:[\w ]{1,60}: )?(?:Uncaught )?\[?(?:\w{0,20}Error)(?: \[[A-Z_]{1,40}\])?: (?:connect"
                r" E[A-Z]{5,14}|getaddrinfo \w{1,20} |read ECONNRESET|socket hang up)",
                r"(?:[\w.]{1,60}\.)?(?:ConnectionRefusedError|ConnectionResetError|ConnectTimeout"
                r"|ConnectError"
                r"|NewConnectionError|MaxRetryError|RemoteDisconnected|NoValidConnectionsError): ",
                r"(?:socket\.)?(?:gaierror|timeout): ",
                r"TimeoutError: (?:\[Errno 110\]|timed out|The read operation)",
                r"requests\.exceptions\.(?:Connection|ConnectTimeout|ReadTimeout|Proxy|SSL"
                r"|ChunkedEnc)\w{0,20}: ",
                r"(?:httpx|httpcore)\.(?:Connect|Read|Write|Pool|Network|Remote)\w{1,30}(?:: |$)",
                r"aiohttp\.client_exceptions\.(?:ClientConnect|Server|ClientOS)\w{1,30}: ",
                r"(?:urllib\.error\.)?URLError: ",
                r"(?:requests\.exceptions\.|urllib\.error\.)HTTPError: (?:HTTP Error )?(?:429|50[0234])\b",
                r"httpx\.HTTPStatusError: Server error '50[0234] ",
                r"AxiosError: (?:Request failed with status code (?:429|50[0234])|connect |timeout of )",
                r"(?:Caused by: |Exception in thread \"[^\"]{1,60}\" )?java\.net\.(?:ConnectException"
                r"|UnknownHost|SocketTimeout|NoRouteToHost)",
                r"TypeError: fetch failed",
                r"panic: .{0,200}(?:connection refused|no such host)",
                r"OSError: (?:\[Errno 11[013]\]|Multiple exceptions: )",
            ),
            said(
                OUTSIDE,
                r"\bdial (?:tcp|udp)(?: \S{1,120})?: .{0,60}(?:refused|no such host|timeout|unreachable)",
                r"Errno::(?:ECONNREFUSED|EHOSTUNREACH|ETIMEDOUT)|Net::(?:Open|Read)Timeout|\(SocketError\)",
                r"cURL error (?:6|7|28|35|52|56): ",
            ),
        ),
        "The program could not reach a service that it needs to start.",
        (LOGS,),
        answer=_reached,
        home="rollout",
        check=(
            "Host and port that the line names, and the setting that they come from.",
            "Whether that service runs, and is reached from the target.",
            "Whether the program should need it to start: it could begin without, and try again.",
        ),
        done_when=REACHED,
        example=failed("rollout", "ConnectionRefusedError: [Errno 111] Connection refused", exit_code=1),
        near_miss=failed("rollout", "WARN partner: connection refused, retrying (2/3)", exit_code=3),
    ),
)
DATA_RULES: tuple[Rule, ...] = tuple(map(by_script, _RULES))
