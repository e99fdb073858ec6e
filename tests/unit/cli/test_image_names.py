"""Images as people write them."""

import pytest

from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RegistryRef, RepositoryRef
from ecr_steward.errors import InvalidNameError
from ecr_steward_cli.image_names import ImageName, parse_image, resolve

HOME = RegistryRef("111122223333", "us-east-1")
API = RepositoryRef(HOME, "team-a/api")
DIGEST = Digest("sha256:" + "a" * 64)


def nobody() -> RegistryRef:
    raise AssertionError("the name says whose registry it is")


@pytest.mark.parametrize(
    "registry",
    [
        "111122223333.dkr.ecr.us-east-1.amazonaws.com",
        "111122223333.dkr-ecr.us-east-1.on.aws",
        "111122223333.dkr.ecr-fips.us-east-1.amazonaws.com",
        "111122223333.dkr.ecr.us-east-1.amazonaws.com:443",
        "111122223333/us-east-1",
    ],
)
@pytest.mark.parametrize(
    ("image", "image_tag", "digest"),
    [
        (":1.4.2", "1.4.2", None),
        (f"@{DIGEST}", None, DIGEST),
        (f":1.4.2@{DIGEST}", "1.4.2", DIGEST),
    ],
)
def test_registry_repository_and_image_are_read_from_a_name(registry, image, image_tag, digest):
    assert parse_image(f"{registry}/team-a/api{image}", nobody) == ImageName(API, image_tag, digest)


def test_a_region_of_china_is_read_from_its_host():
    name = parse_image("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/api:1", nobody)

    assert name.repository == RepositoryRef(RegistryRef("111122223333", "cn-north-1"), "api")


@pytest.mark.parametrize("repository", ["api", "team-a/api", "team-a/us-east-1/api"])
def test_a_repository_alone_is_one_of_the_callers_registry(repository):
    name = parse_image(f"{repository}:1.4.2", lambda: HOME)

    assert name.repository == RepositoryRef(HOME, repository)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("team-a/api", "names no image: add :TAG or @sha256:DIGEST"),
        ("docker.io/library/alpine:3", "`docker.io` is no host of an ECR registry"),
        ("111122223333.dkr.ecr.us-east-1.anything.example/api:1", "is no host of an ECR registry"),  # tools 6.12
        ("127.0.0.1:4566/api:1", "111122223333/us-east-1/REPOSITORY means the same"),
        ("team-a/api@sha256:abc", "is not a digest"),
        ("Team-A/api:1", "is not a repository name"),
        ("api:-1", "is not an image tag"),
        ("111122223333/us-east-1/:1", "is not a repository name"),
    ],
)
def test_the_reason_is_told_when_a_text_names_no_image(text, reason):
    with pytest.raises(InvalidNameError) as error:
        parse_image(text, lambda: HOME)

    assert reason in str(error.value)


def test_the_holder_of_the_tag_is_meant_unless_there_is_a_digest():
    other = Digest("sha256:" + "b" * 64)
    holders = {ImageTag("1.4.2"): other}

    assert resolve(ImageName(API, ImageTag("1.4.2"), None), lambda _: holders) == ImageRef(API, other)
    assert resolve(ImageName(API, ImageTag("1.4.2"), DIGEST), lambda _: holders) == ImageRef(API, DIGEST)
    with pytest.raises(InvalidNameError, match=f"no image of {API} holds the image tag 1.4.3"):
        resolve(ImageName(API, ImageTag("1.4.3"), None), lambda _: holders)
