"""Steps on Amazon EKS."""

from typing import Self

from pydantic import Field, model_validator

from shared.step_types.params import (
    Filled,
    Flag,
    Params,
    RepositoryPath,
    Text,
    Texts,
    Values,
    is_late,
    refusal,
    require_one,
    require_with,
)
from shared.step_types.step_type import StepType


class EksDeploy(Params):
    """EKS:DEPLOY: `kubectl apply`, `set image` and `rollout status`, as far as each is asked for.

    Needs `manifests`, or a `workload`, or both; a workload needs exactly one of `image_url` and `artifact`.
    """

    cluster_name: Filled = Field(description="Name of the cluster", examples=["shop"])
    namespace: Text = Field(default="default", description="Where the objects are that name none")
    manifests: tuple[RepositoryPath, ...] = Field(
        default=(),
        max_length=100,
        description="Files and folders that are applied, in this order",
        examples=[["/k8s/base", "/k8s/web.yaml"]],
    )
    workload: Text = Field(
        default="",
        description="What gets the new image, after the manifests",
        examples=["deployment/web", "statefulset/worker"],
    )
    container_name: Text = Field(
        default="", description="Whose image it is; needed if the workload has several containers"
    )
    image_url: Text = Field(default="", description="The image, by digest or tag; instead of artifact")
    artifact: Text = Field(default="", description="The image artifact; instead of image_url")
    rollouts: Texts = Field(
        default=(),
        description="Workloads that are waited for, beside the one with the new image",
        examples=[["deployment/worker"]],
    )
    server_side: Flag = Field(default=True, description="Whether manifests are applied by the server")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not (self.manifests or self.workload):
            raise refusal("need manifests, or a workload that gets a new image")
        require_with(self, "image_url", "workload")
        require_with(self, "artifact", "workload")
        require_with(self, "container_name", "workload")
        if self.workload:
            require_one(self, "image_url", "artifact")
        return self


class EksHelm(Params):
    """EKS:HELM: `helm upgrade --install`, then `helm status`."""

    cluster_name: Filled = Field(description="Name of the cluster", examples=["shop"])
    release_name: Filled = Field(description="Name of the release", examples=["shop"])
    chart: Filled = Field(
        description="Folder of the repository, an oci:// address, or the chart's name in chart_repository",
        examples=["/charts/shop", "oci://registry.example/charts/shop", "redis"],
    )
    chart_repository: Text = Field(
        default="",
        description="Address of the repository that has the chart",
        examples=["https://charts.example"],
    )
    version: Text = Field(
        default="", description="The chart's version; empty: the newest", examples=["1.4.2"]
    )
    namespace: Text = Field(default="default", description="Where the release is")
    create_namespace: Flag = Field(
        default=False, description="Whether the namespace is made if it is missing"
    )
    values_files: tuple[RepositoryPath, ...] = Field(
        default=(),
        max_length=100,
        description="Files of values; a later one wins over an earlier one",
        examples=[["/charts/shop/values-live.yaml"]],
    )
    values: Values = Field(
        default_factory=dict,
        description="Values that win over those of files",
        examples=[{"image": {"tag": "${{ trigger.sha }}"}}],
    )
    atomic: Flag = Field(
        default=True, description="Whether a release that fails is taken back at once, as Helm does it"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.chart_repository and not is_late(self.chart) and self.chart.startswith(("/", "oci://")):
            raise refusal("cannot have chart_repository: chart says where it is")
        return self


TYPES = (
    StepType(
        name="EKS:DEPLOY",
        artifact_kind="image",
        params=EksDeploy,
        outputs=(),
        timeout_seconds=1800.0,
        summary="Applies manifests to an EKS cluster, sets a new image, and waits for the rollout.",
        example="""\
name: Roll out
type: EKS:DEPLOY
params:
  cluster_name: shop
  namespace: web
  manifests: [/k8s]
  workload: deployment/web
  image_url: ${{ stage.artifacts.server.image_url }}
""",
    ),
    StepType(
        name="EKS:HELM",
        params=EksHelm,
        outputs=("revision", "status"),
        timeout_seconds=1800.0,
        summary="Installs or upgrades a Helm release on an EKS cluster.",
        example="""\
name: Release
type: EKS:HELM
params:
  cluster_name: shop
  release_name: shop
  chart: /charts/shop
  namespace: web
  values:
    image: ${{ stage.artifacts.server.image_url }}
    replicas: 3
""",
    ),
)
