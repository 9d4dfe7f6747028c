"""What the words of the fixed vocabularies mean (DESIGN 9), for people. Nothing is judged by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.events.health import Health
from shared.events.verification import FailureCategory, FailureCode, FailureStage
from shared.scan.result import Shape

ScanBuildStatus = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class CodeMeaning:
    """What a failure code says, and whether the same again may well succeed."""

    meaning: str
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class ShapeMeaning:
    """What a repository, or a service of it, is, and what deploys it."""

    meaning: str
    local: str  # on a local target
    aws: str


FAILURE_STAGES: Mapping[FailureStage, str] = {
    "clone": "The source was being fetched: the mirror, the commit, its submodules.",
    "detect": "What lies in the source was being found out: the pipeline file, the language, the commands.",
    "auth": "Somebody asked for a credential, and it was refused, expired or missing; wherever that was.",
    "build": "An artifact was being built: dependencies, compilers, tests of the build, images.",
    "publish": "A built artifact was being packed, pushed or stored.",
    "setup": "What a step needs was being prepared: infrastructure, tools, values.",
    "deploy": "A step was doing its work, or a release was being put in place.",
    "rollout": "The new release was starting: it had to come up, stay up and listen.",
    "verify": "The new release was up and was being asked whether it is good.",
    "rollback": "The stage was going back to an earlier revision, or should have.",
    "unknown": "Nothing says where it happened, as in a log whose origin nobody told.",
}

FAILURE_CATEGORIES: Mapping[FailureCategory, str] = {
    "auth_failure": "A credential or a permission is wrong. Nothing but giving the right one helps.",
    "build_failure": "The source cannot be built as it is: it has to be changed, or what it is built with.",
    "startup_failure": "The release was built and does not come up: it ends, crashes or never listens.",
    "health_check_failure": "The release is up, and its answers are not what its criteria ask for.",
    "rollback_failure": "The way back did not work either, or there was nothing to go back to.",
    "infrastructure_failure": "What it runs on failed: the network, a disk, memory, a limit of a provider.",
    "unknown_failure": "It failed and no rule knows why. The output has to be read by a person.",
}

FAILURE_CODES: Mapping[FailureCode, CodeMeaning] = {
    "AUTHENTICATION_FAILED": CodeMeaning(
        "A credential was refused, has expired or is not there: for git, a registry or a provider.",
    ),
    "CODEBUILD_DOCKER_IMAGE_BUILD_FAILED": CodeMeaning(
        "An artifact could not be built. The name is older than its meaning: it is said of every build, "
        "whatever builds and whatever is built.",
    ),
    "DEPLOYMENT_VERIFICATION_FAILED": CodeMeaning(
        "The release did not come up, or was not found good in time or while it was watched.",
    ),
    "AUTOMATIC_ROLLBACK_FAILED": CodeMeaning(
        "The stage was being rolled back by itself, and that run failed.",
    ),
    "AUTOMATIC_ROLLBACK_NO_CANDIDATE": CodeMeaning(
        "The stage should have been rolled back by itself, and no other revision that may run there has "
        "ever succeeded there.",
    ),
    "MANUAL_ROLLBACK_FAILED": CodeMeaning("A person rolled the stage back, and that run failed."),
    "INFRASTRUCTURE_NETWORK_FAILURE": CodeMeaning(
        "Something outside could not be reached, broke off, or asked to come again later. The only code "
        "that may pass by itself.",
        retryable=True,
    ),
    "DEPLOYMENT_FAILED_GENERIC": CodeMeaning(
        "Any other failure. The rule's name says which, if one knows it.",
    ),
}

HEALTHS: Mapping[Health, str] = {
    "healthy": "The last looks found what the criteria ask for, in time, and all of its processes running.",
    "degraded": "It answers, and too often wrongly or too slowly, or too few of its processes run.",
    "unreachable": "Nothing answers: several looks in a row came back without an answer.",
    "unknown": "Nobody can say: it was just deployed, or nobody has looked at it for too long.",
}

SCAN_BUILD_STATUSES: Mapping[ScanBuildStatus, str] = {
    "passed": "The build that the scan proposes was tried, and it made what it should.",
    "failed": "It was tried and did not; its output says why.",
    "skipped": "It was not tried: nobody asked for it, there is nothing to build, or a tool is missing.",
}

SHAPES: Mapping[Shape, ShapeMeaning] = {
    "static": ShapeMeaning("A folder of pages as they are.", "`LOCAL:STATIC:DEPLOY`", "a bucket on S3"),
    "static_build": ShapeMeaning(
        "Pages that a build makes. With a start command it is a server instead.",
        "`LOCAL:STATIC:DEPLOY`; with a start command `LOCAL:SERVICE:DEPLOY`",
        "a bucket on S3; with a start command a service on ECS",
    ),
    "server": ShapeMeaning("A program that listens.", "`LOCAL:SERVICE:DEPLOY`", "a service on ECS"),
    "multi": ShapeMeaning(
        "Several services in one repository, each of a shape of its own.",
        "a step for each, by its own shape",
        "services on ECS",
    ),
    "existing_docker": ShapeMeaning(
        "The repository brings its own Dockerfile or compose file, and that is kept.",
        "`LOCAL:SERVICE:DEPLOY`, where a start command is known",
        "a service on ECS",
    ),
}
