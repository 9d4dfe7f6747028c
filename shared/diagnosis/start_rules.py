"""Rules about start commands and the servers that they start: options, settings of their own, checks."""

from shared.diagnosis.bare_log import built
from shared.diagnosis.last_words import PROGRAMS, SCRIPTS, SERVES, dying
from shared.diagnosis.program_rules import STARTED
from shared.diagnosis.rule import Rule, first_of, infrastructure, line
from shared.diagnosis.sample import failed

LOGS = "windlass logs {pipeline} {revision} --stage {stage}"

_RULES: tuple[Rule, ...] = (
    Rule(
        "application_not_found",
        dying(
            SERVES | SCRIPTS,
            r"Error: (?:Could not locate a Flask application|Failed to find Flask application|While"
            r" importing '|Could not import '|Unable to load celery application)",
            r"(?:Usage: celery .{0,200}|Error: Invalid value for '-A' / '--app')",
            r"error: Module not found \"(?:file:|\.)",  # Deno
            r"(?:error: )?Module not found \"[^\"]{1,200}\"$",  # Bun
            r"Error: Invalid or corrupt jarfile ",
            r"(?:The application to execute does not exist|Could not execute because the specified command)",
            r"(?:A fatal error was encountered\. )?The library 'libhostpolicy\.so' required to execute",
            r"bundler: command not found: ",
            r"Could not locate Gemfile",
            r"configuration .{1,200} not found$",  # rackup
            r"(?:ModuleNotFoundError|AttributeError): module '[\w.]{1,80}' has no attribute '(?:app"
            r"|application|wsgi)'",
        ),
        "The server was started and did not find the application that it is to serve.",
        (LOGS,),
        home="rollout",
        check=(
            "The module, file or name in the start command, against what the artifact holds.",
            "Whether the command is started in the folder that it is meant for.",
        ),
        done_when=STARTED,
        confidence="certain",
        example=failed("rollout", "Error: Could not locate a Flask application.", exit_code=2),
        near_miss=failed("rollout", "Error: Could not locate the customer", exit_code=2),
    ),
    Rule(
        "start_option_unknown",
        dying(
            PROGRAMS - {"build"},
            r"(?:[\w./-]{1,80}: )?error: (?:unrecognized arguments|the following arguments are required"
            r"|unexpected"
            r" argument '|the following required arguments were not provided|unknown option|invalid choice)",
            r"flag provided but not defined: -",
            r"(?:Error: |error: )?unknown (?:shorthand )?flag: ",
            r"(?:Error: )?[Nn]o such (?:option|command)[: ]",
            r"(?:\S{0,60}/)?node: bad option: ",
            r"Unrecognized option: -",
            r"Error: Got unexpected extra arguments? ",
            r"(?:[\w./-]{1,80}: )?(?:unrecognized|invalid|illegal|unknown) option(?: --|:)",
        ),
        "The command passes an option or argument that the program does not take.",
        (LOGS,),
        home="rollout",
        check=(
            "The option that the line names, against what the program's own help lists.",
            "Whether the program's version has that option yet, or not any more.",
        ),
        done_when=STARTED,
        confidence="certain",
        example=failed("rollout", "server: error: unrecognized arguments: --wokers 4", exit_code=2),
        near_miss=failed("rollout", "cart: unknown option price, ignored", exit_code=3),
    ),
    Rule(
        "server_settings_refused",
        dying(
            PROGRAMS,
            r"nginx: \[emerg\] (?:host not found in upstream|no \"|\"|unknown|duplicate|invalid|could not"
            r" build|cannot load)",
            r"nginx: configuration file \S{1,200} test failed",
            r"AH0\d{4}: (?:Syntax error|Error|Configuration)",
            r"\[ALERT\] .{0,40}(?:config|parsing)",
            r"Error: (?:adapting config using|loading initial config|ambiguous site definition)",
            r"(?:\[.{1,40}\] )?ERROR: (?:failed to open configuration file|FPM initialization failed"
            r"|failed to post proc)",
            r"\*\*\* FATAL CONFIG FILE ERROR",
            r"(?:\S{1,60} )?# ?Fatal error, can't open config file",
            r"FATAL: {1,2}(?:configuration file|data directory|could not (?:load|create|open)|unrecognized"
            r" configuration)",
            r"initdb: error: ",
            r"Error: .{0,100}No config file found",
            r"Error: \.ini file does not include supervisord section",
        ),
        "The server does not accept its own settings.",
        (LOGS, "nginx -t"),
        home="rollout",
        check=(
            "The file, line and name in the message.",
            "Whether a name in it, such as that of an upstream, has an address where the server starts.",
        ),
        done_when="The server's own check of its settings passes.",
        confidence="certain",
        example=failed("rollout", 'nginx: [emerg] host not found in upstream "api" in /etc/nginx/x.conf:3'),
        near_miss=failed("rollout", "nginx: [warn] could be simplified", exit_code=3),
    ),
)

CLUSTER_RULES: tuple[Rule, ...] = (
    Rule(
        "node_under_pressure",
        line(
            SERVES | SCRIPTS,
            r"(?:.{0,160} )?The node (?:was low on resource: |had condition: \[)",
            r"(?:.{0,160} )?(?:Evicted|EvictionThresholdMet|NodeHasDiskPressure"
            r"|NodeHasInsufficientMemory)\b.{0,20} ",
            r"Message: {1,20}(?:The node was low on resource|Pod The node had condition)",
        ),
        "The machine that it ran on had too little memory or disk left, and put it out.",
        ("kubectl describe nodes",),
        answer=infrastructure,
        home="rollout",
        check=(
            "What fills the machine: logs, images, volumes, other pods.",
            "Whether it asks for as much as it uses: what asks for little is put out first.",
        ),
        done_when="No node tells of pressure, and the pod keeps running.",
        confidence="certain",
        example=failed("rollout", "  Message:  The node was low on resource: ephemeral-storage.", "target"),
        near_miss=failed("rollout", "low on resource: coffee", exit_code=3),
    ),
    Rule(
        "machine_taken_away",
        line(
            SERVES | SCRIPTS,
            r"(?:STOPPED \()?Host EC2 \(instance \S{1,60}\) (?:terminated|stopped)",
            r"(?:.{0,80}\b)?(?:SpotInterruption|Spot [Ii]nterruption|TerminationNotice)\b",
            r"Your Spot Task was interrupted",
            r"(?:.{0,160} )?(?:NodeNotReady|NodeShutdown)\b.{0,60}[Nn]ode",
            r"Pod was (?:terminated in response to imminent node shutdown|preempted)",
        ),
        "The machine that it ran on was taken away or went down.",
        ("windlass retry {pipeline} {stage}",),
        answer=infrastructure,
        home="rollout",
        check=(
            "Whether it ran on machines that the provider may take back at any time.",
            "Whether enough other machines are there to take it.",
        ),
        done_when="A retry comes up on another machine.",
        confidence="certain",
        example=failed("rollout", "Host EC2 (instance i-0abc) terminated.", "target"),
        near_miss=failed("rollout", "chat: spot interruption of host 7 by a guest", exit_code=3),
    ),
    Rule(
        "health_check_gave_up",
        first_of(
            line(
                SERVES | SCRIPTS,
                r"(?:(?:ERROR|Error|error|FATAL|fatal|✗|✘|❌)[: ] {0,3})?(?i:health ?check|smoke ?test)s?"
                r" (?:failed|timed out|did not pass|never passed)\b.{0,200}$",
                r"(?:Error: )?Timed out waiting for: https?://",
                r"(?:Error: )?(?:dependency failed to start: )?container \S{1,100} is unhealthy",
                r"ERROR: for \S{1,80} {1,4}Container \"\S{1,80}\" is unhealthy",
                r"curl: \(7\) Failed to connect to (?:localhost|127\.0\.0\.1) port ",
                r"service \S{1,80} (?:is unhealthy|did not become healthy)",
            )
        ),
        "A check of the service's health was made by a script, and did not pass in time.",
        (LOGS, "curl -i URL"),
        home="verify",
        check=(
            "What the service said at that time: why it is not well.",
            "Whether the check asks the right address, and waits long enough.",
        ),
        done_when="The check passes.",
        example=failed("deploy", "Timed out waiting for: http://127.0.0.1:8080/health", exit_code=1),
        near_miss=failed("deploy", "healthcheck: partner failed, using the cache", exit_code=1),
    ),
)
START_RULES: tuple[Rule, ...] = tuple(map(built, _RULES))
