"""The contract of ``ImageContent``: every test runs on the fake and on the adapter."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ecr_steward.domain.deadline import Deadline
from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageRef, RepositoryRef
from ecr_steward.errors import (
    DigestMismatchError,
    ImageNotFoundError,
    InvalidManifestError,
    OutOfTimeError,
    RefusedByRegistryError,
    RepositoryNotFoundError,
)

NOWHERE = Digest(f"sha256:{'0' * 64}")


def holds(world: Any, repository: RepositoryRef, digest: Digest) -> bool:
    return digest in world.registry.images(repository).digests


def tags_of(world: Any, image: ImageRef) -> frozenset[str]:
    tags: frozenset[str] = world.registry.images(image.repository).tags_of(image.digest)
    return tags


def move(world: Any, source: RepositoryRef, destination: RepositoryRef, blob: Descriptor) -> None:
    there = world.content.store(source)
    world.content.store(destination).write_blob(blob, there, lambda: there.read_blob(blob))


def copy(world: Any, source: RepositoryRef, destination: RepositoryRef, manifest: Manifest) -> None:
    for blob in manifest.blobs:
        move(world, source, destination, blob)
    world.content.store(destination).put_manifest(world.content.store(source).manifest(manifest.digest), None)


def test_a_manifest_is_read_byte_for_byte(world: Any, repository: RepositoryRef, new: Any) -> None:
    image, child = new.image(), new.image("child")
    index = new.index([child])
    for manifest in (image, child, index):
        world.push(repository, manifest)

    assert world.content.store(repository).manifest(image.digest) == image
    assert world.content.store(repository).manifest(index.digest) == index


def test_there_is_no_manifest_when_nobody_pushed_it(
    world: Any, repository: RepositoryRef, abroad: RepositoryRef
) -> None:
    with pytest.raises(ImageNotFoundError, match=str(NOWHERE)):
        world.content.store(repository).manifest(NOWHERE)
    with pytest.raises(RepositoryNotFoundError, match="team-a/api"):
        world.content.store(abroad).manifest(NOWHERE)


def test_a_repository_knows_what_it_holds(
    world: Any, repository: RepositoryRef, abroad: RepositoryRef, new: Any
) -> None:
    image = new.image()
    world.push(repository, image)
    blob = image.blobs[0].digest

    assert holds(world, repository, image.digest)
    assert world.content.store(repository).has_blob(blob)
    assert not holds(world, repository, NOWHERE)
    assert not world.content.store(repository).has_blob(NOWHERE)
    assert not world.content.store(abroad).has_blob(blob)


def test_what_a_repository_tells_of_many_blobs_at_once_is_true(
    world: Any, repository: RepositoryRef, abroad: RepositoryRef, new: Any
) -> None:
    image = new.image()
    world.push(repository, image)
    held = [blob.digest for blob in image.blobs]
    strange = [Digest(f"sha256:{number:064}") for number in range(101)]

    told = world.content.store(repository).known_blobs([*held, *strange])

    assert all(told.get(digest, True) for digest in held)
    assert not any(told.get(digest, False) for digest in strange)
    assert not any(world.content.store(abroad).known_blobs(held).values())
    assert world.content.store(repository).known_blobs([]) == {}


def test_everything_that_refers_to_an_image_is_listed(world: Any, repository: RepositoryRef, new: Any) -> None:
    image, other = new.image(), new.image("other")
    signature, sbom = new.image("signature", subject=image), new.image("sbom", subject=image)
    for manifest in (image, other, signature, sbom, new.image("elsewhere", subject=other)):
        world.push(repository, manifest)

    found = world.content.store(repository).referrers(image.digest)

    assert {referrer.digest for referrer in found} == {signature.digest, sbom.digest}
    assert {referrer.size for referrer in found} == {signature.descriptor.size, sbom.descriptor.size}


def test_annotations_and_labels_are_read_when_an_image_has_them(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    source = {"org.opencontainers.image.source": "https://example.com/api"}
    image = new.image(labels=source, annotations={"team": "a"})
    bare = new.image("bare")
    for manifest in (image, bare):
        world.push(repository, manifest)

    assert world.content.store(repository).manifest(image.digest).annotations == {"team": "a"}
    assert world.content.labels(repository, image.blobs[0]) == source
    assert world.content.store(repository).manifest(bare.digest).annotations == {}
    assert world.content.labels(repository, bare.blobs[0]) == {}


def test_there_are_no_labels_when_the_config_is_damaged_or_not_there(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    image = new.image()
    world.push(repository, image)
    world.damage(repository, image.blobs[0].digest)

    with pytest.raises(DigestMismatchError, match=str(image.blobs[0].digest)):
        world.content.labels(repository, image.blobs[0])
    with pytest.raises(ImageNotFoundError):
        world.content.labels(repository, replace(image.blobs[0], digest=NOWHERE))


def test_a_referrer_says_its_artifact_type_when_it_is_listed(world: Any, repository: RepositoryRef, new: Any) -> None:
    image = new.image()
    sbom = new.image("sbom", subject=image, artifact_type="application/spdx+json")
    plain = new.image("plain", subject=image)
    for manifest in (image, sbom, plain):
        world.push(repository, manifest)

    found = {each.digest: each.artifact_type for each in world.content.store(repository).referrers(image.digest)}

    assert found == {sbom.digest: "application/spdx+json", plain.digest: plain.blobs[0].media_type}


def test_there_are_no_referrers_when_there_is_nothing_to_refer_to(
    world: Any, repository: RepositoryRef, abroad: RepositoryRef, new: Any
) -> None:
    image = new.image()
    world.push(repository, image)

    assert world.content.store(repository).referrers(image.digest) == ()
    assert world.content.store(repository).referrers(NOWHERE) == ()
    assert world.content.store(abroad).referrers(image.digest) == ()


def test_a_referrer_is_listed_when_its_subject_is_not_there(world: Any, repository: RepositoryRef, new: Any) -> None:
    image = new.image()
    sbom = new.image("sbom", subject=image)
    world.push(repository, sbom)

    assert [referrer.digest for referrer in world.content.store(repository).referrers(image.digest)] == [sbom.digest]


def test_an_image_arrives_equal_and_untagged_when_it_is_copied(
    world: Any, repository: RepositoryRef, abroad: RepositoryRef, new: Any
) -> None:
    arm, intel = new.image("arm64"), new.image("amd64")
    index = new.index([arm, intel])
    sbom = new.image("sbom", subject=index)
    for manifest in (arm, intel, index, sbom):
        world.push(repository, manifest)
    world.registry.create_repository(abroad, None)

    for manifest in (arm, intel, index, sbom):
        copy(world, repository, abroad, manifest)

    for manifest in (arm, intel, index, sbom):
        assert world.content.store(abroad).manifest(manifest.digest) == manifest
        assert tags_of(world, ImageRef(abroad, manifest.digest)) == frozenset()
    assert all(world.content.store(abroad).has_blob(blob.digest) for blob in arm.blobs)
    assert [referrer.digest for referrer in world.content.store(abroad).referrers(index.digest)] == [sbom.digest]


def test_copying_is_a_success_when_it_is_done_again(
    world: Any, repository: RepositoryRef, abroad: RepositoryRef, new: Any
) -> None:
    image = new.image()
    world.push(repository, image)
    world.registry.create_repository(abroad, None)

    copy(world, repository, abroad, image)
    copy(world, repository, abroad, image)

    assert world.content.store(abroad).manifest(image.digest) == image


def test_the_tags_stay_when_a_manifest_is_put_again(world: Any, repository: RepositoryRef, new: Any) -> None:
    image = new.image()
    pushed = world.push(repository, image, "1.4.2")

    world.content.store(repository).put_manifest(image, None)

    assert tags_of(world, pushed) == {"1.4.2"}


def test_nothing_arrives_when_the_source_blob_is_damaged(
    world: Any, repository: RepositoryRef, abroad: RepositoryRef, new: Any
) -> None:
    image = new.image()
    world.push(repository, image)
    world.registry.create_repository(abroad, None)
    layer = image.blobs[1]
    world.damage(repository, layer.digest)

    with pytest.raises(DigestMismatchError, match=str(layer.digest)):
        move(world, repository, abroad, layer)

    assert not world.content.store(abroad).has_blob(layer.digest)


def test_nothing_is_copied_when_blob_or_repository_are_not_there(
    world: Any, repository: RepositoryRef, abroad: RepositoryRef, new: Any
) -> None:
    image = new.image()
    world.push(repository, image)
    layer = image.blobs[1]

    with pytest.raises(RepositoryNotFoundError):
        move(world, repository, abroad, layer)
    with pytest.raises(RepositoryNotFoundError):
        move(world, abroad, repository, layer)
    world.registry.create_repository(abroad, None)
    with pytest.raises(ImageNotFoundError):
        move(world, repository, abroad, replace(layer, digest=NOWHERE))


def test_a_manifest_is_refused_when_what_it_points_to_is_not_there(
    world: Any, repository: RepositoryRef, abroad: RepositoryRef, new: Any
) -> None:
    image = new.image()
    index = new.index([image])
    calls: list[Callable[[], object]] = [
        lambda: world.content.store(repository).put_manifest(image, None),
        lambda: world.content.store(repository).put_manifest(index, None),
    ]

    for call in calls:
        with pytest.raises(RefusedByRegistryError):
            call()
    with pytest.raises(RepositoryNotFoundError):
        world.content.store(abroad).put_manifest(image, None)

    assert not holds(world, repository, image.digest)
    assert not holds(world, repository, index.digest)


def test_a_manifest_is_taken_when_only_a_foreign_layer_is_not_there(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    world.push(repository, new.image("windows"))
    image = new.image_with_a_foreign_layer("windows")

    world.content.store(repository).put_manifest(image, None)

    assert world.content.store(repository).manifest(image.digest) == image


def test_a_manifest_is_refused_when_it_is_none(world: Any, repository: RepositoryRef, new: Any) -> None:
    image = new.image()

    with pytest.raises(InvalidManifestError):
        world.content.store(repository).put_manifest(replace(image, content=b""), None)


def test_nothing_is_asked_for_when_the_time_of_a_job_is_over_and_another_job_has_its_own(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    image = new.image()
    world.push(repository, image)
    late, timely = world.content.for_job(Deadline(lambda: 0.0)), world.content.for_job(Deadline(lambda: 60.0))

    with pytest.raises(OutOfTimeError):
        late.store(repository).manifest(image.digest)
    with pytest.raises(OutOfTimeError):
        late.store(repository).has_blob(image.blobs[0].digest)
    assert timely.store(repository).manifest(image.digest) == image
    assert world.content.for_job().store(repository).has_blob(image.blobs[0].digest)
