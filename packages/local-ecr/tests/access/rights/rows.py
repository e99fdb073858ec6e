"""What each request needs, as the service authorization reference has it: one row for every request of both faces.

Written out by hand, so that a mistake in local_ecr.access.permissions cannot hide in it.
"""

from dataclasses import dataclass, field
from typing import Any

from local_ecr.control.protocol import service_model
from tests.access.conftest import OWNER, Town
from tests.access.rights.preparations import (
    DOOMED,
    LIFECYCLE_POLICY,
    REGISTRY_POLICY,
    REPOSITORIES,
    REPOSITORY_POLICY,
    ROLE,
    TEMPLATE,
    Given,
    Prepare,
    afresh,
    another_manifest,
    backfill,
    basic_scans,
    loose_layer,
    new_image,
    nothing,
    own_upload,
    previewed,
    put_app,
    replicated,
    scanned,
    whole_upload,
    with_exclusion,
    with_lifecycle,
    with_policy,
    with_registry_policy,
    with_template,
    without_exclusion,
    without_new,
    without_template,
)
from tests.access.rights.world import APP, World

Need = tuple[str, str]
"""An action and the ARN of its resource."""


@dataclass(frozen=True)
class Right:
    """A request and all that it needs."""

    name: str
    needs: tuple[Need, ...]
    prepare: Prepare
    asked: Given = field(default_factory=dict)
    """Of the API: the input; what `prepare` returns is added."""
    operation: str = ""
    """Of the API; empty for the /v2/ face."""
    kind: str = ""
    """Of the /v2/ face: the kind of route, as in local_ecr.data.routes."""
    method: str = ""
    path: str = ""
    body: bytes | None = None
    status: int = 200

    def __str__(self) -> str:
        return self.name

    @property
    def repository_name(self) -> str | None:
        """The one repository that it is all about, whose policy then decides about guests."""
        names = {arn.removeprefix(REPOSITORIES) if arn.startswith(REPOSITORIES) else "*" for _, arn in self.needs}
        return names.pop() if len(names) == 1 and not any("*" in name for name in names) else None

    @property
    def takes_guests(self) -> bool:
        """Whether somebody of another account can ask for it and be let in by that repository's policy."""
        names_registry = {"registryId", "resourceArn"}
        members = service_model().operation_model(self.operation).input_shape.members if self.operation else {}
        return self.repository_name in (APP, DOOMED) and (not self.operation or bool(names_registry & members.keys()))


def api(operation: str, *more: Need, on: str | None = APP, prepare: Prepare = nothing, **asked: Any) -> Right:
    """A row of the API. `on`: the repository, None for an operation on the registry."""
    own = {"ListImageReferrers": "BatchGetImage"}.get(operation, operation)
    arn = "*" if on is None else REPOSITORIES + on
    members = service_model().operation_model(operation).input_shape.members
    named: dict[str, Any] = {"repositoryName": on} if "repositoryName" in members else {}
    if "resourceArn" in members:
        named = {"resourceArn": arn}
    name = operation if not more else f"{operation} with {more[-1][0]}"
    return Right(name, ((f"ecr:{own}", arn), *more), prepare, {**named, **asked}, operation)


LAYER = World.layer_digest
LATEST = {"imageTag": "1.0"}
MORE_OF_A_TEMPLATE = {
    "lifecyclePolicy": LIFECYCLE_POLICY,
    "repositoryPolicy": REPOSITORY_POLICY,
    "customRoleArn": ROLE,
}
TO_CREATE: Need = ("ecr:CreateRepository", f"{REPOSITORIES}new/*")
ALL_OF_A_TEMPLATE: tuple[Need, ...] = (
    TO_CREATE,
    ("ecr:PutLifecyclePolicy", f"{REPOSITORIES}new/*"),
    ("ecr:SetRepositoryPolicy", f"{REPOSITORIES}new/*"),
    ("iam:PassRole", ROLE),
)
INSPECTOR = f"arn:aws:inspector2:us-east-1:{OWNER}:"


API = [
    api("BatchCheckLayerAvailability", layerDigests=[LAYER]),
    api("BatchDeleteImage", prepare=put_app("old"), imageIds=[{"imageTag": "old"}]),
    api("BatchGetImage", imageIds=[LATEST]),
    api("BatchGetRepositoryScanningConfiguration", repositoryNames=[APP]),
    api("CompleteLayerUpload", prepare=whole_upload),
    api("CreateRepository", on="new/one", prepare=without_new),
    api(
        "CreateRepository",
        ("ecr:TagResource", f"{REPOSITORIES}new/one"),
        on="new/one",
        prepare=without_new,
        tags=[{"Key": "team", "Value": "a"}],
    ),
    api("CreateRepositoryCreationTemplate", TO_CREATE, on=None, prepare=without_template, **TEMPLATE),
    api(
        "CreateRepositoryCreationTemplate",
        *ALL_OF_A_TEMPLATE,
        on=None,
        prepare=without_template,
        **TEMPLATE,
        **MORE_OF_A_TEMPLATE,
    ),
    api("DeleteLifecyclePolicy", prepare=with_lifecycle),
    api("DeleteRegistryPolicy", on=None, prepare=with_registry_policy),
    api("DeleteRepository", on=DOOMED, prepare=afresh),
    api("DeleteRepositoryCreationTemplate", on=None, prepare=with_template, prefix="new"),
    api("DeleteRepositoryPolicy", prepare=with_policy),
    api("DeregisterPullTimeUpdateExclusion", on=None, prepare=with_exclusion, principalArn=ROLE),
    api("DescribeImageReplicationStatus", imageId=LATEST),
    api("DescribeImageScanFindings", prepare=scanned("BASIC", "COMPLETE"), imageId=LATEST),
    api(
        "DescribeImageScanFindings",
        ("inspector2:ListCoverage", f"{INSPECTOR}/coverage/list"),
        ("inspector2:ListFindings", f"{INSPECTOR}/findings/list"),
        prepare=scanned("ENHANCED", "ACTIVE"),
        imageId=LATEST,
    ),
    api("DescribeImages"),
    api("DescribeRegistry", on=None),
    api("DescribeReplicationBackfillResults", on=None, prepare=backfill),
    api("DescribeRepositories", repositoryNames=[APP]),
    api("DescribeRepositories", on="*"),
    api("DescribeRepositoryCreationTemplates", on=None),
    api("GetAccountSetting", on=None, name="BLOB_MOUNTING"),
    api("GetAuthorizationToken", on=None),
    api("GetDownloadUrlForLayer", layerDigest=LAYER),
    api("GetLifecyclePolicy", prepare=with_lifecycle),
    api("GetLifecyclePolicyPreview", on=DOOMED, prepare=previewed),
    api("GetRegistryPolicy", on=None, prepare=with_registry_policy),
    api("GetRegistryScanningConfiguration", on=None),
    api("GetRepositoryPolicy", prepare=with_policy),
    api("InitiateLayerUpload"),
    api("ListImageReferrers", subjectId={"imageDigest": LAYER}),
    api("ListImages"),
    api("ListPullTimeUpdateExclusions", on=None),
    api("ListReplicationBackfills", on=None),
    api("ListTagsForResource"),
    api("PutAccountSetting", on=None, name="BLOB_MOUNTING", value="ENABLED"),
    api("PutImage", prepare=another_manifest),
    api("PutImageScanningConfiguration", imageScanningConfiguration={"scanOnPush": False}),
    api("PutImageTagMutability", imageTagMutability="MUTABLE"),
    api("PutLifecyclePolicy", lifecyclePolicyText=LIFECYCLE_POLICY),
    api("PutRegistryPolicy", on=None, policyText=REGISTRY_POLICY),
    api("PutRegistryScanningConfiguration", on=None, scanType="BASIC", rules=[]),
    api("PutRegistryScanningConfiguration", ("inspector2:Enable", "*"), on=None, scanType="ENHANCED", rules=[]),
    api("PutReplicationConfiguration", on=None, replicationConfiguration={"rules": []}),
    api("RegisterPullTimeUpdateExclusion", on=None, prepare=without_exclusion, principalArn=ROLE),
    api("SetRepositoryPolicy", policyText=REPOSITORY_POLICY, force=True),
    api("StartImageScan", prepare=basic_scans),
    api("StartLifecyclePolicyPreview", on=DOOMED, prepare=afresh, lifecyclePolicyText=LIFECYCLE_POLICY),
    api("StartReplicationBackfill", on=None, prepare=replicated),
    api("StopReplicationBackfill", on=None, prepare=backfill),
    api("TagResource", tags=[{"Key": "stage", "Value": "test"}]),
    api("UntagResource", tagKeys=["stage"]),
    api("UpdateImageStorageClass", prepare=new_image, targetStorageClass="ARCHIVE"),
    api("UpdateRepositoryCreationTemplate", TO_CREATE, on=None, prepare=with_template, prefix="new", description="a"),
    api(
        "UpdateRepositoryCreationTemplate",
        *ALL_OF_A_TEMPLATE,
        on=None,
        prepare=with_template,
        prefix="new",
        **MORE_OF_A_TEMPLATE,
    ),
    api("UploadLayerPart", prepare=own_upload, partFirstByte=0, partLastByte=3, layerPartBlob=b"part"),
]


def v2(kind: str, method: str, path: str, *needs: str, on: str = APP, prepare: Prepare = nothing, **rest: Any) -> Right:
    """A row of the /v2/ face. `needs`: actions on the repository; `path` takes what `prepare` returns."""
    name = f"{method} {kind}" if "body" not in rest else f"{method} {kind} with bytes"
    return Right(
        name,
        tuple((f"ecr:{need}", REPOSITORIES + on) for need in needs),
        prepare,
        kind=kind,
        method=method,
        path=path,
        **rest,
    )


WHOLE = Town.digest_of(b"whole")
DISTRIBUTION = [
    v2("catalog", "GET", "/v2/_catalog", "DescribeRepositories", on="*"),
    v2("blob", "HEAD", f"blobs/{LAYER}", "BatchCheckLayerAvailability"),
    v2("blob", "GET", f"blobs/{LAYER}", "GetDownloadUrlForLayer", status=307),
    v2("blob", "DELETE", "blobs/{digest}", "BatchDeleteImage", prepare=loose_layer, status=202),
    v2("uploads", "POST", "blobs/uploads/", "InitiateLayerUpload", status=202),
    v2(
        "uploads",
        "POST",
        f"blobs/uploads/?digest={WHOLE}",
        "InitiateLayerUpload",
        "UploadLayerPart",
        "CompleteLayerUpload",
        body=b"whole",
        status=201,
    ),
    v2("upload", "GET", "blobs/uploads/{uploadId}", "UploadLayerPart", prepare=own_upload, status=204),
    v2("upload", "PATCH", "blobs/uploads/{uploadId}", "UploadLayerPart", prepare=own_upload, body=b"part", status=201),
    v2("upload", "DELETE", "blobs/uploads/{uploadId}", "UploadLayerPart", prepare=own_upload, status=204),
    v2(
        "upload",
        "PUT",
        "blobs/uploads/{uploadId}?digest={layerDigests[0]}",
        "CompleteLayerUpload",
        prepare=whole_upload,
        status=201,
    ),
    v2(
        "upload",
        "PUT",
        f"blobs/uploads/{{uploadId}}?digest={WHOLE}",
        "CompleteLayerUpload",
        "UploadLayerPart",
        prepare=own_upload,
        body=b"whole",
        status=201,
    ),
    v2("manifest", "HEAD", "manifests/1.0", "BatchGetImage"),
    v2("manifest", "GET", "manifests/1.0", "BatchGetImage"),
    v2("manifest", "PUT", "manifests/{imageTag}", "PutImage", prepare=another_manifest, status=201),
    v2("manifest", "DELETE", "manifests/old", "BatchDeleteImage", prepare=put_app("old"), status=202),
    v2("tags", "GET", "tags/list", "ListImages"),
    v2("referrers", "GET", f"referrers/{LAYER}", "BatchGetImage"),
]
