"""What a user has: boto3 for the API, and a login made from ``GetAuthorizationToken`` for ``/v2/``."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward_sandbox.demo.layout import Release
from ecr_steward_sandbox.oci_layout import Layout
from ecr_steward_sandbox.sandbox import Sandbox

_CHUNK = 1 << 20


@dataclass(frozen=True)
class User:
    """Somebody who pushes to and pulls from one registry of the sandbox."""

    sandbox: Sandbox
    region: str
    account: str | None = None
    """``None`` for the account that the template is deployed in."""

    @property
    def place(self) -> str:
        """Where that is, as people say it."""
        return f"account {self.account}" if self.account else self.region

    @cached_property
    def ecr(self) -> Any:
        """The ECR API."""
        return self.sandbox.client("ecr", self.region, self.account)

    @cached_property
    def registry(self) -> DistributionClient:
        """The ``/v2/`` face, logged in to anew whenever half a day has passed."""
        return DistributionClient(self._login["proxyEndpoint"], self._authorization, renew=self._log_in_again)

    @cached_property
    def _login(self) -> dict[str, Any]:
        (login,) = self.ecr.get_authorization_token()["authorizationData"]
        return dict(login)

    def _authorization(self) -> str:
        return f"Basic {self._login['authorizationToken']}"

    def _log_in_again(self) -> None:
        self.__dict__.pop("_login", None)

    def push(self, layout: Layout, release: Release, repository: str, *image_tags: str, sbom: bool = True) -> None:
        """Push an image as its tags, children by digest, and the SBOM that refers to it."""
        for manifest in release.manifests if sbom else release.manifests[:-1]:
            for blob in manifest.stored_blobs:
                if not self.registry.blob_exists(repository, blob.digest):
                    with release.open(layout, blob.digest) as stream:
                        chunks = iter(partial(stream.read, _CHUNK), b"")
                        self.registry.upload_blob(repository, chunks, blob)
            references: list[Digest | ImageTag] = [manifest.digest]
            if manifest is release.index:
                references = [ImageTag(image_tag) for image_tag in image_tags]
            for reference in references:
                media_type = manifest.descriptor.media_type
                self.registry.put_manifest(repository, reference, manifest.content, media_type)

    def put_index(self, release: Release, repository: str, image_tag: str) -> None:
        """Put an index under one image tag; its children must be there."""
        index = release.index
        self.registry.put_manifest(repository, ImageTag(image_tag), index.content, index.descriptor.media_type)

    def pull_manifest(self, repository: str, reference: Digest | str) -> Manifest:
        """Pull a manifest by digest or image tag."""
        reference = reference if isinstance(reference, Digest) else ImageTag(reference)
        return self.registry.get_manifest(repository, reference)

    def pull_blob(self, repository: str, blob: Descriptor) -> Iterator[bytes]:
        """Pull a blob in chunks."""
        with self.registry.open_blob(repository, blob) as chunks:
            yield from chunks

    def tags(self, repository: str) -> dict[str, str]:
        """Which digest holds which image tag."""
        pages = self.ecr.get_paginator("list_images").paginate(
            repositoryName=repository, filter={"tagStatus": "TAGGED"}
        )
        return {entry["imageTag"]: entry["imageDigest"] for page in pages for entry in page["imageIds"]}

    def has_repository(self, repository: str) -> bool:
        """Whether there is such a repository."""
        pages = self.ecr.get_paginator("describe_repositories").paginate()
        return any(found["repositoryName"] == repository for page in pages for found in page["repositories"])

    def digests(self, repository: str) -> set[str]:
        """Every image of a repository, tagged or not."""
        pages = self.ecr.get_paginator("list_images").paginate(repositoryName=repository)
        return {entry["imageDigest"] for page in pages for entry in page["imageIds"]}
