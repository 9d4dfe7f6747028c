"""Rules about credentials for repositories and registries: refused, missing, or asked for and not given."""

import re

from shared.diagnosis.evidence import Case
from shared.diagnosis.network_words import BROKEN
from shared.diagnosis.rule import Finding, Rule, access, block, first_of, line
from shared.diagnosis.sample import failed
from shared.diagnosis.tool_words import (
    AGAIN,
    DOCKER,
    EVERYWHERE,
    GIT,
    GOT_OVER,
    MAKES,
    NPM,
    PNPM,
    STARTS,
    TOOLS,
    TREE,
    YARN,
)

GIT_REFUSED = (
    GIT + r"fatal: Authentication failed for ",
    GIT + r"(?:fatal|error): could not read (?:Username|Password) for ",
    GIT + r"fatal: unable to access .{0,300}: The requested URL returned error: 40[13]",
    GIT
    + r"remote: (?:Invalid username or (?:password|token)|HTTP Basic: Access denied|Repository not found)",
    GIT + r"remote: (?:Permission to \S{1,200} denied|Write access to repository not granted"
    r"|Invalid credentials)",
    GIT + r"remote: (?:Support for password authentication was removed|Unauthorized|Forbidden\b)",
    GIT + r"remote: (?:The project you were looking for could not be found|You are not allowed to )",
    GIT + r"remote: (?:ERROR: |GitLab: )?(?:Authentication failed|Access denied|You may not have access)",
    r"ERROR: (?:Permission to \S{1,200} denied|The project you were looking for)",
    GIT + r"remote: (?:GitLab: )?You are not allowed to |remote: error: GH006: ",
    r" ! \[remote rejected\] .{1,200} \((?:pre-receive hook declined|protected branch|permission denied)",
    r"ERROR: The key you are authenticating with has been marked as read only",
    GIT + r"(?:\S{1,200}: )?Permission denied \((?:publickey|password|keyboard|gssapi)",
    GIT + r"(?:Received disconnect from .{1,100}: )?Too many authentication failures",
    r"Load key \".{1,200}\": (?:invalid format|error in libcrypto|Permission denied|bad permissions)",
    r"batch response: (?:Authentication required|Authorization error|.{0,60}credentials)",  # LFS
    TREE + r"failed to authenticate when downloading repository",  # Cargo
)
PACKAGES_REFUSED = (
    r"User for \S{1,200}: |Enter your (?:username|API token|password): ",
    NPM + r"Unable to authenticate, ",
    NPM + r"404 (?:404 )?Not Found - PUT ",  # who may not write is told that it is not there
    r"\[ERROR\] .{0,600}?Return code is: 40[13]\b",
    TREE + r"Username must not be null",
    r".{0,300}was refused by the server: (?:Unauthorized|Forbidden)",
    r"HTTPError: 40[13] (?:Unauthorized|Forbidden) from ",
    r"(?:error: )?Missing credentials for https?:",
    r"\s{0,8}Invalid credentials \(HTTP 40[13]\) for ",
    r"Your \S{1,60} credentials aren't set|Access Denied\. Please sign up for an account",  # RubyGems
    r"@ERROR: auth failed on module ",
    NPM + r"code (?:E401|E403|ENEEDAUTH|EOTP)\b",
    PNPM + r"FETCH_40[13]\b",
    PNPM + r"(?:UNAUTHORIZED|AUTH_|NO_AUTH)",
    r"error .{0,300}: \"?Request failed \\?\"40[13]\b",  # yarn
    r"error .{0,300}(?:returned a 40[13]|authentication token|Unauthorized\b)",
    YARN + r"(?:Invalid authentication|.{0,200}Response Code: 40[13]\b|No authentication configured)",
    r"error: (?:GET|POST|PUT) \S{1,300} - 40[13]\b",  # Bun
    r"ERROR: (?:HTTP error 40[13]|40[13] Client Error)",  # pip
    r"WARNING: 401 Error, Credentials not correct for",
    r"ERROR: HTTPError: 40[13] |ERROR\s{1,8}HTTPError: 40[13] ",  # twine
    TREE + r"HTTP status client error \(40[13] ",  # uv
    TREE + r".{0,300}(?:lack of valid authentication credentials|returned a 403 Forbidden error)",
    TREE + r"Missing credentials for ",
    r"\s{0,8}HTTP Error 40[13]: ",  # Poetry
    r"\s{0,8}(?:Source \(.{1,100}\): )?Authorization error accessing ",
    r"HTTP request sent, awaiting response\.\.\. 40[13] ",  # wget
    TREE + r"the remote server responded with an error \(status 40[13]\b",
    r"curl: \((?:67|9)\) ",
    r"(?:gh: |error: )?HTTP 40[13]: ",
    r"\s{0,8}40[13] Client Error: (?:Unauthorized|Forbidden) for url",
    TREE + r"(?:error: )?no token found\b",  # Cargo
    TREE + r".{0,300}failed to get successful HTTP response from .{0,300}got 40[13]\b",
    TREE + r".{0,200}authenticated registries require|error: token rejected for ",
    r"(?:go: |\s{1,8}|\S{1,200}: ).{0,300}reading https?://\S{1,300}: 40[13] ",
    (
        r"\[(?:ERROR|FATAL|WARNING)\] .{0,600}?(?:status(?: code)?: 40[13]\b|Not authorized\b"
        r"|authentication failed for "
        r"|authorization failed for )"
    ),  # Maven
    TREE + r"Could not (?:GET|HEAD|PUT) '.{0,300}'\. Received status code 40[13] ",  # Gradle
    r"(?:Authentication is required for |Bad username or password for |Access token could not be auth)",
    r"ERROR:  While executing gem .{0,40}(?:Unauthorized|HTTP 40[13])",
    r"\s{0,8}(?:Could not authenticate against |Invalid credentials for ')",  # Composer
    (
        r"\s{0,8}The ['\"].{1,300}['\"] (?:file|URL) could not be (?:downloaded"
        r"|accessed).{0,12}HTTP/\S{1,4} 40[13]\b"
    ),
    r"\s{0,8}curl error 22 while downloading .{0,300}: 40[13]\b",
    r".{0,300}error (?:NU1301|NU1303|NU1900): .{0,300}40[13] \(",  # NuGet
    r"\s{0,8}(?:error: )?Response status code does not indicate success: 40[13] \(",
    r"E: (?:Failed to fetch|The repository) .{0,300}?\s40[13] {1,3}(?:Unauthorized|Forbidden)",  # apt
    r"Error: .{0,200}(?:failed to (?:fetch|download)|looks like) .{0,200}: 40[13] ",  # Helm
    r"curl: \(22\) The requested URL returned error: 40[13]\b",
)
_HOSTING = (  # what deploys to somebody's platform
    (
        r"\s{0,4}(?:\u25b8 {1,4}|Error[:!] |\u2718 \[ERROR\] |error: )?(?:Invalid credentials provided"
        r"|No existing credentials found|"
        r"The token provided via|Not logged in|No access token available|Not authenticated"
        r"|access token is required|"
        r"In a non-interactive environment, it's necessary to set|Failed to authenticate, have you run|"
        r"Required token could not be found|PULUMI_ACCESS_TOKEN must be set"
        r"|Unable to initialize .{1,40} API client: access)"
    ),
    r"\s{0,4}(?:caused by: )?.{0,200}\(http status: 40[13]\)",
    (
        r"\{ ?\"(?:message|error|detail|errors)\": ?\[?\"(?:40[13] |Bad credentials|Unauthorized"
        r"|Requires authentication|"
        r"Invalid (?:access )?token|Not authorized|Access denied)"
    ),
    r"(?:Error making API request\.|Code: 403\. Errors:)",
    r"(?:\u2502 )?Error: (?:Unauthorized|Unauthenticated|unauthorized)\b",
    r"(?:\u2502 )?Error: .{0,300}\b40[13] (?:Unauthorized|Forbidden|Bad credentials|\(request)",
    r"Unable to connect to the server: getting credentials: ",
    r"Failed to get the data key required to decrypt",
    r"Error from server \(Unauthorized\): |error: You must be logged in to the server",
    (
        r"(?:ERROR: )?(?:Code: AuthorizationFailed|The client '.{1,100}' with "
        r"object id .{1,100} does not have authorization)"
    ),
    r"Error: (?:Not authorized\b|.{0,120}[Nn]ot authorized to perform )",
    r"error: the server has asked for the client to provide credentials",
)
REQUESTS_REFUSED = (  # in the words of the libraries that scripts call with
    r"requests\.exceptions\.HTTPError: 40[13] ",
    r"urllib\.error\.HTTPError: HTTP Error 40[13]\b",
    r"httpx\.HTTPStatusError: Client error '40[13] ",
    r"aiohttp\.[\w.]{1,60}: 40[13], ",
    r"(?:Uncaught )?(?:Axios|Http|Request)Error: (?:Request failed with status code 40[13]|Bad credentials)",
    r"paramiko\.[\w.]{1,60}\.(?:AuthenticationException|BadAuthenticationType|PasswordRequiredException): ",
    r"kubernetes\.client\.exceptions\.(?:ApiException|\w{1,40}): \(40[13]\)",
    r"docker\.errors\.APIError: 40[13] ",
    (
        r"(?:github\.|gitlab\.)?\w{0,40}(?:BadCredentialsException|GitlabAuthenticationError"
        r"|UnauthorizedException): "
    ),
    r"google\.api_core\.exceptions\.(?:Forbidden|PermissionDenied|Unauthenticated|Unauthorized): ",
    r"azure\.core\.exceptions\.ClientAuthenticationError: ",
    r"smtplib\.SMTPAuthenticationError: |ftplib\.error_perm: 530 ",
)
IMAGES_REFUSED = (
    r"denied: (?!.{0,120}(?:quota|rate))",
    r"unauthorized: ",
    r"no basic auth credentials$",
    r"(?:error parsing HTTP 40[13] response body|received unexpected HTTP status: 40[13]\b)",
    r"login attempt to .{1,200} failed with status: 40[13]\b",
    r"pull access denied for ",
    r"(?:Get|Head) \"?https?:\S{1,300}: (?:unauthorized|denied|no basic auth|authentication required)",
    DOCKER + r".{0,400}?(?:no basic auth credentials|authentication required|incorrect username or password)",
    DOCKER + r".{0,400}?(?:(?:pull|requested) access .{0,160}denied|insufficient_scope|denied: )",
    DOCKER + r".{0,400}?: unauthorized\b",
    DOCKER + r".{0,400}?failed to fetch (?:oauth|anonymous) token: (?:unexpected status.{0,200}: )?40[13]\b",
    DOCKER
    + r".{0,400}?unexpected status(?: code)?(?: from \w{3,6} request to \S{1,300}:)? .{0,300}?40[13]\b",
    DOCKER + r".{0,400}?error getting credentials\b",
    r"error checking push permissions",  # Kaniko
    r"Error saving credentials|Error: Cannot perform an interactive login from a non TTY device",
)
PULL_REFUSED = (
    r".{0,100}Failed to pull image .{0,400}?(?:unauthorized|denied|no basic auth"
    r"|authentication required|40[13] )"
)
PROXY_REFUSED = (
    GIT + r"fatal: unable to access .{0,300}(?:response 407|error: 407|HTTP code 407)",
    NPM + r"code E407\b",
    PNPM + r"FETCH_407\b",
    TREE + r"(?:ERROR|error|Error|E|curl|fatal|WARNING|\[ERROR\]"
    r"|HTTP status client error).{0,600}?(?:407 Proxy|response 407|"
    r"Tunnel connection failed: 407|CONNECT tunnel failed, response 407|Proxy Authentication Required)",
    r"OSError: Tunnel connection failed: 407",
)
_REPLACES = re.compile(
    r".{0,400}(?:cannot publish over|File already exists|already exists|already been used)"
)
_WAITS = (
    r"(?:Username for '|Password for '|\S{1,100}'s password: ?$|Enter passphrase for key"
    r"|User for \S{1,200}:)"
)


def _is_there_already(case: Case, place: int) -> bool:
    """Tell a refusal to replace what is published: registries answer 403 to that too."""
    return any(_REPLACES.match(text) for text in case.lines[place : place + 4])


def _asks(case: Case) -> Finding | None:
    """Find a question for a credential that nobody answered before the time was over."""
    if case.kind != "timeout" or case.phase not in TOOLS or not case.lines:
        return None
    return _asked_last(case)


_asked_last = line(TOOLS, _WAITS, unless=lambda case, place: place + 1 != len(case.lines))
TOKEN_CHECK = (
    (
        "The token or password that the step is given: whether its variable is set, not expired, and not for"
        " another registry."
    ),
    (
        "Whether it may read this package or write to this repository: a token "
        "that signs in may still lack that."
    ),
)

ACCESS_RULES: tuple[Rule, ...] = (
    Rule(
        "proxy_asks_for_login",
        first_of(
            line(TOOLS, *PROXY_REFUSED, unless_later=GOT_OVER),
            block(TOOLS, BROKEN, r"407ProxyAuth|HTTP/?[\d.]{0,4}407|Proxy-?AuthenticationRequired"),
        ),
        "The proxy on the way out wants a user name and password, and got none or wrong ones.",
        ("env | grep -i _proxy", "curl -v --proxy PROXY https://example.com"),
        answer=access,
        home="build",
        check=(
            (
                "The variables HTTPS_PROXY and HTTP_PROXY of the step: the user and password "
                "stand in the address."
            ),
            "Whether the host that is asked for should be reached without it: name it in NO_PROXY.",
        ),
        done_when="The same request goes through the proxy without the answer 407.",
        confidence="certain",
        example=failed("build", "npm error code E407\nnpm error 407 Proxy Authentication Required"),
        near_miss=failed("build", "npm error code E403\nnpm error 403 Forbidden"),
    ),
    Rule(
        "repository_access_refused",
        first_of(line(TOOLS, *GIT_REFUSED, unless_later=GOT_OVER, following=1), _asks),
        "The forge refused the credential for the repository: it is missing, expired, or may not read it.",
        ("windlass repo list", "git ls-remote URL", "ssh -T git@HOST"),
        answer=access,
        home="clone",
        check=(
            "The repository's credential in Windlass: `windlass repo list` says which one it has.",
            "Whether the token has expired, or the deploy key was taken out of the forge.",
            (
                "Whether it may read this repository, and each submodule and dependency "
                "that comes from git: forges"
                " call what may not be seen not found."
            ),
        ),
        done_when="`git ls-remote` of the same address with the same credential lists the branches.",
        confidence="certain",
        example=failed(
            "clone",
            ("Cloning into 'checkout'...\nfatal: Authentication failed for 'https://git.example.com/'"),
        ),
        near_miss=failed(
            "clone",
            "remote: Enumerating objects: 5\nfatal: couldn't find remote ref refs/heads/mian",
            "source",
        ),
    ),
    Rule(
        "package_registry_refused",
        first_of(
            line(STARTS, NPM + r"code (?:E401|E403|ENEEDAUTH)\b", unless_later=GOT_OVER),
            line(TOOLS, *PACKAGES_REFUSED, unless_later=GOT_OVER, unless=_is_there_already, following=1),
            block(
                TOOLS,
                BROKEN,
                (
                    r"HTTP/?[\d.]{0,4}40[13]|40[13](?:Unauthorized|Forbidden)|URLrequiredauthentication"
                    r"|rejectedthegivenauth"
                ),
            ),
        ),
        "A package registry refused the credential: it is missing, expired, or may not read this package.",
        (AGAIN,),
        answer=access,
        home="build",
        check=(
            (
                "The variable that holds the registry's token, and the file that hands it on (.npmrc,"
                " pip.conf, settings.xml, auth.json, config.toml)."
            ),
            *TOKEN_CHECK,
        ),
        done_when="The installer gets past the package that it was refused.",
        confidence="certain",
        example=failed("build", "npm error code E401\nnpm error Incorrect or missing password."),
        near_miss=failed("build", "npm error code E404\nnpm error 404 Not Found - GET /lefft-trimm"),
    ),
    Rule(
        "request_refused",
        line(MAKES, *REQUESTS_REFUSED, *_HOSTING),
        "A service that the step calls refused its credential: it is missing, expired, or may not do this.",
        ("env | cut -d= -f1",),
        answer=access,
        home="deploy",
        check=(
            "Which address was asked: the message has it.",
            *TOKEN_CHECK,
        ),
        done_when="The same call with the step's credential is let through.",
        confidence="certain",
        example=failed(
            "deploy", "requests.exceptions.HTTPError: 403 Client Error: Forbidden for url: https://x/y"
        ),
        near_miss=failed(
            "deploy", "requests.exceptions.HTTPError: 404 Client Error: Not Found for url: https://x"
        ),
    ),
    Rule(
        "image_registry_refused",
        first_of(line(TOOLS, *IMAGES_REFUSED, unless_later=GOT_OVER), line(EVERYWHERE, PULL_REFUSED)),
        (
            "An image registry refused: not signed in, the sign-in has expired, or it "
            "may not read or write there."
        ),
        ("docker login REGISTRY", "docker manifest inspect IMAGE"),
        answer=access,
        home="build",
        check=(
            (
                "The image's name: without a registry before it the public one is asked, and a private"
                " image of another is denied there."
            ),
            "Whether the step signs in before it pulls or pushes, and whether that sign-in has expired.",
            "Whether the account may write to that repository, and whether the repository exists.",
        ),
        done_when="`docker manifest inspect` of the image answers with the step's credential.",
        confidence="certain",
        example=failed(
            "publish", "The push refers to repository [r.example.com/shop]\ndenied: requested access"
        ),
        near_miss=failed("publish", "The push refers to repository [r.example.com/shop]\nname unknown: shop"),
    ),
)
