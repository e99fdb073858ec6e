"""Repositories and images that are as full as ECR lets them be: the quotas, and what is still quick."""

import json
from datetime import UTC, datetime

import pytest

from local_ecr import EcrError, Registry
from local_ecr.images.manifest import read_manifest
from local_ecr.images.mutability import Mutability
from local_ecr.images.push import MAX_IMAGE_TAGS, MAX_IMAGES, push_image
from local_ecr.images.removal import remove_image
from local_ecr.images.selection import ImageId
from local_ecr.state import images, repositories
from local_ecr.state.store import Store

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def an_index(number):
    """A manifest that needs nothing else."""
    document = {"schemaVersion": 2, "manifests": [], "annotations": {"n": str(number)}}
    return read_manifest(json.dumps(document).encode(), OCI_INDEX)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path, lambda *event: None)
    yield store
    store.close()


@pytest.fixture
def repository(store):
    with store.changing() as change:
        return repositories.create(
            change.connection,
            Registry("111122223333", "us-east-1"),
            "team/app",
            created_at=0,
            mutability=Mutability(),
            scan_on_push=False,
            encryption={},
        )


def fill(store, repository, count, first=0):
    """Images as rows, each of one layer and with one tag: what pushes would leave. Their digests."""
    values = {"first": first, "last": first + count - 1, "repository": repository.id, "type": OCI_MANIFEST}
    numbers = "WITH RECURSIVE number(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM number WHERE n < :last)"
    with store.changing() as change:
        for statement in (
            "INSERT INTO image (id, repository_id, digest, media_type, annotations, size, manifest_size, pushed_at,"
            " status) SELECT n + 1, :repository, printf('sha256:%064x', n), :type, '{}', 1, 1, 0, 'ACTIVE' FROM number",
            "INSERT INTO image_tag (repository_id, name, image_id) SELECT :repository, 'v' || n, n + 1 FROM number",
            "INSERT INTO image_part (image_id, repository_id, digest, is_image)"
            " SELECT n + 1, :repository, printf('sha256:%064x', n), 0 FROM number",
            "INSERT INTO layer (repository_id, digest, size, uploaded_at)"
            " SELECT :repository, printf('sha256:%064x', n), 1, 0 FROM number",
        ):
            change.connection.execute(f"{numbers} {statement}", values)
    return [f"sha256:{number:064x}" for number in range(first, first + count)]


def push(store, repository, manifest, image_tag=None):
    with store.changing() as change:
        return push_image(change, repository, manifest, digest=None, image_tag=image_tag, now=NOW)


@pytest.mark.slow
def test_an_image_too_many_is_refused_and_there_is_room_again_when_one_has_gone(store, repository):
    digests = fill(store, repository, MAX_IMAGES - 1)
    assert push(store, repository, an_index(1)).is_new
    with pytest.raises(EcrError, match="LimitExceededException"):
        push(store, repository, an_index(2))
    assert push(store, repository, an_index(1), "again").is_new

    with store.changing() as change:
        remove_image(change, repository, ImageId(digests[0]), NOW)
    assert push(store, repository, an_index(2)).is_new


def test_a_tag_too_many_is_refused_and_one_that_moves_from_another_image_counts_as_well(store, repository):
    for number in range(MAX_IMAGE_TAGS):
        push(store, repository, an_index(1), f"v{number}")
    assert not push(store, repository, an_index(1), "v0").is_new
    push(store, repository, an_index(2), "other")
    for image_tag in ("one-more", "other"):
        with pytest.raises(EcrError, match="LimitExceededException"):
            push(store, repository, an_index(1), image_tag)
    push(store, repository, an_index(2), "v0")
    assert push(store, repository, an_index(1), "one-more").is_new


def steps_of_removing(store, repository, digests):
    """What it takes to remove images, in steps of SQLite's machine."""
    counted = 0

    def count():
        nonlocal counted
        counted += 1

    with store.changing() as change:
        change.connection.set_progress_handler(count, 10)
        try:
            for digest in digests:
                assert remove_image(change, repository, ImageId(digest), NOW)
        finally:
            change.connection.set_progress_handler(None, 0)
    return counted


def test_removing_an_image_takes_as_many_steps_when_the_repository_has_twenty_times_as_many(store, repository):
    few = steps_of_removing(store, repository, fill(store, repository, 200)[50:150])
    many = steps_of_removing(store, repository, fill(store, repository, 4_000, first=200)[50:150])
    assert many <= few * 1.5


def test_images_are_counted_however_they_come_and_go(store, repository):
    digests = fill(store, repository, 5)
    with store.changing() as change:
        remove_image(change, repository, ImageId(image_tag="v1"), NOW)
        remove_image(change, repository, ImageId(digests[2]), NOW)
        assert images.count(change.connection, repository.id) == 3
        repositories.delete(change.connection, repository)
        assert images.count(change.connection, repository.id) == 0
