"""What clouds refuse: by the code that they give, typed or as their tools print it."""

import pytest

from shared.diagnosis.rules import classify, classify_case, classify_log
from shared.diagnosis.sample import probed
from tests.unit.diagnosis.samples import ACCESS, DEPLOY, SETTING, STARTUP, evidence, host, named, network

Answer = tuple[str, str, str]
CODES: dict[str, tuple[str, Answer]] = {
    "AccessDeniedException": ("provider_access_denied", ACCESS),
    "UnauthorizedOperation": ("provider_access_denied", ACCESS),
    "PERMISSION_DENIED": ("provider_access_denied", ACCESS),
    "ExpiredTokenException": ("provider_credential_expired", ACCESS),
    "RequestExpired": ("provider_credential_expired", ACCESS),
    "InvalidClientTokenId": ("provider_credential_wrong", ACCESS),
    "SignatureDoesNotMatch": ("provider_credential_wrong", ACCESS),
    "NoCredentialProviders": ("provider_credential_missing", ACCESS),
    "ThrottlingException": ("provider_throttled", network("deploy")),
    "SlowDown": ("provider_throttled", network("deploy")),
    "TooManyRequestsException": ("provider_throttled", network("deploy")),
    "ServiceUnavailableException": ("provider_unavailable", network("deploy")),
    "EndpointConnectionError": ("provider_unavailable", network("deploy")),
    "InsufficientInstanceCapacity": ("provider_out_of_capacity", host("deploy")),
    "RESOURCE:MEMORY": ("provider_out_of_capacity", host("deploy")),
    "ServiceQuotaExceededException": ("provider_limit_reached", host("deploy")),
    "VcpuLimitExceeded": ("provider_limit_reached", host("deploy")),
    "ClusterNotFoundException": ("provider_thing_missing", DEPLOY),
    "NoSuchBucket": ("provider_thing_missing", DEPLOY),
    "ResourceNotFoundException": ("provider_thing_missing", DEPLOY),
    "InvalidAMIID.NotFound": ("provider_thing_missing", DEPLOY),
    "ResourceConflictException": ("provider_busy_with_it", DEPLOY),
    "BucketAlreadyExists": ("provider_name_taken", DEPLOY),
    "InvalidParameterException": ("provider_refused_parameters", DEPLOY),
}
FORMS = [
    "An error occurred ({}) when calling the UpdateService operation: no",
    "botocore.exceptions.ClientError: An error occurred ({}) when calling the UpdateService operation: no",
    "botocore.errorfactory.ClientException: An error occurred ({}) when calling the X operation: no",
    (
        "upload failed: ./a.html to s3://shop/a.html An error occurred ({}) when calling the PutObject"
        " operation: no"
    ),
    (
        "│ Error: creating ECS Service (shop): operation error ECS: CreateService, https response error"
        " StatusCode: 400,"
        " RequestID: 1, api error {}: no"
    ),
    (
        "2026/03/01 12:00:00 operation error S3: PutObject, https response error StatusCode: 400, api error"
        " {}: no"
    ),
    (
        "software.amazon.awssdk.services.ecs.model.EcsException: no (Service: Ecs, Status Code: 400; Error"
        " Code: {})"
    ),
]
WORDS: dict[str, tuple[str, str, Answer]] = {
    "no credential": (
        "Unable to locate credentials. You can configure credentials by running x",
        "provider_credential_missing",
        ACCESS,
    ),
    "no region": (
        "You must specify a region. You can also configure your region by running x",
        "provider_credential_missing",
        ACCESS,
    ),
    "sso": (
        "Error when retrieving token from sso: Token has expired and refresh failed",
        "provider_credential_expired",
        ACCESS,
    ),
    "gcloud": (
        "ERROR: (gcloud.run.deploy) PERMISSION_DENIED: Permission 'run.services.get' denied",
        "provider_access_denied",
        ACCESS,
    ),
    "gcloud, nobody": (
        "ERROR: (gcloud.run.deploy) You do not currently have an active account selected.",
        "provider_credential_missing",
        ACCESS,
    ),
    "azure": (
        "ERROR: (AuthorizationFailed) The client 'x' does not have authorization to perform action",
        "provider_access_denied",
        ACCESS,
    ),
    "azure, nobody": (
        "ERROR: Please run 'az login' to setup account.",
        "provider_credential_missing",
        ACCESS,
    ),
    "azure, expired": (
        "ERROR: AADSTS700082: The refresh token has expired due to inactivity.",
        "provider_credential_expired",
        ACCESS,
    ),
    "kubectl": (
        'Error from server (Forbidden): deployments.apps "shop" is forbidden: User "ci" cannot patch',
        "provider_access_denied",
        ACCESS,
    ),
    "kubectl, nobody": (
        "error: You must be logged in to the server (Unauthorized)",
        "provider_credential_wrong",
        ACCESS,
    ),
    "kubectl, no way": (
        "Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout",
        "provider_unavailable",
        network("deploy"),
    ),
    "endpoint": (
        'Could not connect to the endpoint URL: "https://ecs.example.com/"',
        "provider_unavailable",
        network("deploy"),
    ),
    "kubectl, not there": (
        'Error from server (NotFound): deployments.apps "shop" not found',
        "provider_thing_missing",
        DEPLOY,
    ),
    "quota": (
        'Error from server (Forbidden): pods "x" is forbidden: exceeded quota: team, requested: cpu=2',
        "provider_limit_reached",
        host("deploy"),
    ),
    "state lock": ("│ Error: Error acquiring the state lock", "provider_busy_with_it", DEPLOY),
    "helm, busy": (
        "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress",
        "provider_busy_with_it",
        DEPLOY,
    ),
    "helm, taken": (
        "Error: INSTALLATION FAILED: cannot re-use a name that is still in use",
        "provider_name_taken",
        DEPLOY,
    ),
}
CHATTER = [
    "INFO ThrottlingException seen, backed off, done",
    "ERROR AccessDenied for customer 17",
    "2026-03-01 12:00:00 WARN partner: ServiceUnavailable, using the cache",
    "cart: ExpiredToken 17 removed",
    "NotFoundException: Cannot GET /favicon.ico",
    "is nobody authorized to perform: a play?",
]


@pytest.mark.parametrize(("code", "expected"), CODES.items(), ids=CODES)
def test_a_typed_code_decides_before_any_text(code: str, expected: tuple[str, Answer]) -> None:
    log = "An error occurred (ValidationError) when calling X\nUnable to locate credentials"
    assert named(classify(evidence("deploy", log, "error", provider_code=code), SETTING)) == expected


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "code", ["AccessDenied", "ThrottlingException", "ClusterNotFoundException", "NoSuchKey"]
)
def test_a_code_counts_where_a_tool_puts_it(form: str, code: str) -> None:
    typed = classify(evidence("deploy", "", "error", provider_code=code), SETTING)
    assert named(classify(evidence("deploy", form.format(code), exit_code=1), SETTING)) == named(typed)
    assert classify_log(form.format(code)).rule == typed.rule


@pytest.mark.parametrize(("log", "rule", "answer"), WORDS.values(), ids=WORDS)
def test_a_tools_own_words_count(log: str, rule: str, answer: Answer) -> None:
    assert named(classify(evidence("deploy", log, exit_code=1), SETTING)) == (rule, answer)


@pytest.mark.parametrize("log", CHATTER)
def test_a_code_in_what_a_program_logs_does_not(log: str) -> None:
    assert classify(evidence("deploy", log, exit_code=1), SETTING).rule == "script_failed"
    assert named(classify(evidence("rollout", log, exit_code=1), SETTING)) == (
        "ended_before_listening",
        STARTUP,
    )


def test_a_log_of_a_tool_that_sets_a_place_up_is_about_its_setup() -> None:
    log = "│ Error: creating Bucket: operation error S3: CreateBucket, api error BucketAlreadyExists: x"
    assert classify_log(log).answer.stage == "setup"
    plain = "An error occurred (BucketAlreadyExists) when calling the CreateBucket operation"
    assert classify_log(plain).answer.stage == "deploy"


def test_what_a_probed_service_calls_is_its_own_affair() -> None:
    log = "botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling GetObject"
    assert classify_case(probed("status", 500, log), SETTING).answer.category == "health_check_failure"
    assert classify(evidence("rollout", log, exit_code=1), SETTING).rule == "provider_access_denied"
