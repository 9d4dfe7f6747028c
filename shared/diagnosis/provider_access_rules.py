"""Rules about credentials for a cloud or cluster: expired, missing, wrong, not allowed to do it. The
provider's own code first, as a fact or inside its tool's own form; a word such as "denied" says nothing.
"""

from shared.diagnosis.bare_log import of_no_probe
from shared.diagnosis.provider_words import coded
from shared.diagnosis.rule import Rule, access, first_of, line
from shared.diagnosis.sample import failed
from shared.diagnosis.tool_words import BOX, EVERYWHERE

WHOAMI = "aws sts get-caller-identity"
SIGNED_IN = "The provider's tool tells who it is signed in as, with the step's own credential."
ERROR = BOX + r"(?:Error|ERROR|error): "
TRANSFER = (
    r"(?:fatal error: |aws: (?:\[ERROR\]: |error: )?"
    r"|(?:upload|copy|move|download|delete) failed: .{0,300}? )?"
)

DENIED = frozenset({
    "AccessDenied", "AccessDeniedException", "AccessDeniedFault", "AllAccessDisabled", "AuthorizationError",
    "AuthorizationErrorException", "AuthorizationFailed", "AuthorizationPermissionMismatch", "Forbidden",
    "ForbiddenException", "KMSAccessDeniedException", "LinkedAuthorizationFailed", "NotAuthorized",
    "NotAuthorizedException", "OperationNotPermitted", "OptInRequired", "PERMISSION_DENIED", "Unauthorized",
    "UnauthorizedAccess", "UnauthorizedException", "UnauthorizedOperation", "403",
    "DENIED", "denied",
})  # fmt: skip
EXPIRED = frozenset({
    "ExpiredAuthenticationToken", "ExpiredCredentials", "ExpiredToken", "ExpiredTokenException",
    "RequestExpired", "RequestTimeTooSkewed", "SSOTokenExpired", "SSOTokenLoadError", "TokenExpired",
    "TokenRefreshRequired", "TokenRetrievalError", "UnauthorizedSSOTokenError",
})  # fmt: skip
WRONG = frozenset({
    "AuthFailure", "AuthenticationFailed", "IncompleteSignature", "IncompleteSignatureException",
    "InvalidAccessKeyId", "InvalidAuthenticationToken", "InvalidClientTokenId", "InvalidCredentials",
    "InvalidIdentityToken", "InvalidSignatureException", "InvalidToken", "SignatureDoesNotMatch",
    "UNAUTHENTICATED", "UnrecognizedClientException", "invalid_grant", "401",
    "AuthorizationHeaderMalformed", "InvalidClientSecret", "UNAUTHORIZED", "unauthorized",
    "InvalidAuthorizationException", "InvalidAuthenticationTokenTenant",
})  # fmt: skip
MISSING = frozenset({
    "CredentialUnavailable", "CredentialsError", "CredentialsNotLoaded", "CredentialsProviderError",
    "MissingAuthenticationToken", "MissingAuthenticationTokenException", "NoCredentialProviders",
    "NoCredentialsError", "NoCredentialsProvided", "PartialCredentialsError",
})  # fmt: skip

_RULES: tuple[Rule, ...] = (
    Rule(
        "provider_credential_expired",
        first_of(
            coded(EXPIRED),
            line(
                EVERYWHERE,
                r"(?:Error: |ERROR: )?(?:The SSO session associated with this profile has expired"
                r"|Error loading SSO Token)",
                r"(?:Error when retrieving token from sso: )?Token has expired and refresh failed",
                r"ERROR: AADSTS(?:70008|70043|700082|50173|700084)\b",
                r"ERROR: (?:\(gcloud\.[\w.-]{1,80}\) )?(?:There was a problem refreshing your current auth"
                r" tokens|Reauthentication failed)",
                r"(?:google\.auth\.exceptions\.)?RefreshError: ",
                r"denied: Your authorization token has expired",
                r"(?:CannotPullContainerError|ResourceInitializationError): .{0,360}(?:token|credentials?)"
                r" (?:has|have|is) expired",
                ERROR + r".{0,300}(?:ExpiredToken|token .{0,60} is expired)",
            ),
        ),
        "The credential for the provider was right once and has expired.",
        (WHOAMI,),
        answer=access,
        home="deploy",
        check=(
            "How long the credential is valid, against how long the step waited and ran.",
            "Whether it is renewed by itself: a copied session token is not.",
            "Whether the target's clock is right: a request from the past counts as expired.",
        ),
        done_when=SIGNED_IN,
        confidence="certain",
        example=failed("deploy", kind="error", provider_code="ExpiredTokenException"),
        near_miss=failed("deploy", "cart: ExpiredToken 17 removed", exit_code=1),
    ),
    Rule(
        "provider_credential_missing",
        first_of(
            coded(MISSING),
            line(
                EVERYWHERE,
                TRANSFER + r"(?:[\w.]{0,60}NoCredentialsError: )?Unable to locate credentials\b",
                TRANSFER + r"(?:[\w.]{1,80}: )?Partial credentials found in ",
                BOX + r"(?:Error: )?(?:No valid credential sources? found|[Ff]ailed to refresh cached"
                r" credentials)",
                BOX + r"Error: (?:error )?configuring Terraform AWS Provider: ",
                BOX + r".{0,200}NoCredentialProviders: no valid providers in chain",
                r"(?:Uncaught )?CredentialsProviderError: ",
                r"(?:Caused by: )?\S{0,80}SdkClientException: Unable to load credentials",
                r"(?:ERROR|Error): \(gcloud\.[\w.-]{1,80}\) You(?:r current active acc| do not currently"
                r" have an ac)",
                r"(?:[\w.]{0,60}DefaultCredentialsError: |Error: )?(?:Your default credentials were not found"
                r"|Could not load the default credentials)",
                BOX + r"(?:Error: )?.{0,120}could not find default credentials",
                r"(?:ERROR: )?Please run 'az login' to setup account",
                r"\S{0,60}CredentialUnavailable(?:Error)?: ",
                r"(?:aws: \[ERROR\]: |[\w.]{0,60}ProfileNotFound: )?The config profile \(.{1,100}\) could"
                r" not be found",
                r"(?:aws: \[ERROR\]: |[\w.]{0,60}NoRegionError: )?You must specify a region",
                r"(?:Error: )?(?:Need to perform AWS calls for account \S{1,40}, but no credentials"
                r"|Unable to resolve AWS account)",
                r"Error: (?:AWS provider credentials not found|Could not load credentials from any"
                r" providers)",
                r"The connection to the server localhost:8080 was"
                r" refused",  # what kubectl asks without a config
            ),
        ),
        "The step calls a provider, and no credential for it was found where the tool looks.",
        ("aws configure list", "kubectl config current-context"),
        answer=access,
        home="deploy",
        check=(
            "Whether the step's env gives the credential, under the names that the tool reads.",
            "Whether the machine has a role where the tool asks the machine for one.",
            "Whether the profile or context that is named exists for the user who runs the step.",
        ),
        done_when=SIGNED_IN,
        confidence="certain",
        example=failed("deploy", "Unable to locate credentials. You can configure them.", exit_code=253),
        near_miss=failed("deploy", "note: unable to locate credentials helper, using the file", exit_code=1),
    ),
    Rule(
        "provider_credential_wrong",
        first_of(
            coded(WRONG),
            line(
                EVERYWHERE,
                r"ERROR: AADSTS\d{5,7}: ",
                r"error: You must be logged in to the server",
                r"(?:Unable to connect to the server: |Error: .{0,60}cluster unreachable: .{0,200})getting"
                r" credentials: ",
                r"E\d{4} .{10,60}\].{0,80}the server has asked for the client to provide credentials",
                r"Error: (?:\w{1,20} FAILED: )?(?:Kubernetes cluster unreachable: )?the server has asked"
                r" for the client to provide credentials",
                r"(?:[\w.]{1,80}: )?\('?invalid_grant\b",
                ERROR + r".{0,300}The security token included in the request is invalid",
                r"ERROR: \(gcloud\.auth[\w.-]{0,80}\) ",
            ),
        ),
        "The provider does not know the credential: the key is wrong, was deleted, or is of another account.",
        (WHOAMI,),
        answer=access,
        home="deploy",
        check=(
            "Whether the key still exists at the provider, and is active.",
            "Whether id and secret belong together, whole and without spaces.",
            "Whether it is a key of another account, region or kind of cloud.",
        ),
        done_when=SIGNED_IN,
        confidence="certain",
        example=failed(
            "deploy", "An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity"
        ),
        near_miss=failed("deploy", "An error occurred (ExpiredToken) when calling the GetCallerIdentity"),
    ),
    Rule(
        "provider_access_denied",
        first_of(
            coded(DENIED),
            line(
                EVERYWHERE,
                r"Error from server \(Forbidden\): (?!.{0,300}exceeded quota: )",
                r"Error: .{0,240} is forbidden: User \"",
                BOX
                + r"(?:Error|ERROR): .{0,300}(?:AccessDenied|is not authorized to perform|googleapi: Error"
                r" 403(?!.{0,200}(?i:quota|rateLimit)))",
                r"(?:[\w:/. -]{0,120} )?is not authorized to perform: [\w-]{1,40}:",
                r"User: arn:aws:\S{1,200} is not authorized to perform",
                r"(?:.{0,80} )?ECS was unable to assume the role ",
                r"(?:Error: )?(?:Could not assume role with|Not authorized to perform sts:)",
                BOX + r"Error: Cannot assume IAM Role",
                r"ERROR: (?:HTTPError 403: |Operation returned an invalid status 'Forbidden')",
                TRANSFER + r"An error occurred \(403\)",
                r"(?:[\w.$]{1,120}\.)?\w{1,40}Exception: .{0,240}\(Service: \w{1,60}, Status Code: 403",
                r"ERROR: \(gcloud\.[\w.-]{1,80}\) .{0,200}(?:PERMISSION_DENIED|does not have permission"
                r"|[Pp]ermission .{1,80} denied)",
                r"(?:AccessDeniedException|ResponseError|ServiceException): 40[13] ",
            ),
        ),
        "The provider knows the credential, and does not allow it what the step does.",
        (WHOAMI,),
        answer=access,
        home="deploy",
        check=(
            "Which action on what the message names, and whether the role's policy allows it there.",
            "Whether the step runs as the role and in the account that are meant.",
            "Whether a boundary, an organisation's policy or the resource's own policy denies it.",
        ),
        done_when="The same action with the step's credential is allowed, and the step passes.",
        confidence="certain",
        example=failed("deploy", "An error occurred (AccessDeniedException) when calling UpdateService"),
        near_miss=failed("rollout", "ERROR AccessDenied for customer 17", exit_code=3),
    ),
    Rule(
        "platform_login_refused",
        line(
            EVERYWHERE,
            r"Error: (?:Invalid credentials provided|Not logged in|No access token available|The specified"
            r" token is not"
            r" valid|Failed to authenticate, have you run|Required token could not be found|Unable to"
            r" initialize \S{1,40}"
            r" API client: access token is required|Authentication (?:error|failed|required)\b"
            r"|unauthorized$|Unauthorized$)",
            r"(?:\S{0,3} ?)?(?:\[ERROR\] )?(?:A request to the \S{1,30} API .{1,200}failed.{0,60}"
            r"|Authentication error \[code: \d)",
            r"(?:\[ERROR\] |Error: )?In a non-interactive environment, it's necessary to set a"
            r" \w{1,40}_TOKEN",
            r"(?:gh|glab): (?:Bad credentials|401|HTTP 40[13])|HTTP 401: Bad credentials",
            r"error: (?:\w{1,40}_ACCESS_TOKEN must be set for login|Unauthorized$|Invalid token|Not"
            r" authorized)",
            r"\s{0,4}caused by: .{0,80}(?:Invalid token|Unauthorized|Permission denied).{0,20}\(http"
            r" status: 40[13]\)",
            r"Code: 40[13]\. Errors:$",  # Vault
            r"Error (?:making API request|reading|writing|authenticating).{0,200}(?:Code: 40[13]"
            r"|permission denied)",
            r"Failed to get the data key required to decrypt the SOPS file",
            r"ERROR! Decryption failed",
            r"(?:Login failed: )?530 (?:Login|User|Authentication)|Login failed: 530",
            r"fatal: \[\S{1,120}\]: UNREACHABLE! => .{0,300}Permission denied \(",
            r"Error: .{0,200}: 401 Unauthorized$",
        ),
        "The platform that the step talks to refused its login: the token is missing, wrong or expired.",
        ("env | cut -d= -f1",),
        answer=access,
        home="deploy",
        check=(
            "Whether the step's env has the token, under the name that the tool reads.",
            "Whether the token is still valid, and of the account or team that owns what is deployed.",
        ),
        done_when="The tool tells who it is signed in as, with the step's own token.",
        confidence="certain",
        example=failed("deploy", "Error: No access token available. Please login", exit_code=1),
        near_miss=failed("deploy", "Error: No access to the stock", exit_code=1),
    ),
)
PROVIDER_ACCESS_RULES: tuple[Rule, ...] = tuple(map(of_no_probe, _RULES))
