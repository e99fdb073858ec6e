"""The contract of ``Registry``, its images and what indexes list: every test runs on the fake and on the adapter."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ecr_steward.domain.images import OCI_INDEX, OCI_MANIFEST, Image
from ecr_steward.domain.names import RepositoryRef, image_tag
from ecr_steward.domain.tagging import attached_to, own_tags
from tests.contract.samples import LATEST, NOWHERE, RELEASE, STABLE


def test_images_are_read_with_their_tags_and_tagged_or_not(world: Any, repository: RepositoryRef, new: Any) -> None:
    tagged = world.push(repository, new.image(), RELEASE, LATEST)
    untagged = world.push(repository, new.image("untagged"))

    found = world.registry.images(repository)

    assert found.digests == {tagged.digest, untagged.digest}
    assert identity(found.images[tagged.digest]) == Image(tagged, frozenset({RELEASE, LATEST}), media_type=OCI_MANIFEST)
    assert identity(found.images[untagged.digest]) == Image(untagged, media_type=OCI_MANIFEST)


def identity(image: Image) -> Image:
    """What an image is and is called, without when it was pushed and the like."""
    return Image(image.ref, image.image_tags, image.subject, image.media_type)


def test_an_image_says_what_it_is_made_for_and_how_large_its_layers_are(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    small, large = new.image(), new.image("of a longer word")
    index = new.index([large, small])
    refs = [world.push(repository, manifest) for manifest in (small, large, index)]

    found = world.registry.images(repository)

    of_small, of_large, of_index = (found.images[ref.digest] for ref in refs)
    assert (of_small.size, of_large.size) == (small.blobs[1].size, large.blobs[1].size)
    assert of_index.size == large.blobs[1].size
    assert of_small.artifact_media_type == small.blobs[0].media_type
    assert of_index.artifact_media_type is None


def test_an_image_says_when_it_was_pushed_whatever_tags_it_gets_later(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    image = world.push(repository, new.image(), RELEASE)
    pushed_at = world.registry.images(repository).images[image.digest].pushed_at

    world.registry.add_image_tag(image, LATEST)
    world.push(repository, new.image(), STABLE)

    assert abs(datetime.now(UTC) - pushed_at) < timedelta(minutes=5)
    assert world.registry.images(repository).images[image.digest].pushed_at == pushed_at


def test_an_image_says_when_it_was_pulled_and_nothing_of_it_when_nobody_has(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    pulled, other = world.push(repository, new.image(), RELEASE), world.push(repository, new.image("other"))

    world.content.store(repository).manifest(pulled.digest)

    found = world.registry.images(repository)
    assert abs(datetime.now(UTC) - found.images[pulled.digest].last_pulled_at) < timedelta(minutes=5)
    assert found.images[other.digest].last_pulled_at is None


def test_a_referrer_is_told_from_images_by_its_subject(world: Any, repository: RepositoryRef, new: Any) -> None:
    child = new.image("child")
    world.push(repository, child)
    index = world.push(repository, new.index([child]), RELEASE)
    referrer = world.push(repository, new.image("sbom", subject=new.index([child])))
    image = world.push(repository, new.image("H1", subject=new.index([child]), labels={}))

    found = world.registry.images(repository)

    assert found.subject_of(index.digest) is None
    assert found.subject_of(referrer.digest) == index.digest
    assert found.subject_of(image.digest) is None, "it can be run, whatever it says of itself"


def test_an_image_that_can_run_is_attached_to_no_other_by_its_tag(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    """G03: the tag of a signature exempts a signature alone."""
    subject = world.push(repository, new.image(), RELEASE)
    tags = [image_tag(f"sha256-{subject.digest.hex}{suffix}") for suffix in (".sig", ".att", ".sbom", "")]
    evil, other = new.image("evil"), new.image("of an index")
    world.push(repository, other)
    world.push(repository, new.signature("listed"))
    attached = [new.signature(), evil, new.index([new.signature("listed")]), new.index([new.index([other]), other])]
    world.push(repository, new.index([other]))
    for tag, manifest in zip(tags, attached, strict=True):
        world.push(repository, manifest, tag)

    found = world.registry.images(repository)

    expected = [subject.digest, None, subject.digest, None]
    assert [attached_to(tag, found) for tag in tags] == expected
    assert {tag for tag in tags if tag in own_tags(found.holders[tag], found)} == {tags[1], tags[3]}
    again = world.registry.images(repository)
    assert [attached_to(tag, again) for tag in tags] == expected, "what is remembered of manifests says the same"


def test_every_image_tag_has_its_holder_when_there_are_many(world: Any, repository: RepositoryRef, new: Any) -> None:
    images = [new.image(str(number)) for number in range(3)]
    for number, image in enumerate(images):
        world.push(repository, image, f"1.0.{number}", f"2.0.{number}")
    world.push(repository, new.image("untagged"))

    tagged = world.registry.images(repository)

    assert tagged.repository == repository
    assert dict(tagged.holders) == {
        f"{major}.0.{number}": image.digest for number, image in enumerate(images) for major in (1, 2)
    }
    assert tagged.tags_of(images[0].digest) == {"1.0.0", "2.0.0"}


def test_an_index_is_told_from_images_by_its_media_type(world: Any, repository: RepositoryRef, new: Any) -> None:
    child = new.image("child")
    world.push(repository, child)
    index = world.push(repository, new.index([child]), RELEASE)

    found = world.registry.images(repository)

    assert found.images[index.digest].media_type == OCI_INDEX
    assert found.images[child.digest].media_type == OCI_MANIFEST


def test_children_of_many_indexes_are_read_in_the_order_of_each(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    children = [new.image(str(number)) for number in range(4)]
    for child in children:
        world.push(repository, child)
    indexes = [new.index(pair) for pair in zip(children[1:], children, strict=False)]
    digests = [world.push(repository, index).digest for index in indexes]

    found = world.registry.children(repository, digests)

    assert found == {index.digest: index.children for index in indexes}


def test_a_child_says_what_platform_it_is_for(world: Any, repository: RepositoryRef, new: Any) -> None:
    image, attestation = new.image("image"), new.image("attestation")
    world.push(repository, image)
    world.push(repository, attestation)
    index = world.push(repository, new.index([image, attestation], ["linux/amd64", "unknown/unknown"]))

    (first, second) = world.registry.children(repository, [index.digest])[index.digest]

    assert (first.platform, first.runs_nowhere) == ("linux/amd64", False)
    assert second.runs_nowhere


def test_only_an_index_that_is_there_has_children(world: Any, repository: RepositoryRef, new: Any) -> None:
    image = world.push(repository, new.image())

    assert world.registry.children(repository, [image.digest, NOWHERE]) == {}
    assert world.registry.children(repository, []) == {}
