"""The sandbox as a case finds it: it holds what the event speaks of, and only the function that SAM runs acts in it."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from ecr_steward.domain.names import ImageTag
from sam_local.effects import ABROAD, HOME, REPOSITORY, RepositoryState, State
from sandbox.demo.client import User
from sandbox.demo.layout import Layout, Release
from sandbox.sandbox import Sandbox

SETTLED_WITHIN = 60.0
QUIET_RULE = "ForwardToStewardRule"


def quiet_build(build: Path, folder: Path) -> Path:
    """A copy of the build in which no event reaches a function: only SAM's container can have done what is seen."""
    copy = folder / "build"
    shutil.copytree(build, copy)
    template = yaml_parse((copy / "template.yaml").read_text(encoding="utf-8"))
    template["Resources"][QUIET_RULE]["Properties"]["State"] = "DISABLED"
    (copy / "template.yaml").write_text(json.dumps(template), encoding="utf-8")  # JSON is YAML
    return copy


@dataclass
class World:
    """A sandbox and the image that is pushed into it."""

    sandbox: Sandbox
    layout: Layout
    release: Release

    def prepare(self, event: Any) -> tuple[Any, tuple[str, ...]]:
        """Make the registries hold exactly what the event speaks of.

        Answers the event with the digest of the real image in place of the sample's, and the digests of all manifests
        that belong to the image, its own first.
        """
        for region in (HOME, ABROAD):
            ecr = self.sandbox.client("ecr", region)
            for repository in ecr.describe_repositories()["repositories"]:
                ecr.delete_repository(repositoryName=repository["repositoryName"], force=True)
        self.sandbox.client("ecr", HOME).create_repository(repositoryName=REPOSITORY)
        sample, image_tag, is_index = _spoken_of(event)
        user = User(self.sandbox, HOME)
        if is_index:
            user.push(self.layout, self.release, REPOSITORY, image_tag)
            manifests = [self.release.index, *self.release.children, self.release.sbom]
        else:
            user.push(self.layout, self.release, REPOSITORY, sbom=False)
            platform = self.release.children[0]
            if image_tag:
                reference = ImageTag(image_tag)
                user.registry.put_manifest(REPOSITORY, reference, platform.content, platform.descriptor.media_type)
            manifests = [platform]
        self.settle()
        digests = tuple(str(manifest.digest) for manifest in manifests)
        text = json.dumps(event)
        return json.loads(text.replace(sample, digests[0]) if sample else text), digests

    def settle(self) -> None:
        """Wait until every message has been answered: the queue of copy jobs does run here."""
        self.sandbox.wait_until_idle(timeout=SETTLED_WITHIN)

    def variables(self, function: str) -> dict[str, str]:
        """The environment of a deployed function, in which every reference has become a name or address."""
        properties = self.sandbox.deployment.resources[function].properties
        return {name: str(value) for name, value in properties["Environment"]["Variables"].items()}

    def credentials(self, function: str) -> dict[str, str]:
        """Those of the function's own role, as Lambda gives them."""
        role = self.sandbox.deployment.resources[function].properties["Role"]
        return self.sandbox.credentials_of(role, function)

    def state(self) -> State:
        """What registries and failure queue hold now."""
        repositories = {
            (region, repository["repositoryName"]): _repository(self.sandbox.client("ecr", region), repository)
            for region in (HOME, ABROAD)
            for repository in self.sandbox.client("ecr", region).describe_repositories()["repositories"]
        }
        return State(repositories, self._failures())

    @property
    def _failure_queue(self) -> str:
        return self.variables("EnforceImageTagsFunction")["ECR_STEWARD_FAILURE_QUEUE_URL"]

    def _failures(self) -> frozenset[str]:
        """At most ten, which no run of the cases exceeds. They stay visible."""
        sqs = self.sandbox.client("sqs", HOME)
        answer = sqs.receive_message(QueueUrl=self._failure_queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return frozenset(message["Body"] for message in answer.get("Messages", ()))


def _repository(ecr: Any, repository: Mapping[str, Any]) -> RepositoryState:
    name = repository["repositoryName"]
    pages = ecr.get_paginator("describe_images").paginate(repositoryName=name)
    images = {
        each["imageDigest"]: frozenset(each.get("imageTags", ())) for page in pages for each in page["imageDetails"]
    }
    tags = ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]
    policy: str | None
    lifecycle: str | None
    try:
        policy = ecr.get_repository_policy(repositoryName=name)["policyText"]
    except ecr.exceptions.RepositoryPolicyNotFoundException:
        policy = None
    try:
        lifecycle = ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
    except ecr.exceptions.LifecyclePolicyNotFoundException:
        lifecycle = None
    return RepositoryState(
        images=images,
        policy=policy,
        lifecycle=lifecycle,
        mutability=repository["imageTagMutability"],
        scan_on_push=repository["imageScanningConfiguration"]["scanOnPush"],
        resource_tags={tag["Key"]: tag["Value"] for tag in tags},
    )


def _spoken_of(event: Any) -> tuple[str | None, str, bool]:
    """The digest, image tag and kind of the image that a sample speaks of; a whole release where it names none."""
    match event:
        case {"Records": records}:
            return _detail_of_a_copy_job(records)["image-digest"], "1.4.2", True
        case {"detail": {"image-digest": str(digest)} as detail}:
            is_index = str(detail.get("manifest-media-type", "")).endswith("index.v1+json")
            return digest, detail.get("image-tag", ""), is_index
    return None, "1.4.2", True


def _detail_of_a_copy_job(records: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    for record in records:
        try:
            detail: Mapping[str, Any] = json.loads(record["body"])["detail"]
        except ValueError:
            continue  # the poison of poison_and_good
        return detail
    raise ValueError("no message of the batch is a copy job")
