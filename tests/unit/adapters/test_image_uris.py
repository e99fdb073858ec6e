import pytest

from ecr_steward.adapters.image_uris import used_image
from ecr_steward.domain.names import Digest, RegistryRef, RepositoryRef

DIGEST = f"sha256:{'a' * 64}"
OTHER = f"sha256:{'b' * 64}"
API = RepositoryRef(RegistryRef("111122223333", "eu-west-1"), "team-a/api")


@pytest.mark.parametrize(
    "host",
    [
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com",
        "111122223333.dkr.ecr-fips.eu-west-1.amazonaws.com",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com.cn",
        "111122223333.dkr-ecr.eu-west-1.on.aws",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com:443",  # core 6.16: such an image counted as not in use
    ],
)
@pytest.mark.parametrize(
    ("rest", "tag", "digest"),
    [(":1.4.2", "1.4.2", None), ("", "latest", None), (f"@{DIGEST}", None, DIGEST), (f":1.4.2@{DIGEST}", None, DIGEST)],
)
def test_a_uri_means_a_digest_or_a_tag_of_a_repository(
    host: str, rest: str, tag: str | None, digest: str | None
) -> None:
    found = used_image(f"{host}/team-a/api{rest}", "somebody")

    assert found is not None
    assert found.repository == API
    assert found.image_tag == tag
    assert found.digest == (Digest(digest) if digest else None)


def test_the_digest_that_was_pulled_counts_where_it_is_known() -> None:
    found = used_image("111122223333.dkr.ecr.eu-west-1.amazonaws.com/team-a/api:1.4.2", "somebody", OTHER)

    assert found is not None
    assert (found.image_tag, found.digest) == (None, Digest(OTHER))


@pytest.mark.parametrize(
    "uri",
    [
        "nginx",
        "nginx:1.27",
        "docker.io/library/nginx@" + DIGEST,
        "public.ecr.aws/nginx/nginx:1",
        "localhost:5000/team-a/api:1",
        "111122223333.dkr.ecr.eu-west-1.anything.example/api:1",  # core 6.16, tools 6.12
        "111122223333.dkr-ecr.eu-west-1.on.example/api:1",
        "x111122223333.dkr.ecr.eu-west-1.amazonaws.com/api:1",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team-a/api:${TAG}",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team-a/api@sha256:abc",
        "",
    ],
)
def test_what_no_registry_of_ecr_could_hold_is_left_out(uri: str) -> None:
    assert used_image(uri, "somebody") is None
