"""Named behaviours of Amazon ECR, each asked of a server through its API: does it behave so?"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from comparing.operations import (
    ACCOUNT,
    CONFIG,
    LAYER,
    LIFECYCLE,
    OCI_MANIFEST,
    REPLICATION,
    call,
    digest_of,
    manifest,
    policy,
)

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OTHER_ACCOUNT = "444455556666"

ClientOf = Callable[..., Any]
"""A boto3 client: `client_of(service="ecr", region="us-east-1", account=ACCOUNT)`."""


class Probe:
    """A repository of its own, with the blobs of the images of this comparison in it."""

    def __init__(self, client_of: ClientOf, events: Sequence[Mapping[str, Any]] | None = None) -> None:
        """`events`: what a server has told whoever started it; None for one with an EventBridge beside its ECR."""
        self.client_of = client_of
        self.events = events
        self.ecr = client_of()
        self.name = f"probe-{uuid.uuid4().hex[:8]}/app"
        self.ecr.create_repository(repositoryName=self.name)
        for blob in (LAYER, CONFIG):
            self.push_blob(blob)

    def push_blob(self, blob: bytes) -> None:
        begun = self.ecr.initiate_layer_upload(repositoryName=self.name)["uploadId"]
        where = {"repositoryName": self.name, "uploadId": begun}
        self.ecr.upload_layer_part(**where, partFirstByte=0, partLastByte=len(blob) - 1, layerPartBlob=blob)
        self.ecr.complete_layer_upload(**where, layerDigests=[digest_of(blob)])

    def push(self, image_tag: str | None, **members: Any) -> str:
        """Push an image; the digest that its manifest has."""
        text = manifest(**members)
        tag = {"imageTag": image_tag} if image_tag else {}
        self.ecr.put_image(repositoryName=self.name, imageManifest=text, imageManifestMediaType=OCI_MANIFEST, **tag)
        return digest_of(text.encode())

    def details(self, **filters: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ecr.describe_images(repositoryName=self.name, **filters)["imageDetails"]
        return found

    def code(self, operation: str, **parameters: Any) -> str:
        """The error's name, or `yes`."""
        return call(self.ecr, operation, {"repositoryName": self.name, **parameters})[0].partition(" ")[0]


def digest_is_of_manifest(probe: Probe) -> bool:
    return [probe.push("1.0")] == [one["imageDigest"] for one in probe.details()]


def wrong_digest_is_refused(probe: Probe) -> bool:
    wrong = {"imageManifest": manifest(), "imageDigest": f"sha256:{'0' * 64}"}
    return probe.code("PutImage", **wrong) == "ImageDigestDoesNotMatchException"


def retag_keeps_the_old_image(probe: Probe) -> bool:
    old, new = probe.push("1.0"), probe.push("1.0", annotations={"a": "b"})
    return {one["imageDigest"]: one.get("imageTags", []) for one in probe.details()} == {old: [], new: ["1.0"]}


def missing_layers_are_refused(probe: Probe) -> bool:
    lacking = manifest(layers=[{"mediaType": "x/y", "digest": f"sha256:{'1' * 64}", "size": 1}])
    return probe.code("PutImage", imageManifest=lacking, imageTag="1.0") == "LayersNotFoundException"


def missing_images_of_an_index_are_refused(probe: Probe) -> bool:
    index = _index(f"sha256:{'1' * 64}")
    return probe.code("PutImage", imageManifest=index, imageTag="1.0") == "ReferencedImagesNotFoundException"


def image_of_an_index_is_kept(probe: Probe) -> bool:
    child = probe.push(None)
    probe.ecr.put_image(repositoryName=probe.name, imageManifest=_index(child), imageTag="1.0")
    gone = probe.ecr.batch_delete_image(repositoryName=probe.name, imageIds=[{"imageDigest": child}])
    return [one["failureCode"] for one in gone["failures"]] == ["ImageReferencedByManifestList"]


def immutable_tag_is_kept(probe: Probe) -> bool:
    probe.ecr.put_image_tag_mutability(repositoryName=probe.name, imageTagMutability="IMMUTABLE")
    probe.push("1.0")
    moved = {"imageManifest": manifest(annotations={"a": "b"}), "imageTag": "1.0"}
    return probe.code("PutImage", **moved) == "ImageTagAlreadyExistsException"


def wildcards_are_anchored(probe: Probe) -> bool:
    """`dev-*` is not for `a-dev-1`, and its dot-free text is no regular expression."""
    probe.ecr.put_image_tag_mutability(
        repositoryName=probe.name,
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "dev-*"}],
    )
    for image_tag in ("dev-1", "deva"):
        probe.push(image_tag)
    second = {"imageManifest": manifest(annotations={"a": "b"})}
    return (probe.code("PutImage", **second, imageTag="dev-1"), probe.code("PutImage", **second, imageTag="deva")) == (
        "yes",
        "ImageTagAlreadyExistsException",
    )


def listings_have_pages(probe: Probe) -> bool:
    for number in range(3):
        probe.push(f"1.{number}", annotations={"n": str(number)})
    first = probe.ecr.list_images(repositoryName=probe.name, maxResults=2)
    if len(first["imageIds"]) != 2 or "nextToken" not in first:
        return False
    second = probe.ecr.list_images(repositoryName=probe.name, maxResults=2, nextToken=first["nextToken"])
    return len(second["imageIds"]) == 1 and "nextToken" not in second


def images_are_filtered_by_tag_status(probe: Probe) -> bool:
    tagged, untagged = probe.push("1.0"), probe.push(None, annotations={"a": "b"})
    found = [probe.details(filter={"tagStatus": status}) for status in ("TAGGED", "UNTAGGED")]
    return [[one["imageDigest"] for one in each] for each in found] == [[tagged], [untagged]]


def size_is_of_the_layers(probe: Probe) -> bool:
    probe.push("1.0")
    return [one.get("imageSizeInBytes") for one in probe.details()] == [len(LAYER)]


def layers_can_be_downloaded(probe: Probe) -> bool:
    """The URL is asked for; that it serves the bytes is looked at by the data plane's rows."""
    probe.push("1.0")
    return probe.code("GetDownloadUrlForLayer", layerDigest=digest_of(LAYER)) == "yes"


def token_lasts_for_twelve_hours(probe: Probe) -> bool:
    expires = probe.ecr.get_authorization_token()["authorizationData"][0]["expiresAt"]
    return bool(timedelta(hours=11) < expires - datetime.now(UTC) <= timedelta(hours=12, minutes=1))


def repository_policy_is_enforced(probe: Probe) -> bool:
    """Another account may do what the policy says, and nothing before."""
    other = probe.client_of(account=OTHER_ACCOUNT)
    asked = {"repositoryName": probe.name, "registryId": ACCOUNT}
    before = call(other, "DescribeImages", asked)[0]
    probe.ecr.set_repository_policy(
        repositoryName=probe.name,
        policyText=policy(None, "ecr:DescribeImages"),
    )
    after = call(other, "DescribeImages", asked)[0]
    return (before.partition(" ")[0], after) == ("AccessDeniedException", "yes")


def replication_copies_images(probe: Probe) -> bool:
    probe.ecr.put_replication_configuration(replicationConfiguration=REPLICATION)
    digest = probe.push("1.0")
    there = probe.client_of(region="eu-west-1")

    def has_arrived() -> bool:
        return (
            call(there, "DescribeImages", {"repositoryName": probe.name, "imageIds": [{"imageDigest": digest}]})[0]
            == "yes"
        )

    return _soon(has_arrived)


def lifecycle_policies_are_evaluated(probe: Probe) -> bool:
    """By a preview, which expires what has no tag."""
    probe.push("1.0")
    old = probe.push(None, annotations={"a": "b"})
    probe.push(None, annotations={"a": "c"})
    text = LIFECYCLE.replace("100", "1")
    if probe.code("StartLifecyclePolicyPreview", lifecyclePolicyText=text) != "yes":
        return False
    found: list[Any] = []

    def is_complete() -> bool:
        preview = probe.ecr.get_lifecycle_policy_preview(repositoryName=probe.name)
        found[:] = [one["imageDigest"] for one in preview.get("previewResults", [])]
        return bool(preview["status"] == "COMPLETE")

    return _soon(is_complete) and found == [old]


def pushes_are_told(probe: Probe) -> bool:
    """EventBridge's event of it reaches a listener or, by a rule for `ECR Image Action`, a queue."""
    if probe.events is not None:
        pushed, events = probe.push("1.0"), probe.events
        return _soon(lambda: any(pushed == event["detail"].get("image-digest") for event in events))
    sqs, rules = probe.client_of("sqs"), probe.client_of("events")
    name = f"probe-{uuid.uuid4().hex[:8]}"
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": _open_to_event_bridge(arn)})
    rules.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.ecr"], "detail-type": ["ECR Image Action"]}))
    rules.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])
    digest = probe.push("1.0")

    def has_come() -> bool:
        return digest in json.dumps(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=0).get("Messages", []))

    return _soon(has_come)


def _open_to_event_bridge(queue_arn: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


BEHAVIOURS: Mapping[str, Callable[[Probe], bool]] = {
    "the digest of an image is the SHA-256 of its manifest": digest_is_of_manifest,
    "a push under another digest is refused": wrong_digest_is_refused,
    "moving a tag leaves the old image, untagged": retag_keeps_the_old_image,
    "an image without its layers is refused": missing_layers_are_refused,
    "an index without its images is refused": missing_images_of_an_index_are_refused,
    "an image that an index lists cannot be deleted": image_of_an_index_is_kept,
    "moving an immutable tag is ImageTagAlreadyExistsException": immutable_tag_is_kept,
    "exclusion filters are whole-tag wildcards": wildcards_are_anchored,
    "listings have pages": listings_have_pages,
    "DescribeImages filters by tag status": images_are_filtered_by_tag_status,
    "the size of an image is that of its layers": size_is_of_the_layers,
    "a layer has a URL to download it from": layers_can_be_downloaded,
    "a token lasts for twelve hours": token_lasts_for_twelve_hours,
    "repository policies are enforced": repository_policy_is_enforced,
    "replication copies images": replication_copies_images,
    "lifecycle policies are evaluated": lifecycle_policies_are_evaluated,
    "a push is told by EventBridge's event": pushes_are_told,
}


def measure_behaviours(client_of: ClientOf, events: Sequence[Mapping[str, Any]] | None = None) -> dict[str, str]:
    """`yes`, `no`, or what went wrong instead, by behaviour. `events` as a Probe has them."""
    return {name: _asked(behaves, lambda: Probe(client_of, events)) for name, behaves in BEHAVIOURS.items()}


def _asked(behaves: Callable[[Probe], bool], probe: Callable[[], Probe]) -> str:
    try:
        return "yes" if behaves(probe()) else "no"
    except ClientError as refusal:
        status, code = refusal.response["ResponseMetadata"]["HTTPStatusCode"], refusal.response["Error"]["Code"]
        return f"no: {refusal.operation_name} answers {status}" + ("" if code == str(status) else f" {code}")
    except (BotoCoreError, KeyError) as error:
        return f"no: {type(error).__name__}"


def _soon(is_so: Callable[[], bool], tries: int = 50) -> bool:
    """Ask again for some seconds."""
    for _ in range(tries):
        if is_so():
            return True
        time.sleep(0.1)
    return False


def _index(digest: str) -> str:
    listed = {"mediaType": OCI_MANIFEST, "digest": digest, "size": 400}
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [listed]})


def client_at(endpoint: str, credentials: Callable[[str], Mapping[str, str]]) -> ClientOf:
    """Clients of a server, by service, region and account; they never retry."""

    def client_of(service: str = "ecr", region: str = "us-east-1", account: str = ACCOUNT) -> Any:
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)
        make: Any = boto3.client
        return make(service, region_name=region, endpoint_url=endpoint, config=config, **credentials(account))

    return client_of
