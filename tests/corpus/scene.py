"""The cases of the corpus, played on local_ecr: what it sends and answers in each."""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from local_ecr import LocalEcr, LocalEcrServer, Registry
from tests.corpus.files import found

ACCOUNT, REGION, THERE = "111122223333", "us-east-1", "eu-west-1"
REPOSITORY = "team-a/api"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
FOUND_LATER = ("resources", "awsAccountId")
"""What a scanner does not say of a finding, and local_ecr adds."""


@dataclass
class Played:
    """What was sent and answered, by the name that the case has in the corpus."""

    events: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)


class Scene:
    """A registry, a client of its API and of its `/v2/` face, and what came of the last call."""

    def __init__(self, server: LocalEcrServer, sent: list[Any]) -> None:
        self.server, self.sent, self.played = server, sent, Played()
        self.ahead = timedelta()
        self._raw = b""
        self.ecr: Any = self.client(REGION)

    def client(self, region: str) -> Any:
        made: Any = boto3.client(
            "ecr",
            region_name=region,
            endpoint_url=self.server.endpoint_url,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="not-verified",
            config=Config(retries={"total_max_attempts": 1}),
        )
        made.meta.events.register("after-call", self._keep)
        return made

    def _keep(self, http_response: Any, **_: Any) -> None:
        self._raw = http_response.content

    def answer(self, case: str, ask: Callable[..., Any], **parameters: Any) -> None:
        """Keep the bytes of an answer, or of a refusal, under the name of a case."""
        with suppress(ClientError):
            ask(**parameters)
        self.played.answers[case] = json.loads(self._raw)

    def event(self, case: str, detail_type: str, **detail: Any) -> None:
        """Keep the last event of this type with these members of its detail under the name of a case."""
        self.played.events[case] = next(
            event
            for event in reversed(self.sent)
            if event["detail-type"] == detail_type and detail.items() <= event["detail"].items()
        )

    def put(self, reference: str | None, manifest: Mapping[str, Any], repository: str = REPOSITORY) -> str:
        """Push a manifest, by a tag or by its digest; its digest."""
        body = json.dumps(manifest).encode()
        digest = digest_of(body)
        done = self._send("PUT", f"{repository}/manifests/{reference or digest}", body, manifest["mediaType"])
        assert done.status == 201, done.data
        return digest

    def image(self, text: str, **members: Any) -> dict[str, Any]:
        """A manifest with a config and a layer that are there."""
        config, layer = json.dumps({"os": "linux", "history": text}).encode(), text.encode()
        for blob in (config, layer):
            begun = self._send("POST", f"{REPOSITORY}/blobs/uploads/")
            where = f"{begun.headers['Location']}?digest={digest_of(blob)}"
            assert self._send("PUT", where, blob).status == 201
        described = {"mediaType": OCI_CONFIG, "digest": digest_of(config), "size": len(config)}
        layers = [
            {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest_of(layer), "size": len(layer)}
        ]
        return {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": described, "layers": layers, **members}

    def _send(self, method: str, path: str, body: bytes = b"", media_type: str = "application/octet-stream") -> Any:
        token = self.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        root = self.server.registry_url(ACCOUNT, REGION)
        url = path if path.startswith("http") else f"{root}{path}" if path.startswith("/") else f"{root}/v2/{path}"
        headers = {"Authorization": f"Basic {token}", "Content-Type": media_type}
        return urllib3.request(method, url, body=body, headers=headers, retries=False)


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def play(folder: Path) -> Played:
    """Play all cases."""
    sent: list[Any] = []
    scene: Scene | None = None

    def now() -> datetime:  # a fraction of a second that shows that it is told
        return datetime.now(UTC).replace(microsecond=740_000) + (scene.ahead if scene else timedelta())

    ecr = LocalEcr(folder, clock=now, on_event=lambda account, region, event: sent.append(event))
    with LocalEcrServer(ecr, [(ACCOUNT, REGION), (ACCOUNT, THERE)]) as server:
        scene = Scene(server, sent)
        _settings(scene)
        _images(scene)
        _scans(scene, ecr)
        _copies(scene, ecr)
        _archive(scene, ecr)
    return scene.played


def _settings(scene: Scene) -> None:
    ecr, here = scene.ecr, {"repositoryName": REPOSITORY}
    trail = "AWS API Call via CloudTrail"
    scene.answer("ecr/DescribeImages/no_repository", ecr.describe_images, **here)
    ecr.create_repository(**here)
    scene.event("aws_api_call_via_cloudtrail/create_repository", trail, eventName="CreateRepository")
    scene.answer("ecr/DescribeRepositories/of_2024", ecr.describe_repositories)
    scene.answer("ecr/GetLifecyclePolicy/none", ecr.get_lifecycle_policy, **here)
    rule = {
        "rulePriority": 1,
        "description": "Expire images older than 14 days",
        "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14},
        "action": {"type": "expire"},
    }
    ecr.put_lifecycle_policy(**here, lifecyclePolicyText=json.dumps({"rules": [rule]}))
    scene.answer("ecr/GetLifecyclePolicy/never_evaluated", ecr.get_lifecycle_policy, **here)
    actions = ["ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
    friend = {"AWS": "arn:aws:iam::444455556666:root"}
    statements = [
        {"Sid": "SpecificAllow", "Effect": "Allow", "Principal": friend, "Action": actions},
        {"Sid": "Public", "Effect": "Allow", "Principal": "*", "Action": actions},
    ]
    policy = json.dumps({"Version": "2008-10-17", "Statement": statements})
    ecr.set_repository_policy(**here, policyText=policy, force=False)
    scene.event("aws_api_call_via_cloudtrail/set_repository_policy", trail, eventName="SetRepositoryPolicy")
    scene.answer("ecr/GetRepositoryPolicy/two_statements", ecr.get_repository_policy, **here)
    arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{REPOSITORY}"
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": "Role", "Value": "Dev"}])
    scene.answer("ecr/ListTagsForResource/recorded", ecr.list_tags_for_resource, resourceArn=arn)
    names = {"repositoryNames": [REPOSITORY]}
    asked = ecr.batch_get_repository_scanning_configuration
    scene.answer("ecr/BatchGetRepositoryScanningConfiguration/manual", asked, **names)
    setting = {"name": "BASIC_SCAN_TYPE_VERSION"}
    scene.answer("ecr/GetAccountSetting/scanner", ecr.get_account_setting, **setting)
    scene.answer("ecr/GetAuthorizationToken/one", ecr.get_authorization_token)
    for prefix, applied in (("eng/test", ["PULL_THROUGH_CACHE", "REPLICATION"]), ("eng/other", ["REPLICATION"])):
        ecr.create_repository_creation_template(prefix=prefix, appliedFor=applied)
    described = ecr.describe_repository_creation_templates
    scene.answer("ecr/DescribeRepositoryCreationTemplates/two", described)


def _images(scene: Scene) -> None:
    ecr, here, action = scene.ecr, {"repositoryName": REPOSITORY}, "ECR Image Action"
    manifest = scene.image("one")
    digest = scene.put(None, manifest)
    scene.event("ecr_image_action/push_child", action, **{"action-type": "PUSH"})
    child = {"mediaType": OCI_MANIFEST, "digest": digest, "size": len(json.dumps(manifest))}
    scene.put("v4-soci", {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]})
    scene.event("ecr_image_action/push_index", action, **{"image-tag": "v4-soci"})
    scene.put("latest", scene.image("two"))
    scene.event("ecr_image_action/push_in_the_guide", action, **{"image-tag": "latest"})
    latest = {"imageIds": [{"imageTag": "latest"}]}
    scene.answer("ecr/BatchGetImage/one", ecr.batch_get_image, **here, **latest, acceptedMediaTypes=[OCI_MANIFEST])
    scene.answer("ecr/DescribeImages/pulled", ecr.describe_images, **here, **latest)
    layers = [manifest["layers"][0]["digest"]]
    asked = ecr.batch_check_layer_availability
    scene.answer("ecr/BatchCheckLayerAvailability/there", asked, **here, layerDigests=layers)
    for more in ("v1", "v2"):
        scene.put(more, scene.image("three"))
    scene.answer("ecr/ListImages/three", ecr.list_images, **here, filter={"tagStatus": "TAGGED"})
    gone = {"imageIds": [{"imageTag": "v1"}]}
    scene.answer("ecr/BatchDeleteImage/one", ecr.batch_delete_image, **here, **gone)
    scene.event("ecr_image_action/delete", action, **{"action-type": "DELETE"})
    scene.answer("ecr/BatchDeleteImage/not_found", ecr.batch_delete_image, **here, **gone)


def _scans(scene: Scene, ecr: LocalEcr) -> None:
    registry, here = Registry.parse(ACCOUNT, REGION), {"repositoryName": REPOSITORY}
    digest = scene.put("scanned", scene.image("scanned"))
    [basic] = found("answers", "ecr/DescribeImageScanFindings/basic").load()["imageScanFindings"]["findings"]
    findings = [{**basic, "name": severity, "severity": severity} for severity in ("CRITICAL", "MEDIUM")]
    ecr.record_scan(registry, REPOSITORY, digest, {"type": "BASIC", "status": "COMPLETE", "findings": findings})
    scene.event("ecr_image_scan/complete", "ECR Image Scan")
    ecr.record_scan(registry, REPOSITORY, digest, {"type": "BASIC", "status": "COMPLETE", "findings": findings[1:]})
    asked, image = scene.ecr.describe_image_scan_findings, {"imageId": {"imageDigest": digest}}
    scene.answer("ecr/DescribeImageScanFindings/basic", asked, **here, **image)
    clean = scene.put("clean", scene.image("clean"))
    ecr.record_scan(registry, REPOSITORY, clean, {"type": "BASIC", "status": "COMPLETE", "findings": []})
    scene.event("ecr_image_scan/nothing_found", "ECR Image Scan")
    rules = [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}]
    scene.ecr.put_registry_scanning_configuration(scanType="ENHANCED", rules=rules)
    scene.event("ecr_scan_resource_change/scan_frequency_change", "ECR Scan Resource Change")
    rules[0]["scanFrequency"] = "CONTINUOUS_SCAN"
    scene.ecr.put_registry_scanning_configuration(scanType="ENHANCED", rules=rules)
    scanning = scene.ecr.batch_get_repository_scanning_configuration
    scene.answer("ecr/BatchGetRepositoryScanningConfiguration/continuous", scanning, repositoryNames=[REPOSITORY])
    told = found("answers", "ecr/DescribeImageScanFindings/enhanced").load()["imageScanFindings"]["enhancedFindings"]
    enhanced = [{name: each[name] for name in each if name not in FOUND_LATER} for each in told]
    digest = scene.put("ubuntu22", scene.image("ubuntu22"))
    ecr.record_scan(registry, REPOSITORY, digest, {"type": "ENHANCED", "status": "ACTIVE", "findings": []})
    scene.event("inspector2_scan/of_an_image", "Inspector2 Scan")
    ecr.record_scan(registry, REPOSITORY, digest, {"type": "ENHANCED", "status": "ACTIVE", "findings": enhanced})
    scene.event("inspector2_finding/of_an_image", "Inspector2 Finding")
    image = {"imageId": {"imageTag": "ubuntu22"}}
    scene.answer("ecr/DescribeImageScanFindings/enhanced", asked, **here, **image)


def _copies(scene: Scene, ecr: LocalEcr) -> None:
    rule = {"destinations": [{"region": THERE, "registryId": ACCOUNT}]}
    scene.ecr.put_replication_configuration(replicationConfiguration={"rules": [rule]})
    digest = scene.put("3.17.2", scene.image("copied"))
    ecr.wait_until_idle()
    scene.event("ecr_replication_action/arrived", "ECR Replication Action", **{"image-tag": "3.17.2"})
    asked, image = (
        scene.ecr.describe_image_replication_status,
        {"imageId": {"imageDigest": digest, "imageTag": "3.17.2"}},
    )
    case = "ecr/DescribeImageReplicationStatus/complete"
    scene.answer(case, asked, repositoryName=REPOSITORY, **image)
    # The registry of another account, whose policy does not allow a copy.
    rule["destinations"][0]["registryId"] = "444455556666"
    scene.ecr.put_replication_configuration(replicationConfiguration={"rules": [rule]})
    scene.put("3.17.3", scene.image("cannot be copied"))
    ecr.wait_until_idle()
    scene.event("ecr_replication_action/failed", "ECR Replication Action", result="FAILED")
    scene.ecr.put_replication_configuration(replicationConfiguration={"rules": []})


def _archive(scene: Scene, ecr: LocalEcr) -> None:
    subject = scene.put("archived", scene.image("archived"))
    described = {"mediaType": OCI_MANIFEST, "digest": subject, "size": 400}
    sbom = scene.put(None, scene.image("sbom", artifactType="text/sbom+json", subject=described))
    for case, digest, kind in (
        ("ecr_image_action", subject, "ECR Image Action"),
        ("ecr_referrer_action", sbom, "ECR Referrer Action"),
    ):
        image = {"repositoryName": REPOSITORY, "imageId": {"imageDigest": digest}}
        scene.ecr.update_image_storage_class(**image, targetStorageClass="ARCHIVE")
        if case == "ecr_image_action":
            scene.event(f"{case}/archive", kind, **{"target-storage-class": "ARCHIVE"})
        scene.ecr.update_image_storage_class(**image, targetStorageClass="STANDARD")
        scene.ahead += timedelta(days=1)
        ecr.run_due()
        ecr.wait_until_idle()
        scene.event(f"{case}/restore", kind, **{"target-storage-class": "STANDARD"})
