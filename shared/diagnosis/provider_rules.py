"""Rules about clouds: what their interfaces refuse, by the code that they give."""

from shared.diagnosis.bare_log import of_no_probe, planned
from shared.diagnosis.last_words import PROGRAMS
from shared.diagnosis.provider_words import (
    BUSY,
    CAPACITY,
    LIMITED,
    TAKEN,
    THROTTLED,
    UNAVAILABLE,
    coded,
    not_there,
)
from shared.diagnosis.rule import Rule, first_of, infrastructure, line, network
from shared.diagnosis.sample import failed

LOGS = "windlass logs {pipeline} {revision} --stage {stage}"
WHOAMI = "aws sts get-caller-identity"
AGAIN = "windlass retry {pipeline} {stage}"

PLACE = r"(?:\(service \S{1,120}\)|service \S{1,120}) was unable to place a task"
NODES = r"(?:.{0,160} )?\d{1,4}/\d{1,5} nodes are available: "

_RULES: tuple[Rule, ...] = (
    Rule(
        "provider_throttled",
        first_of(
            coded(THROTTLED),
            line(
                PROGRAMS,
                r"(?:(?:\u2502 ?)?Error: |An error occurred ).{0,360}(?:Rate exceeded|ThrottlingException"
                r"|Throttling: )",
                r"ERROR: .{0,200}(?:Quota exceeded for quota metric|rateLimitExceeded|RATE_LIMIT_EXCEEDED)",
                r"(?:CannotPullContainerError|ResourceInitializationError): .{0,360}(?:toomanyrequests"
                r"|Rate exceeded)",
                r"Error from server \(TooManyRequests\): ",
                r"(?:\u2502 ?)?Error: .{0,300}(?:rateLimitExceeded|RATE_LIMIT_EXCEEDED)",
                r"Error: You have been rate limited|Error: .{0,100}API rate limit exceeded",
            ),
        ),
        "The provider answers no more for the moment: it was asked too often.",
        (AGAIN,),
        answer=network,
        home="deploy",
        check=(
            "Whether many steps or pipelines ask the same account at the same time.",
            "Whether the provider can raise the limit of that action.",
        ),
        done_when="A retry passes.",
        confidence="certain",
        example=failed(
            "deploy", "An error occurred (ThrottlingException) when calling the UpdateStack operation"
        ),
        near_miss=failed("deploy", "INFO ThrottlingException seen, backed off, done", exit_code=1),
    ),
    Rule(
        "provider_unavailable",
        first_of(
            coded(UNAVAILABLE),
            line(
                PROGRAMS,
                r"(?:aws: \[ERROR\]: |fatal error: |upload failed: .{1,300} |[\w.]{0,60}\w{0,20}Error: )?"
                r"(?:Could not connect to the endpoint URL|Connect(?:ion)? timeout on endpoint URL|Read"
                r" timeout on"
                r" endpoint URL|Connection was closed before we received a valid response from endpoint)",
                r"Unable to connect to the server: (?!x509|getting credentials)",
                r"(?:Unhandled Error|E\d{4} .{10,60}\]).{0,60}couldn't get current server API group list:"
                r" .{0,200}dial",
                r"Error: (?:UPGRADE FAILED: |INSTALLATION FAILED: )?Kubernetes cluster unreachable: (?!the"
                r" server has)",
                r"(?:\u2502 ?)?Error: .{0,300}(?:dial tcp|i/o timeout|connection reset by peer|TLS"
                r" handshake timeout|no such host|context deadline exceeded \(Client)",
                r"ERROR: (?:gcloud crashed \((?:\w{0,30}Connection\w{0,10}|TransportError)\)|.{0,100}Max"
                r" retries exceeded)",
                r"(?:Error from server: )?etcdserver: (?:request timed out|leader changed)",
                r"Error from server \((?:ServiceUnavailable|Timeout|InternalError|GatewayTimeout)\): ",
                r"Error: .{0,200}(?:dial tcp|TLS handshake timeout|http2: client connection lost"
                r"|unexpected EOF$)",
                r"(?:\u2502 ?)?Error: .{0,300}RequestError: send request failed",
                r"An HTTP Client raised an unhandled exception: ",
            ),
        ),
        "The provider could not be reached, or had an error of its own.",
        (AGAIN,),
        answer=network,
        home="deploy",
        check=(
            "Whether the provider tells of a disturbance in that region.",
            "Region and address in the step's settings: a region that does not exist has no address.",
            "Whether the target may reach the provider at all: proxy, firewall, a private network.",
        ),
        done_when="A retry passes.",
        example=failed("deploy", 'Could not connect to the endpoint URL: "https://ecs.nowhere.example.com/"'),
        near_miss=failed("deploy", "The connection to the server localhost:8080 was refused", exit_code=1),
    ),
    Rule(
        "provider_out_of_capacity",
        first_of(
            coded(CAPACITY),
            line(
                PROGRAMS,
                PLACE + r".{0,300}(?:insufficient|No Container Instances were found|CPU units|RESOURCE:(?:CPU"
                r"|MEM))",
                PLACE + r".{0,200}Capacity is unavailable",
                NODES + r".{0,200}\b[Ii]nsufficient ",
                NODES + r".{0,200}Too many pods",
                r"(?:(?:\u2502 ?)?Error: |ERROR: |An error occurred"
                r" ).{0,360}(?:InsufficientInstanceCapacity|do not have"
                r" sufficient .{1,60} capacity|ZONE_RESOURCE_POOL_EXHAUSTED)",
                r"Capacity is unavailable at this time",
                r"(?:ERROR: .{0,200})?The zone '[^']{1,120}' does not have enough resources available",
                r"(?:STOPPED \()?(?:.{0,60}: )?Timeout waiting for network interface provisioning to"
                r" complete",
                r".{0,60}The requested VM size .{0,120}is currently not available",
            ),
        ),
        "There is no room for it: the cluster or the provider has too little processor, memory or machines"
        " free.",
        ("kubectl describe nodes", "aws ecs describe-clusters --clusters CLUSTER --include STATISTICS"),
        answer=infrastructure,
        home="rollout",
        check=(
            "What it asks for (processor, memory, ports, zone), against what any one machine has free.",
            "Whether old and new release must find room side by side during the rollout.",
            "Whether another zone or kind of machine has capacity.",
        ),
        done_when="The task or pod is placed and starts.",
        confidence="certain",
        example=failed(
            "rollout",
            "(service web) was unable to place a task: the closest matching instance has insufficient"
            " memory available.",
            "target",
        ),
        near_miss=failed("rollout", "(service web) has reached a steady state.", "target"),
    ),
    Rule(
        "placement_not_possible",
        first_of(
            coded({"Unschedulable", "FailedScheduling", "RESOURCE:PORTS", "ATTRIBUTE"}),
            line(PROGRAMS, PLACE, NODES),
        ),
        "No machine of the cluster may take it: what it asks for (a port, an attribute, a zone) none has"
        " free.",
        ("kubectl describe pod POD", "aws ecs describe-services --cluster CLUSTER --services SERVICE"),
        home="rollout",
        check=(
            "A fixed port on the host: two copies of it do not fit on one machine.",
            "Selectors, affinities, taints and constraints, against the machines that there are.",
            "Whether a volume ties it to a zone without machines.",
        ),
        done_when="The task or pod is placed and starts.",
        confidence="certain",
        example=failed(
            "rollout",
            "(service web) was unable to place a task: the closest matching instance is already using a port"
            " required by your task.",
            "target",
        ),
        near_miss=failed("rollout", "(service web) has started 1 tasks: (task 7).", "target"),
    ),
    Rule(
        "provider_limit_reached",
        first_of(
            coded(LIMITED),
            line(
                PROGRAMS,
                r"(?:\u2502 ?)?Error: .{0,300}(?:LimitExceeded|QuotaExceeded|Quota '[^']{1,80}' exceeded)",
                r"Error from server \(Forbidden\): .{0,300}exceeded quota: ",
                r"(?:.{0,120} )?Error creating: pods .{0,200}exceeded quota: ",
                r"ERROR: .{0,240}Quota '?[\w-]{1,80}'? exceeded",
            ),
        ),
        "A limit of the account is reached: the provider gives no more of it.",
        ("aws service-quotas list-service-quotas --service-code SERVICE",),
        answer=infrastructure,
        home="deploy",
        check=(
            "Which limit the message names, and how much of it is used by what.",
            "Whether something old can go, or the provider raises the limit.",
        ),
        done_when="The use is below the limit, and a retry passes.",
        confidence="certain",
        example=failed("deploy", kind="error", provider_code="ServiceQuotaExceededException"),
        near_miss=failed("deploy", kind="error", provider_code="ThrottlingException"),
    ),
    Rule(
        "provider_busy_with_it",
        first_of(
            coded(BUSY),
            line(
                PROGRAMS,
                r"Error: (?:UPGRADE|INSTALLATION|ROLLBACK) FAILED: another operation .{0,60}is in progress",
                r"(?:\u2502 ?)?Error: Error acquiring the state lock",
                r"Error from server \(Conflict\): ",
                r"An error occurred \(ValidationError\).{0,300}_IN_PROGRESS state and can ?not be updated",
            ),
        ),
        "Something else changes the same thing at the same time, or left it locked.",
        (LOGS,),
        home="deploy",
        check=(
            "Whether another pipeline, or a person, deploys to the same place.",
            "Whether a run that was ended half-way left its lock: then a person frees it.",
        ),
        done_when="Nobody else changes it, and a retry passes.",
        confidence="certain",
        example=failed("deploy", "\u2502 Error: Error acquiring the state lock", exit_code=1),
        near_miss=failed("deploy", "Acquiring state lock. This may take a few moments...", exit_code=1),
    ),
    Rule(
        "provider_name_taken",
        first_of(
            coded(TAKEN),
            line(
                PROGRAMS,
                r"Error from server \(AlreadyExists\): ",
                r"Error: INSTALLATION FAILED: cannot re-use a name that is still in use",
                r"(?:\u2502 ?)?Error: .{0,300}(?:already exists|AlreadyExists)",
                r".{0,300}\(HandlerErrorCode: AlreadyExists\)",
            ),
        ),
        "The step makes something whose name is taken already.",
        (LOGS,),
        home="deploy",
        check=(
            "Whether it was made by hand or by another pipeline: then take it in, or use another name.",
            "Whether an earlier run made it and lost its note of that.",
        ),
        done_when="The step finds or makes it, and passes.",
        confidence="certain",
        example=failed(
            "deploy", "An error occurred (BucketAlreadyExists) when calling the CreateBucket operation"
        ),
        near_miss=failed("deploy", "mkdir: cannot create directory 'out': File exists", exit_code=1),
    ),
    Rule(
        "provider_thing_missing",
        first_of(
            coded(not_there),
            line(
                PROGRAMS,
                r"Error from server \(NotFound\): ",
                r"error: the server doesn't have a resource type ",
                r"fatal error: An error occurred \(404\)",
                r"Error: (?:UPGRADE FAILED: )?\"[^\"]{1,120}\" has no deployed releases",
                r"error: (?:context|no context exists with the name:?) .{0,120}",
                r"error: (?:resource mapping not found|unable to recognize) ",
                r"(?:\u2502 ?)?Error: .{0,300}(?:NoSuchBucket|NoSuchEntity|ResourceNotFound|couldn't find"
                r" resource|empty result|S3 bucket .{1,100} does not exist)",
            ),
        ),
        "What the step names does not exist at the provider, in that account and region.",
        (WHOAMI,),
        home="deploy",
        check=(
            "The name in the step, letter by letter.",
            "Account, region, cluster and namespace: it may exist in another.",
            "Whether a step before it should have made it.",
        ),
        done_when="The provider's tool shows it, with the step's credential and region.",
        confidence="certain",
        example=failed(
            "deploy", "An error occurred (ClusterNotFoundException) when calling the UpdateService"
        ),
        near_miss=failed("deploy", "GET /cart: NotFound", exit_code=1),
    ),
)
PROVIDER_RULES: tuple[Rule, ...] = tuple(of_no_probe(planned(each)) for each in _RULES)
