"""What each artifact type takes: a contract between the language, the builder and the editors' schema.

Only an environment may be filled in late: what is built, and from what, is its identity.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict
from pydantic.fields import FieldInfo

from shared.step_types.params import MINUTES_MAX, Env, Params, RepositoryPath, Script, refusal

ImportMinutes = Annotated[int, Strict(), Field(ge=1, le=MINUTES_MAX)]


def _form(pattern: str, message: str) -> tuple[AfterValidator, FieldInfo]:
    """Return what refuses a text of another form, and tells editors of it."""
    compiled = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise refusal(message)
        return text

    return AfterValidator(check), Field(json_schema_extra={"pattern": f"^({pattern})$"})


# fmt: off
BuildArgument = Annotated[str, Strict(), *_form(r"[A-Za-z_][A-Za-z0-9_]*=[^\x00]*", "must be NAME=value")]
ImageUrl = Annotated[
    str, Strict(), *_form(r"[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?(/[A-Za-z0-9._-]+)*"
                          r"(:[A-Za-z0-9_.-]+)?(@sha256:[0-9a-f]{64})?",
                          "must be an image's name, with its registry and a tag or digest"),
]
S3Url = Annotated[
    str, Strict(), *_form(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\x00-\x20]{1,1024}",
                          "must be the address of an object: s3://bucket/key"),
]
AccountId = Annotated[str, Strict(), *_form("([0-9]{12})?", "must be an AWS account id: exactly 12 digits")]
Region = Annotated[
    str, Strict(), *_form("([a-z]{2}(-[a-z]+)+-[0-9])?", "must be an AWS region, like eu-west-1"),
]
# fmt: on


class DockerBuildParams(Params):
    """DOCKER:BUILD: an image from a Dockerfile of the repository."""

    dockerfile: RepositoryPath = Field(description="The Dockerfile", examples=["/server.Dockerfile"])
    build_root: RepositoryPath = Field(default="/", description="Folder that is the build's context")
    args: tuple[BuildArgument, ...] = Field(
        default=(), max_length=100, description="Build arguments", examples=[["RELEASE=1"]]
    )
    env: Env = Field(default_factory=dict, description="Environment variables of the build")


class BundleBuildParams(Params):
    """BUNDLE:BUILD: what commands of the repository's own make."""

    build_commands: Script = Field(
        default=(),
        description="Shell lines, run by `sh -eu` at the top of the repository; none: it is there already",
        examples=["npm ci && npm run build"],
    )
    file_path: RepositoryPath = Field(
        description="The zip file, or the file or folder, that becomes the bundle",
        examples=["/dist", "/web.zip"],
    )
    env: Env = Field(default_factory=dict, description="Environment variables of the commands")


class DockerImportParams(Params):
    """DOCKER:IMPORT: an image that others build; it is waited for, then copied."""

    source_image_url: ImageUrl = Field(
        description="The image", examples=["100000000009.dkr.ecr.eu-west-1.amazonaws.com/sidecar:2.4"]
    )
    timeout_minutes: ImportMinutes = Field(default=30, description="How long it is waited for")


class BundleImportParams(Params):
    """BUNDLE:IMPORT: an object in S3 that others put there; it is waited for, then copied."""

    source_s3_url: S3Url = Field(
        description="The object", examples=["s3://acme-releases/catalogue/latest.zip"]
    )
    source_account: AccountId = Field(
        default="",
        description="Account that has the bucket; empty: the pipeline's own",
        examples=["100000000009"],
    )
    source_region: Region = Field(
        default="", description="The bucket's region; empty: found out", examples=["eu-west-1"]
    )
    timeout_minutes: ImportMinutes = Field(default=30, description="How long it is waited for")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactType:
    """A row of the catalogue of artifact types."""

    name: str  # "DOCKER:BUILD"
    params: type[Params]
    kind: Literal["image", "bundle"]
    imported: bool  # others build it
    paths: tuple[str, ...] = ()  # parameters that name what must be in the repository
    summary: str  # one sentence
    example: str  # `artifacts`, as YAML


ARTIFACT_TYPES: dict[str, ArtifactType] = {
    row.name: row
    for row in (
        ArtifactType(
            name="BUNDLE:BUILD",
            params=BundleBuildParams,
            kind="bundle",
            imported=False,
            summary="Runs shell lines of the repository's own and keeps a file or folder that they made.",
            example="""\
Storefront:
  id: web
  type: BUNDLE:BUILD
  rebuild_when_changed: [/web]
  params:
    build_commands: |
      cd web
      npm ci
      npm run build
    file_path: /web/dist
""",
        ),
        ArtifactType(
            name="BUNDLE:IMPORT",
            params=BundleImportParams,
            kind="bundle",
            imported=True,
            summary="Takes over an object of S3 as soon as it is there.",
            example="""\
Catalogue:
  type: BUNDLE:IMPORT
  params:
    source_s3_url: s3://acme-releases/catalogue/latest.zip
    source_account: "100000000009"
    source_region: eu-west-1
    timeout_minutes: 20
""",
        ),
        ArtifactType(
            name="DOCKER:BUILD",
            paths=("dockerfile", "build_root"),
            params=DockerBuildParams,
            kind="image",
            imported=False,
            summary="Builds an image from a Dockerfile of the repository.",
            example="""\
Shop Server:
  id: server
  type: DOCKER:BUILD
  architecture: linux/arm64
  rebuild_when_changed: [/server, /server.Dockerfile]
  params:
    dockerfile: /server.Dockerfile
    build_root: /
    args: [RELEASE=1]
""",
        ),
        ArtifactType(
            name="DOCKER:IMPORT",
            params=DockerImportParams,
            kind="image",
            imported=True,
            summary="Takes over an image of another registry as soon as it is there.",
            example="""\
Vendor Sidecar:
  type: DOCKER:IMPORT
  params:
    source_image_url: 100000000009.dkr.ecr.eu-west-1.amazonaws.com/sidecar:2.4
    timeout_minutes: 20
""",
        ),
    )
}
