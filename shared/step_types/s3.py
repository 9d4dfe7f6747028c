"""Steps on Amazon S3."""

from pydantic import Field

from shared.step_types.params import Flag, Params, PathInside, Text, Texts
from shared.step_types.step_type import StepType


class S3Upload(Params):
    """S3:UPLOAD: puts the files of a bundle into a bucket, those that changed.

    Without parameters: the pipeline's only bundle, into the bucket that the stage has for it.
    """

    artifact: Text = Field(
        default="", description="The bundle; empty: the pipeline's only one", examples=["storefront"]
    )
    bucket: Text = Field(
        default="",
        description="Name of the bucket; empty: the one that the stage has for the artifact",
        examples=["${{ steps.infra.site_bucket }}"],
    )
    prefix: Text = Field(default="", description="What every key begins with", examples=["assets/"])
    path: PathInside = Field(
        default="", description="Folder of the bundle that is uploaded; empty: all of it", examples=["dist"]
    )
    include: Texts = Field(
        default=("**",), description="Patterns of the files that are uploaded", examples=[["**/*.html"]]
    )
    exclude: Texts = Field(
        default=(), description="Patterns of those among them that are not", examples=[["**/*.map"]]
    )
    delete_removed: Flag = Field(
        default=False,
        description="Whether objects below the prefix that the bundle does not have are deleted",
    )
    cache_control: dict[str, Text] = Field(
        default_factory=dict,
        description="Cache-Control by pattern; the first that fits counts",
        examples=[{"*.html": "no-cache", "**": "public, max-age=31536000, immutable"}],
    )
    kms_key_id: Text = Field(
        default="", description="Key that encrypts the objects; empty: the bucket's own way"
    )


TYPES = (
    StepType(
        name="S3:UPLOAD",
        artifact_kind="bundle",
        params=S3Upload,
        outputs=("bucket", "prefix", "s3_url", "files_uploaded", "files_deleted"),
        timeout_seconds=1800.0,
        summary="Uploads the files of a bundle to an S3 bucket.",
        example="""\
name: Static files
type: S3:UPLOAD
params:
  artifact: storefront
  bucket: ${{ steps.infra.site_bucket }}
  path: dist
  delete_removed: true
  cache_control: {"*.html": no-cache, "assets/**": "public, max-age=31536000"}
""",
    ),
)
