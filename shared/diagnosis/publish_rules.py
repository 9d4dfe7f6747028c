"""Rules about putting a package or image into a registry: what is there already, too large, or nowhere."""

from shared.diagnosis.rule import Rule, line
from shared.diagnosis.sample import failed
from shared.diagnosis.tool_words import DOCKER, MAKES, NPM, PASSES

SAYS = r"(?:" + DOCKER + r".{0,300}?)?"

PUBLISH_RULES: tuple[Rule, ...] = (
    Rule(
        "version_published_already",
        line(
            MAKES,
            NPM + r"code (?:EPUBLISHCONFLICT|E409)\b",
            NPM + r"(?:40[39] )?(?:.{0,200} - )?(?:You cannot publish over the previously published"
            r"|Cannot publish over)",
            r"(?:ERROR|HTTPError|error).{0,300}(?:File already exists|This filename has already been used)",
            r"(?:error: )?(?:failed to publish .{0,100}: )?crate version `.{1,60}` is already uploaded",
            r"error: crate .{1,100} already exists on ",
            r"\[ERROR\] .{0,500}(?:status(?: code)?: 409|does not allow updating (?:artifact|assets))",
            r"(?:error: )?Response status code does not indicate success: 409",
            r"Repushing of gem versions is not allowed",
            SAYS + r"tag invalid: .{0,200}(?:already exists|immutable)",
            SAYS + r"(?:denied: )?(?:The )?(?:[Ii]mage )?[Tt]ag [^ ]{1,100} (?:is immutable"
            r"|cannot be overwritten|already exists)",
        ),
        "This version is in the registry already, and may not be replaced there.",
        ("git log -1 --stat",),
        home="publish",
        check=(
            "Whether the version was raised with this change.",
            "Whether an earlier run published it: then this step may be left out.",
        ),
        done_when="The registry lists the new version.",
        confidence="certain",
        example=failed(
            "publish",
            "npm error code E403\nnpm error 403 403 Forbidden - PUT http://r/x - You cannot publish over "
            "the previously published versions: 1.4.2.",
        ),
        near_miss=failed(
            "publish", "npm error code ENEEDAUTH\nnpm error need auth This command requires you"
        ),
    ),
    Rule(
        "registry_place_missing",
        line(
            MAKES,
            SAYS + r"name unknown: ",
            SAYS + r"(?:RepositoryNotFoundException|The repository with name .{1,200})",
        ),
        "The registry has no place of that name for what is pushed.",
        ("docker image ls",),
        home="publish",
        check=(
            (
                "The repository's name in the message: whether it is spelt right, and of this "
                "account and region."
            ),
            "Whether the registry makes a place at the first push, or wants it made before.",
        ),
        done_when="The push to that name ends with a digest.",
        confidence="certain",
        example=failed(
            "publish", "name unknown: The repository with name 'shop' does not exist in the registry"
        ),
        near_miss=failed("publish", "denied: requested access to the resource is denied"),
    ),
    Rule(
        "upload_too_large",
        line(
            MAKES,
            SAYS + r"(?:error parsing HTTP |unexpected status .{0,40}?|status code: "
            r"|returned error: |.{0,8})(?:413 |: 413\b|HTTP 413|Request Entity Too Large"
            r"|Payload Too Large"
            r"|Content Too Large)",
        ),
        "What is sent is larger than the other side takes.",
        ("du -sh PATH", "docker history IMAGE"),
        home="publish",
        check=(
            "What makes it large: caches, sources and development dependencies need not be in it.",
            "The limit of the registry, and of a proxy before it.",
        ),
        done_when=PASSES,
        example=failed("publish", "error parsing HTTP 413 response body: invalid character '<'"),
        near_miss=failed("publish", "denied: requested access to the resource is denied"),
    ),
)
