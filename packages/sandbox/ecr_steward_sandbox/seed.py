"""Push an OCI image layout into a running registry, as any client would: over /v2/, with a token from the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.domain.images import Descriptor
from ecr_steward.domain.names import ImageTag
from ecr_steward.errors import StewardError
from ecr_steward_sandbox.oci_layout import Layout, LayoutError
from local_ecr import MAX_IMAGE_TAG, is_image_tag, registry_of

_CHUNK = 1 << 20


class SeedError(Exception):
    """Nothing, or not everything, was pushed; the message says why."""


@dataclass(frozen=True)
class Seeded:
    """What is there now, and how much of it was not before."""

    repository_name: str
    image_tag: str
    digest: str
    manifests: int
    blobs: int
    """Pushed; those that were there already are not counted."""


def seed(
    layout_folder: Path, repository_name: str, image_tag: str, endpoint_url: str, say: Callable[[str], None]
) -> Seeded:
    """Push the one image of a layout, with all that it is made of; its repository is created where there is none.

    Credentials and region are those that boto3 finds. Raises SeedError.
    """
    layout = Layout(layout_folder)
    if not is_image_tag(image_tag):  # before anything is made
        raise SeedError(
            f"{image_tag!r} is no image tag: at most {MAX_IMAGE_TAG} letters, digits, '_', '.' and '-', not beginning "
            "with '.' or '-'"
        )
    try:
        graph = layout.graph()
        ecr = boto3.client("ecr", endpoint_url=endpoint_url, config=Config(retries={"total_max_attempts": 1}))
        (login,) = ecr.get_authorization_token()["authorizationData"]
        _require_a_port(login["proxyEndpoint"])
        if _create(ecr, repository_name):
            say(f"created repository {repository_name}")
        registry = DistributionClient(login["proxyEndpoint"], lambda: f"Basic {login['authorizationToken']}")
        blobs = {blob.digest: blob for manifest in graph for blob in manifest.stored_blobs}
        pushed = sum(_push(registry, layout, repository_name, blob) for blob in blobs.values())
        for manifest in graph:
            is_top = manifest is graph[-1]
            reference = ImageTag(image_tag) if is_top else manifest.digest
            registry.put_manifest(repository_name, reference, manifest.content, manifest.descriptor.media_type)
    except ClientError as cause:  # in ECR's words alone: botocore's own have its operation and retries around them
        error = cause.response["Error"]
        raise SeedError(f"{error['Code']}: {error['Message']}") from cause
    except NoRegionError as cause:
        raise SeedError("which region? Export the AWS_REGION that `ecr-steward sandbox up` says") from cause
    except (LayoutError, StewardError, BotoCoreError) as cause:
        raise SeedError(str(cause)) from cause
    return Seeded(repository_name, image_tag, str(graph[-1].digest), len(graph), pushed)


def _require_a_port(registry_url: str) -> None:
    """Raises SeedError for a registry that has its name at AWS alone, where nobody of ours would be met."""
    registry = registry_of(urlsplit(registry_url).hostname or "")
    if registry is not None:
        raise SeedError(
            f"the registry of {registry.account} in {registry.region} has no port here: take another AWS_REGION or "
            "AWS_ACCESS_KEY_ID, or start `ecr-steward sandbox up --ecr-only` with its --account and --region"
        )


def _create(ecr: Any, repository_name: str) -> bool:
    """Whether it was not there.

    To look first leaves no refused call in the trail, and is enough for who may push and not create.
    """
    try:
        ecr.describe_repositories(repositoryNames=[repository_name])
    except ecr.exceptions.RepositoryNotFoundException:
        ecr.create_repository(repositoryName=repository_name)
        return True
    return False


def _push(registry: DistributionClient, layout: Layout, repository_name: str, blob: Descriptor) -> bool:
    if registry.blob_exists(repository_name, blob.digest):
        return False
    with layout.path(blob.digest).open("rb") as stream:
        registry.upload_blob(repository_name, iter(partial(stream.read, _CHUNK), b""), blob)
    return True
