"""Each operation of ECR's API, called with success and its effect read back another way.

The suite runs on local_ecr and, with STEWARD_TEST_AWS=1, on the real account of the credentials that boto3 finds: every
repository that it makes there has a name of its own and is removed afterwards.
"""

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config

from local_ecr import LocalEcr, LocalEcrServer

LOCAL_ACCOUNT = "111122223333"
REGION = os.environ.get("STEWARD_TEST_AWS_REGION", "us-east-1")
SECOND_REGION = os.environ.get("STEWARD_TEST_AWS_SECOND_REGION", "eu-west-1")
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
ON_REAL_AWS = os.environ.get("STEWARD_TEST_AWS") == "1"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _descriptor(media_type: str, digest: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


@dataclass
class Account:
    """An account with an ECR registry to work in."""

    ecr: Any
    """A boto3 client of a principal that may do everything with ECR."""
    ecr_abroad: Any
    """The same in the second region."""
    id: str
    region: str
    is_real: bool
    paused: Callable[[], AbstractContextManager[None]] = nullcontext
    """A with block in which the registry does nothing by itself; a real one is not that fast."""
    prefix: str = field(default_factory=lambda: f"ecr-steward-test-{uuid.uuid4().hex[:8]}")
    """Of every repository that a test makes."""

    def name(self, name: str) -> str:
        """A repository's name that nobody else has."""
        return f"{self.prefix}/{name}"

    def create_repository(self, name: str = "app", **settings: Any) -> str:
        """Create a repository and return its whole name."""
        whole = self.name(name)
        self.ecr.create_repository(repositoryName=whole, **settings)
        return whole

    def http(self, method: str, path: str, **options: Any) -> urllib3.BaseHTTPResponse:
        """A request to the /v2/ face of the registry, with a fresh token."""
        data = self.ecr.get_authorization_token()["authorizationData"][0]
        headers = {"Authorization": f"Basic {data['authorizationToken']}", **options.pop("headers", {})}
        pool = urllib3.PoolManager(retries=urllib3.Retry(connect=0, read=0, redirect=2), timeout=30)
        return pool.request(method, data["proxyEndpoint"] + path, headers=headers, **options)

    def push_blob(self, repository_name: str, content: bytes) -> str:
        """Push one layer through the API and return its digest."""
        named = {"repositoryName": repository_name}
        upload_id = self.ecr.initiate_layer_upload(**named)["uploadId"]
        self.ecr.upload_layer_part(
            **named, uploadId=upload_id, partFirstByte=0, partLastByte=len(content) - 1, layerPartBlob=content
        )
        done = self.ecr.complete_layer_upload(**named, uploadId=upload_id, layerDigests=[digest_of(content)])
        digest: str = done["layerDigest"]
        return digest

    def manifest(self, repository_name: str, text: str, **members: Any) -> str:
        """The manifest of an image of one layer that holds `text`; its blobs are pushed, it is not."""
        config, layer = json.dumps({"architecture": "amd64", "os": "linux", "text": text}).encode(), text.encode()
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _descriptor(OCI_CONFIG, self.push_blob(repository_name, config), config),
            "layers": [_descriptor(OCI_LAYER, self.push_blob(repository_name, layer), layer)],
            **members,
        }
        return json.dumps(document)

    def push_image(self, repository_name: str, text: str, *image_tags: str, **members: Any) -> str:
        """Push such an image and return its digest."""
        manifest = self.manifest(repository_name, text, **members)
        for named in [{"imageTag": image_tag} for image_tag in image_tags] or [{}]:
            self.ecr.put_image(repositoryName=repository_name, imageManifest=manifest, **named)
        return digest_of(manifest.encode())


def _account(account_id: str, *, is_real: bool, **options: Any) -> Account:
    config = Config(retries={"total_max_attempts": 5 if is_real else 1, "mode": "standard"})
    here, abroad = (
        boto3.client("ecr", region_name=region, config=config, **options) for region in (REGION, SECOND_REGION)
    )
    return Account(here, abroad, account_id, REGION, is_real=is_real)


@pytest.fixture(params=["local_ecr", *(["aws"] if ON_REAL_AWS else [])])
def account(request: pytest.FixtureRequest, remove_repositories: Callable[[Any, str], None]) -> Iterator[Account]:
    """local_ecr, and a real account on request."""
    found: Account = request.getfixturevalue(f"_{request.param}_account")
    yield found
    for ecr in (found.ecr, found.ecr_abroad):
        remove_repositories(ecr, found.prefix)


@pytest.fixture
def _local_ecr_account(tmp_path: Path) -> Iterator[Account]:
    with LocalEcrServer(LocalEcr(tmp_path / "ecr"), [(LOCAL_ACCOUNT, REGION)]) as server:
        keys = {"aws_access_key_id": LOCAL_ACCOUNT, "aws_secret_access_key": "not-verified"}
        found = _account(LOCAL_ACCOUNT, is_real=False, endpoint_url=server.endpoint_url, **keys)
        yield replace(found, paused=server.ecr.background.paused)


@pytest.fixture
def _aws_account(real_account: str) -> Account:
    return _account(real_account, is_real=True)


@pytest.fixture(scope="session")
def real_account() -> str:
    """The account of the credentials that boto3 finds."""
    account: str = boto3.client("sts", region_name=REGION).get_caller_identity()["Account"]
    return account


@pytest.fixture(scope="session")
def remove_repositories() -> Callable[[Any, str], None]:
    """Deletes those with this prefix, by a client of ECR, with all their images."""

    def remove(ecr: Any, prefix: str) -> None:
        for page in ecr.get_paginator("describe_repositories").paginate():
            for repository in page["repositories"]:
                if repository["repositoryName"].startswith(prefix):
                    ecr.delete_repository(repositoryName=repository["repositoryName"], force=True)

    return remove
