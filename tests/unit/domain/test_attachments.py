"""Image tags that say what their holder belongs to: of cosign, and of the referrers API's fallback."""

import pytest

from ecr_steward.domain.images import Image, RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, ImageTag
from ecr_steward.domain.tagging import attached_to
from tests.given.rules import API

SUBJECTS = [Digest(f"sha256:{'a' * 64}"), Digest(f"sha512:{'b' * 128}")]
THERE = RepositoryImages.of(API, [Image(ImageRef(API, each)) for each in SUBJECTS])


@pytest.mark.parametrize("suffix", ["", ".sig", ".att", ".sbom"])
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.algorithm)
def test_a_tag_is_of_the_image_that_it_names_when_that_is_there(subject: Digest, suffix: str) -> None:
    tag = ImageTag(f"{subject.algorithm}-{subject.hex}{suffix}")

    assert attached_to(tag, THERE) == subject
    assert attached_to(tag, RepositoryImages.of(API, [])) is None


@pytest.mark.parametrize(
    "tag",
    [
        pytest.param(f"sha256-{'a' * 63}", id="too-short"),
        pytest.param(f"sha512-{'b' * 64}", id="as-long-as-another-algorithm-has-it"),
        pytest.param(f"sha256-{'a' * 64}.txt", id="another-suffix"),
        pytest.param(f"md5-{'a' * 64}", id="another-algorithm"),
    ],
)
def test_a_tag_is_like_any_other_when_it_is_not_of_that_form(tag: str) -> None:
    assert attached_to(ImageTag(tag), THERE) is None
