"""Which images that claim to be attached can run: what is read for it, and what is made of the unreadable."""

from collections.abc import Iterable, Iterator

import pytest

from ecr_steward.adapters.attachments import Attachments
from ecr_steward.domain.images import DEPTH_LIMIT, OCI_CONFIG, Image, Manifest, RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RepositoryRef
from ecr_steward.domain.tagging import attached_to
from ecr_steward.errors import InvalidManifestError, StewardError
from tests.given.graphs import image_of, index_of
from tests.given.rules import API

SUBJECT = Digest(f"sha256:{'a' * 64}")
TAG = ImageTag(f"sha256-{SUBJECT.hex}.sig")


class Reads:
    """A repository's manifests, and each digest that was asked for."""

    def __init__(self, *manifests: Manifest, unreadable: Digest | None = None) -> None:
        self.manifests = {manifest.digest: manifest for manifest in manifests}
        self.unreadable = unreadable
        self.asked: list[Digest] = []
        self.attachments = Attachments(self._read)

    def _read(self, _: RepositoryRef, digests: Iterable[Digest]) -> Iterator[tuple[Digest, Manifest | StewardError]]:
        for digest in digests:
            self.asked.append(digest)
            if digest in self.manifests:
                yield digest, self.manifests[digest]
            elif digest == self.unreadable:
                yield digest, InvalidManifestError("it is to be read in two ways")

    def subject(self, claimed: Digest, config: str | None = OCI_CONFIG) -> Digest | None:
        """What the image under the tag of an attachment belongs to."""
        images = [Image(ImageRef(API, SUBJECT)), *(self._image(digest, config) for digest in self.manifests)]
        found = {image.digest: image for image in images}
        found[claimed] = Image(ImageRef(API, claimed), frozenset({TAG}), artifact_media_type=config)
        return attached_to(TAG, self.attachments.marked(RepositoryImages(API, found)))

    def _image(self, digest: Digest, config: str | None) -> Image:
        return Image(ImageRef(API, digest), artifact_media_type=config)


def test_a_manifest_is_read_once_whatever_is_asked_later() -> None:
    evil = image_of(b"{}", b"layer")
    reads = Reads(evil)

    assert [reads.subject(evil.digest) for _ in range(3)] == [None, None, None]
    assert reads.asked == [evil.digest]


def test_nothing_is_read_of_what_claims_nothing() -> None:
    reads = Reads(image_of(b"{}", b"layer"))
    images = RepositoryImages.of(API, [Image(ImageRef(API, digest)) for digest in reads.manifests])

    assert reads.attachments.marked(images) is images
    assert reads.asked == []


@pytest.mark.parametrize("listed", [OCI_CONFIG, "application/vnd.in-toto+json", None])
def test_what_the_registry_lists_as_its_type_exempts_no_image(listed: str | None) -> None:
    """An ``artifactType`` beside the config of an image: whichever of the two ECR lists."""
    evil = image_of(b"{}", b"layer")

    assert Reads(evil).subject(evil.digest, listed) is None
    referrer = Image(ImageRef(API, evil.digest), frozenset({ImageTag("1.0.0")}), SUBJECT, artifact_media_type=listed)
    found = Reads(evil).attachments.marked(RepositoryImages.of(API, [referrer, Image(ImageRef(API, SUBJECT))]))
    assert found.subject_of(evil.digest) is None


def test_what_one_reader_refuses_another_may_run() -> None:
    damaged = Digest(f"sha256:{'d' * 64}")

    assert Reads(unreadable=damaged).subject(damaged) is None
    assert Reads().subject(damaged) == SUBJECT, "what is gone by now is left to the next look"


def test_what_is_deeper_than_is_read_counts_as_what_can_run() -> None:
    nested = [index_of(image_of(b"{}"))]
    while len(nested) <= DEPTH_LIMIT:
        nested.append(index_of(nested[-1]))
    reads = Reads(*nested)

    assert reads.subject(nested[-1].digest) is None
    assert len(reads.asked) <= DEPTH_LIMIT
    assert Reads(*nested[:2]).subject(nested[1].digest) == SUBJECT, "the image that it lists is not there"
