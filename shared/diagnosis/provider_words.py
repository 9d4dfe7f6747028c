"""How clouds name what went wrong: their error codes, typed or as their tools print them.

A code that the caller has typed decides before any text. In text it counts only where a tool puts it:
`An error occurred (CODE) when calling ...`, `api error CODE: ...`, `ERROR: (gcloud.x) CODE: ...`.
"""

import re
from collections.abc import Callable, Collection
from functools import lru_cache

from shared.diagnosis.evidence import Case, Phase
from shared.diagnosis.last_words import SERVES, tells
from shared.diagnosis.rule import SETTLED, Find, Finding, last_lines

Holds = Callable[[str], bool]

_SAID = re.compile(  # the code of an outside system, in its tool's form
    r"(?:[\w.]{0,100}(?:Error|Exception): |aws: (?:\[ERROR\]: |error: )?|fatal error: |Error: |upload"
    r" failed: .{1,300}? "
    r"|(?:upload|copy|download|delete|move) failed: .{1,300}? )?An error occurred \((?P<aws>[\w.:]{2,80})\)"
    r"|(?:(?:[\u2502\u2577] ?)?Error: |error: |\d{4}/\d\d/\d\d [\d:]{8} |panic: ).{1,360}?"
    r"\bapi error (?P<go>[\w.:]{2,80}): "
    r"|(?:(?:[\u2502\u2577] ?)?Error: |error: ).{1,240}?: (?P<old>[A-Z][A-Za-z.]{4,60}): .{0,300}"
    r"|ERROR: \(gcloud\.[\w.-]{1,80}\) (?:ResponseError: code=\d{3},"
    r" message=)?(?P<gcloud>[A-Z][A-Z_]{4,40})\b|(?:ERROR: )?\((?P<azure>[A-Z]\w{3,80})\) "
    r"|Code: (?P<azure_code>[A-Z]\w{3,80})$"
    r"|(?:Uncaught )?(?P<node>AccessDenied(?:Exception)?|ExpiredToken(?:Exception)?|ThrottlingException"
    r"|NoSuchBucket|NoSuchKey|ResourceNotFoundException|InvalidAccessKeyId|SignatureDoesNotMatch"
    r"|UnrecognizedClientException): "
    r"|.{0,400}?\(Service: [\w ]{1,60}(?:; |, )Status Code: \d{3}(?:; |, )Error Code:"
    r" (?P<service>[\w.]{2,80})|.{0,400}?\(HandlerErrorCode: (?P<handler>\w{2,60})\)"
    r"|\u274c {1,3}.{0,240}?\b(?P<cdk>[A-Z]\w{3,60}): "  # CDK
    r"|(?P<ecs>CannotPullContainerError|CannotPullImageManifestError|ResourceInitializationError"
    r"|CannotStartContainerError"
    r"|CannotCreateContainerError|ContainerRuntimeError|ContainerRuntimeTimeoutError|InternalError): "
)


def coded(holds: Holds | Collection[str], phases: Collection[Phase] | None = None) -> Find:
    """Find a provider's code: the typed one, else the first that a tool prints."""
    wanted: Holds = holds if callable(holds) else holds.__contains__

    def find(case: Case) -> Finding | None:
        if phases is not None and case.phase not in phases and case.phase != "unknown":
            return None
        if case.provider_code:
            known = wanted(case.provider_code) or wanted(bare(case.provider_code))
            return Finding(SETTLED, last_lines(case)) if known else None
        spoken = _printed(case.lines) if _may_speak(case) else ()
        place = next((place for place, code in spoken if wanted(code)), None)
        return None if place is None else Finding(place, (place,))

    return find


@lru_cache(maxsize=4)
def _printed(lines: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    """Return the codes that tools printed, with their places; every rule about codes asks for them."""
    said = ((place, _SAID.match(text)) for place, text in enumerate(lines))
    codes = ((place, next(filter(None, match.groups()), "")) for place, match in said if match)
    return tuple((place, bare(code)) for place, code in codes if code)


def bare(code: str) -> str:
    """Return a code without the service that some put before it, or the kind that some put after it."""
    return code.rpartition("#")[2].partition(":")[0]


def _may_speak(case: Case) -> bool:
    return case.phase not in SERVES or tells(case)


THROTTLED = frozenset({
    "429", "BandwidthLimitExceeded", "EC2ThrottledException", "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException", "RATE_LIMIT_EXCEEDED", "RequestLimitExceeded",
    "RequestThrottled", "RequestThrottledException", "ServerBusy", "SlowDown", "Throttled",
    "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequests",
    "TooManyRequestsException", "TransactionInProgressException",
    "TOOMANYREQUESTS",
})  # fmt: skip
UNAVAILABLE = frozenset({
    "500", "502", "503", "504", "ConnectTimeoutError", "DEADLINE_EXCEEDED", "EndpointConnectionError",
    "GatewayTimeout", "InternalError", "InternalServerError", "InternalServerException", "RequestTimeout",
    "RequestTimeoutException", "ServerException", "ServiceException", "ServiceInternalErrorException",
    "ServiceUnavailable", "ServiceUnavailableException", "UNAVAILABLE", "Unavailable",
    "BadGateway", "ECONNRESET", "ETIMEDOUT", "ECONNREFUSED",
})  # fmt: skip
CAPACITY = frozenset({
    "AllocationFailed", "CapacityNotAvailable", "CapacityUnavailable", "InsufficientCapacity",
    "InsufficientCapacityException", "InsufficientDBInstanceCapacity", "InsufficientHostCapacity",
    "InsufficientInstanceCapacity", "InsufficientReservedInstanceCapacity",
    "OverconstrainedAllocationRequest", "RESOURCE:CPU", "RESOURCE:ENI", "RESOURCE:MEMORY",
    "SkuNotAvailable", "ZONE_RESOURCE_POOL_EXHAUSTED", "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS",
    "ZonalAllocationFailed",
    "Evicted", "ENOSPC", "SpotInterruption",
})  # fmt: skip
LIMITED = frozenset({
    "AddressLimitExceeded", "CodeStorageExceededException", "InstanceLimitExceeded", "LimitExceeded",
    "LimitExceededException", "MaxSpotInstanceCountExceeded", "QUOTA_EXCEEDED", "QuotaExceeded",
    "RESOURCE_EXHAUSTED", "ServiceLimitExceeded", "ServiceLimitExceededException",
    "ServiceQuotaExceededException", "StorageQuotaExceeded", "SubscriptionLimitReached", "TooManyBuckets",
    "VcpuLimitExceeded", "VpcLimitExceeded",
})  # fmt: skip
TAKEN = frozenset({
    "ALREADY_EXISTS", "AlreadyExists", "AlreadyExistsException", "BucketAlreadyExists",
    "BucketAlreadyOwnedByYou", "DBInstanceAlreadyExists", "DuplicateListener", "EntityAlreadyExists",
    "EntityAlreadyExistsException", "InvalidGroup.Duplicate", "RepositoryAlreadyExistsException",
    "ResourceAlreadyExistsException", "StorageAccountAlreadyTaken",
})  # fmt: skip
BUSY = frozenset({
    "ABORTED", "AnotherOperationInProgress", "ConcurrentModificationException", "Conflict",
    "ConflictException", "DependencyViolation", "DistributionNotDisabled", "IncorrectState",
    "InvalidChangeBatch", "InvalidDBInstanceState", "OperationAborted", "OperationInProgressException",
    "ResourceConflictException", "ResourceInUse", "ResourceInUseException", "ResourceNotReady",
    "UpdateInProgress", "UpdateInProgressException",
})  # fmt: skip
INVALID = frozenset({
    "BadRequest", "BadRequestException", "ClientException", "FAILED_PRECONDITION", "INVALID_ARGUMENT",
    "InvalidArgument", "InvalidInput", "InvalidParameter", "InvalidParameterCombination",
    "InvalidParameterException", "InvalidParameterValue", "InvalidParameterValueException",
    "InvalidRequest", "InvalidRequestException", "InvalidTemplate", "InvalidTemplateDeployment",
    "MalformedPolicyDocument", "MalformedPolicyDocumentException", "MalformedXML", "MissingParameter",
    "ParamValidation", "PlatformTaskDefinitionIncompatibilityException", "UnsupportedFeatureException",
    "UnsupportedOperation", "ValidationError", "ValidationException",
})  # fmt: skip
_NOT_THERE = re.compile(
    r"(?:NoSuch\w{1,60}|\w{0,60}Not_?Found(?:Exception|Fault|Error)?|NOT_FOUND|404|InvalidAMIID\.NotFound"
    r"|Invalid\w{1,40}\.NotFound|NonExistentQueue|ServiceNotActiveException|MISSING"
    r"|\w{0,40}DoesNotExist\w{0,20})"
)


def not_there(code: str) -> bool:
    """Tell whether the code says that something named does not exist."""
    return _NOT_THERE.fullmatch(code) is not None
