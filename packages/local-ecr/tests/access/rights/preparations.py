"""What a request needs to find: an image that was not scanned, an upload of one's own, a policy to delete."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from local_ecr import Registry
from local_ecr.state import backfills
from tests.access.conftest import EVERYTHING, OWNER
from tests.access.rights.world import APP, World, numbers

DOOMED = "team/doomed"
REPOSITORIES = f"arn:aws:ecr:us-east-1:{OWNER}:repository/"
ROLE = f"arn:aws:iam::{OWNER}:role/makes-repositories"
NOBODY = {"Effect": "Deny", "Principal": {"AWS": "999999999999"}, "Action": "ecr:*"}
REPOSITORY_POLICY = json.dumps({"Version": "2012-10-17", "Statement": [NOBODY]})
REGISTRY_POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{**NOBODY, "Resource": f"{REPOSITORIES}*"}]})
LIFECYCLE_POLICY = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1000},
                "action": {"type": "expire"},
            }
        ]
    }
)
TEMPLATE = {"prefix": "new", "appliedFor": ["REPLICATION"]}

Given = Mapping[str, Any]
Prepare = Callable[[World, str], Given | None]
"""From a world and the key of who will ask to more members of what is asked."""


def nothing(world: World, key: str) -> None:
    """A row that needs no more than there is."""


def once(operation: str, **asked: Any) -> Prepare:
    """See that something is there, or gone, which it may be already."""

    def prepare(world: World, key: str) -> None:
        with suppress(ClientError):
            world.root(operation, **asked)

    return prepare


def afresh(world: World, key: str) -> None:
    """An empty repository of its own."""
    once("DeleteRepository", repositoryName=DOOMED, force=True)(world, key)
    world.root("CreateRepository", repositoryName=DOOMED)


def new_image(world: World, key: str) -> Given:
    """An image that nothing was done with."""
    manifest = world.push_image(APP, "fresh")
    return {"imageId": {"imageDigest": world.town.digest_of(manifest.encode())}}


def put_app(image_tag: str) -> Prepare:
    """A second tag of the image 1.0."""

    def prepare(world: World, key: str) -> None:
        once("PutImage", repositoryName=APP, imageManifest=world.manifests[APP], imageTag=image_tag)(world, key)

    return prepare


def another_manifest(world: World, key: str) -> Given:
    """The manifest of the image 1.0 for a tag that nothing has."""
    return {"imageManifest": world.manifests[APP], "imageTag": f"tag-{next(numbers)}"}


def own_upload(world: World, key: str) -> Given:
    """An upload that belongs to whoever asks."""
    world.let_in(key, EVERYTHING)
    return {"uploadId": world.call(key, "InitiateLayerUpload", {"repositoryName": APP})["uploadId"]}


def whole_upload(world: World, key: str) -> Given:
    """The same with all its bytes."""
    upload, data = own_upload(world, key), str(next(numbers)).encode()
    part = {**upload, "repositoryName": APP, "partFirstByte": 0, "partLastByte": len(data) - 1, "layerPartBlob": data}
    world.call(key, "UploadLayerPart", part)
    return {**upload, "layerDigests": [world.town.digest_of(data)]}


def scanned(kind: str, status: str) -> Prepare:
    """What a scanner found in the image 1.0."""

    def prepare(world: World, key: str) -> None:
        digest = world.town.digest_of(world.manifests[APP].encode())
        world.town.ecr.record_scan(Registry(OWNER, "us-east-1"), APP, digest, {"type": kind, "status": status})

    return prepare


def basic_scans(world: World, key: str) -> Given:
    """A registry that scans by itself, and an image that it did not scan yet."""
    world.root("PutRegistryScanningConfiguration", scanType="BASIC", rules=[])
    return new_image(world, key)


def loose_layer(world: World, key: str) -> Given:
    """A layer that no image is made of."""
    return {"digest": world.push_blob(APP, str(next(numbers)).encode())}


def replicated(world: World, key: str) -> Given:
    """A destination of replication, which is for repositories that nobody has."""
    to = {"region": "eu-west-1", "registryId": OWNER}
    rule = {"destinations": [to], "repositoryFilters": [{"filter": "nothing/", "filterType": "PREFIX_MATCH"}]}
    world.root("PutReplicationConfiguration", replicationConfiguration={"rules": [rule]})
    return {"destination": to}


def backfill(world: World, key: str) -> Given:
    """A backfill that the background has not been told of, so that it stays under way; of another region."""
    with world.town.ecr.store.changing() as change:
        started = backfills.start(change.connection, Registry(OWNER, "us-east-1"), Registry(OWNER, "eu-north-1"), 0)
    return {"replicationBackfillId": started.id}


with_policy = once("SetRepositoryPolicy", repositoryName=APP, policyText=REPOSITORY_POLICY, force=True)
with_registry_policy = once("PutRegistryPolicy", policyText=REGISTRY_POLICY)
with_lifecycle = once("PutLifecyclePolicy", repositoryName=APP, lifecyclePolicyText=LIFECYCLE_POLICY)
with_template = once("CreateRepositoryCreationTemplate", **TEMPLATE)
without_template = once("DeleteRepositoryCreationTemplate", prefix="new")
without_new = once("DeleteRepository", repositoryName="new/one", force=True)
with_exclusion = once("RegisterPullTimeUpdateExclusion", principalArn=ROLE)
without_exclusion = once("DeregisterPullTimeUpdateExclusion", principalArn=ROLE)


def previewed(world: World, key: str) -> None:
    """A preview of a lifecycle policy, over or not."""
    afresh(world, key)
    world.root("StartLifecyclePolicyPreview", repositoryName=DOOMED, lifecyclePolicyText=LIFECYCLE_POLICY)
