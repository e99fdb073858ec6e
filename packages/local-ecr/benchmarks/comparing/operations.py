"""One call of each of ECR's operations, in an order in which Amazon ECR would do every one of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

ACCOUNT = "111122223333"
REPOSITORY = "compare/app"
ARN = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{REPOSITORY}"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"

SUCCESS = "yes"


@dataclass
class Notes:
    """What later calls need of the answers to earlier ones."""

    upload_id: str = ""
    backfill_id: str = "00000000-0000-0000-0000-000000000000"
    pushed: dict[str, str] = field(default_factory=dict)
    """Manifests by image tag."""


Parameters = Callable[[Notes], Mapping[str, Any]]


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


LAYER = b"a layer of the comparison"
CONFIG = json.dumps({"architecture": "amd64", "os": "linux"}).encode()


def manifest(**members: Any) -> str:
    """An image of LAYER and CONFIG."""
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG, "digest": digest_of(CONFIG), "size": len(CONFIG)},
            "layers": [{"mediaType": OCI_LAYER, "digest": digest_of(LAYER), "size": len(LAYER)}],
            **members,
        }
    )


IMAGE = digest_of(manifest().encode())
LIFECYCLE = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 100},
                "action": {"type": "expire"},
            }
        ]
    }
)


def policy(resource: str | None, *actions: str) -> str:
    statement: dict[str, Any] = {
        "Sid": "One",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
        "Action": list(actions),
    }
    if resource:
        statement["Resource"] = resource
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


REGISTRY_POLICY = policy(f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/*", "ecr:ReplicateImage")
REPLICATION = {"rules": [{"destinations": [{"region": "eu-west-1", "registryId": ACCOUNT}]}]}
EXCLUDED = f"arn:aws:iam::{ACCOUNT}:role/reader"
SIGNING = {
    "rules": [{"signingProfileArn": f"arn:aws:signer:us-east-1:{ACCOUNT}:/signing-profiles/compare"}],
}
HERE = {"repositoryName": REPOSITORY}
THE_IMAGE = {**HERE, "imageId": {"imageTag": "1.0"}}
TEMPLATE = {"prefix": "compare-made", "appliedFor": ["REPLICATION"]}


def _same(parameters: Mapping[str, Any]) -> Parameters:
    return lambda _: parameters


def _upload(notes: Notes) -> Mapping[str, Any]:
    return {**HERE, "uploadId": notes.upload_id}


def _part(notes: Notes) -> Mapping[str, Any]:
    return {**_upload(notes), "partFirstByte": 0, "partLastByte": len(LAYER) - 1, "layerPartBlob": LAYER}


def _finish(notes: Notes) -> Mapping[str, Any]:
    return {**_upload(notes), "layerDigests": [digest_of(LAYER)]}


def _backfill(notes: Notes) -> Mapping[str, Any]:
    return {"replicationBackfillId": notes.backfill_id}


CALLS: tuple[tuple[str, Parameters], ...] = (
    ("GetAuthorizationToken", _same({})),
    ("CreateRepository", _same(HERE)),
    ("DescribeRepositories", _same({"repositoryNames": [REPOSITORY]})),
    ("InitiateLayerUpload", _same(HERE)),
    ("UploadLayerPart", _part),
    ("CompleteLayerUpload", _finish),
    ("BatchCheckLayerAvailability", _same({**HERE, "layerDigests": [digest_of(LAYER)]})),
    ("PutImage", _same({**HERE, "imageManifest": manifest(), "imageTag": "1.0"})),
    ("GetDownloadUrlForLayer", _same({**HERE, "layerDigest": digest_of(LAYER)})),
    ("BatchGetImage", _same({**HERE, "imageIds": [{"imageTag": "1.0"}]})),
    ("DescribeImages", _same(HERE)),
    ("ListImages", _same(HERE)),
    ("ListImageReferrers", _same({**HERE, "subjectId": {"imageDigest": IMAGE}})),
    ("PutImageTagMutability", _same({**HERE, "imageTagMutability": "MUTABLE"})),
    ("PutImageScanningConfiguration", _same({**HERE, "imageScanningConfiguration": {"scanOnPush": False}})),
    ("StartImageScan", _same(THE_IMAGE)),
    ("DescribeImageScanFindings", _same(THE_IMAGE)),
    ("TagResource", _same({"resourceArn": ARN, "tags": [{"Key": "a", "Value": "b"}]})),
    ("ListTagsForResource", _same({"resourceArn": ARN})),
    ("UntagResource", _same({"resourceArn": ARN, "tagKeys": ["a"]})),
    ("SetRepositoryPolicy", _same({**HERE, "policyText": policy(None, "ecr:BatchGetImage")})),
    ("GetRepositoryPolicy", _same(HERE)),
    ("DeleteRepositoryPolicy", _same(HERE)),
    ("PutLifecyclePolicy", _same({**HERE, "lifecyclePolicyText": LIFECYCLE})),
    ("GetLifecyclePolicy", _same(HERE)),
    ("StartLifecyclePolicyPreview", _same(HERE)),
    ("GetLifecyclePolicyPreview", _same(HERE)),
    ("DeleteLifecyclePolicy", _same(HERE)),
    ("DescribeRegistry", _same({})),
    ("PutRegistryPolicy", _same({"policyText": REGISTRY_POLICY})),
    ("GetRegistryPolicy", _same({})),
    ("DeleteRegistryPolicy", _same({})),
    ("PutReplicationConfiguration", _same({"replicationConfiguration": REPLICATION})),
    ("DescribeImageReplicationStatus", _same(THE_IMAGE)),
    ("StartReplicationBackfill", _same({"destination": {"region": "eu-west-1", "registryId": ACCOUNT}})),
    ("ListReplicationBackfills", _same({})),
    ("StopReplicationBackfill", _backfill),
    ("DescribeReplicationBackfillResults", _backfill),
    ("PutRegistryScanningConfiguration", _same({"scanType": "BASIC", "rules": []})),
    ("GetRegistryScanningConfiguration", _same({})),
    ("BatchGetRepositoryScanningConfiguration", _same({"repositoryNames": [REPOSITORY]})),
    ("CreateRepositoryCreationTemplate", _same(TEMPLATE)),
    ("DescribeRepositoryCreationTemplates", _same({})),
    ("UpdateRepositoryCreationTemplate", _same({"prefix": TEMPLATE["prefix"], "description": "compared"})),
    ("DeleteRepositoryCreationTemplate", _same({"prefix": TEMPLATE["prefix"]})),
    ("PutAccountSetting", _same({"name": "BLOB_MOUNTING", "value": "ENABLED"})),
    ("GetAccountSetting", _same({"name": "BLOB_MOUNTING"})),
    ("RegisterPullTimeUpdateExclusion", _same({"principalArn": EXCLUDED})),
    ("ListPullTimeUpdateExclusions", _same({})),
    ("DeregisterPullTimeUpdateExclusion", _same({"principalArn": EXCLUDED})),
    ("CreatePullThroughCacheRule", _same({"ecrRepositoryPrefix": "quay", "upstreamRegistryUrl": "quay.io"})),
    ("DescribePullThroughCacheRules", _same({})),
    ("ValidatePullThroughCacheRule", _same({"ecrRepositoryPrefix": "quay"})),
    ("UpdatePullThroughCacheRule", _same({"ecrRepositoryPrefix": "quay", "customRoleArn": EXCLUDED})),
    ("DeletePullThroughCacheRule", _same({"ecrRepositoryPrefix": "quay"})),
    ("PutSigningConfiguration", _same({"signingConfiguration": SIGNING})),
    ("GetSigningConfiguration", _same({})),
    ("DescribeImageSigningStatus", _same(THE_IMAGE)),
    ("DeleteSigningConfiguration", _same({})),
    ("UpdateImageStorageClass", _same({**THE_IMAGE, "targetStorageClass": "ARCHIVE"})),
    ("BatchDeleteImage", _same({**HERE, "imageIds": [{"imageTag": "1.0"}]})),
    ("DeleteRepository", _same({**HERE, "force": True})),
)


def measure_operations(client: Any) -> dict[str, str]:
    """`yes` for each operation that was done, else how it was refused, by operation."""
    notes, found = Notes(), {}
    for operation, parameters in CALLS:
        if operation == "PutImage":
            _push_config(client)
        found[operation], answer = call(client, operation, parameters(notes))
        notes.upload_id = answer.get("uploadId", notes.upload_id)
        notes.backfill_id = answer.get("replicationBackfillId", notes.backfill_id)
    return dict(sorted(found.items()))


def call(client: Any, operation: str, parameters: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """How a call ended, and its answer. An answer of HTTP 200 that only reports failures is no success."""
    method = next(name for name, api in client.meta.method_to_api_mapping.items() if api == operation)
    try:
        answer: Mapping[str, Any] = getattr(client, method)(**parameters)
    except ClientError as refusal:
        status = refusal.response["ResponseMetadata"]["HTTPStatusCode"]
        code = refusal.response["Error"]["Code"]
        return (f"HTTP {status}" if code in {str(status), "", "Unknown"} else f"{code} ({status})"), {}
    except BotoCoreError as error:
        return f"unreadable: {type(error).__name__}", {}
    failures = answer.get("failures") or []
    return (f"failures: {failures[0].get('failureCode')}" if failures else SUCCESS), answer


def _push_config(client: Any) -> None:
    """Best effort: whoever has no upload API may still take an image without looking for its config."""
    _, begun = call(client, "InitiateLayerUpload", HERE)
    part = {**HERE, "uploadId": begun.get("uploadId", "none"), "partFirstByte": 0, "partLastByte": len(CONFIG) - 1}
    call(client, "UploadLayerPart", {**part, "layerPartBlob": CONFIG})
    call(client, "CompleteLayerUpload", {**HERE, "uploadId": part["uploadId"], "layerDigests": [digest_of(CONFIG)]})
