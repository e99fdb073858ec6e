"""What ECR's API may answer besides the usual: failures in a 200, other bytes, pages that lead nowhere."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.ecr_registry import EcrRegistry
from ecr_steward.adapters.manifests import digest_of
from ecr_steward.adapters.memory import InMemoryReleases
from ecr_steward.domain.images import MANIFEST_MEDIA_TYPES, OCI_INDEX, OCI_MANIFEST
from ecr_steward.domain.names import Digest, ImageRef, RegistryRef, RepositoryRef, image_tag
from ecr_steward.domain.repositories import Mutability, TagMutability
from ecr_steward.errors import (
    AccessDeniedError,
    DigestMismatchError,
    ImageNotFoundError,
    ImageTaggedMeanwhileError,
    ImageTagIsImmutableError,
    InvalidManifestError,
    LastImageTagError,
    RefusedByRegistryError,
    RegistryUnavailableError,
    RepositoryNotFoundError,
    ThrottledError,
)

CONTENT = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": {}, "layers": []})
REPOSITORY = RepositoryRef(RegistryRef("123456789012", "us-east-1"), "team-a/api")
IMAGE = ImageRef(REPOSITORY, Digest(f"sha256:{hashlib.sha256(CONTENT.encode()).hexdigest()}"))
LATEST = image_tag("latest")
ASKED = {
    "registryId": "123456789012",
    "repositoryName": "team-a/api",
    "imageIds": [{"imageDigest": IMAGE.digest.value}],
    "acceptedMediaTypes": list(MANIFEST_MEDIA_TYPES),
}


@pytest.fixture
def registry(clients: AwsClients) -> EcrRegistry:
    return EcrRegistry(clients)


def test_an_image_that_somebody_archived_meanwhile_is_not_deleted(clients: AwsClients, registry: EcrRegistry) -> None:
    detail = {"imageDigest": IMAGE.digest.value, "imageTags": [LATEST], "imageStatus": "ARCHIVED"}
    with Stubber(clients.ecr(REPOSITORY.registry)) as ecr:
        ecr.add_response("describe_images", {"imageDetails": [detail]})

        with pytest.raises(ImageTaggedMeanwhileError, match="was archived"):
            registry.delete_image(IMAGE, {LATEST})


def test_an_image_counts_as_pushed_when_it_came_back_from_the_archive(
    clients: AwsClients, registry: EcrRegistry
) -> None:
    pushed, restored = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    detail = {"imageDigest": IMAGE.digest.value, "imagePushedAt": pushed}
    for details in ([detail], [detail | {"lastActivatedAt": restored}]):
        with Stubber(clients.ecr(REPOSITORY.registry)) as ecr:
            ecr.add_response("describe_images", {"imageDetails": details})

            (image,) = registry.images(REPOSITORY).images.values()

        assert image.pushed_at == details[0].get("lastActivatedAt", pushed)


@pytest.mark.parametrize("status", ["ARCHIVED", "ACTIVATING"])
def test_an_archived_image_is_known_and_is_none_of_the_images(
    clients: AwsClients, registry: EcrRegistry, status: str
) -> None:
    there = {"imageDigest": IMAGE.digest.value, "imageStatus": "ACTIVE"}
    archived = {"imageDigest": f"sha256:{'a' * 64}", "imageStatus": status, "imageTags": [LATEST]}
    asked = {"registryId": "123456789012", "repositoryName": "team-a/api", "maxResults": 1000}
    with Stubber(clients.ecr(REPOSITORY.registry)) as ecr:
        answer = {"imageDetails": [there, archived]}
        ecr.add_response("describe_images", answer, asked | {"filter": {"imageStatus": "ANY"}})

        found = registry.images(REPOSITORY)

    assert (found.digests, found.archived) == ({IMAGE.digest}, {Digest(f"sha256:{'a' * 64}")})
    assert LATEST not in found.holders


def test_nobody_is_asked_for_releases_where_there_is_no_image(clients: AwsClients) -> None:
    releases = InMemoryReleases()
    with Stubber(clients.ecr(REPOSITORY.registry)) as ecr:
        ecr.add_response("describe_images", {"imageDetails": []})
        ecr.add_response("describe_images", {"imageDetails": [{"imageDigest": IMAGE.digest.value}]})

        for _ in range(2):
            EcrRegistry(clients, releases).images(REPOSITORY)

    assert [call.method for call in releases.calls.entries] == ["of"]


def failing(code: str) -> dict[str, Any]:
    failure = {"failureCode": code, "failureReason": "in its own words", "imageId": {"imageTag": "latest"}}
    return {"images": [], "failures": [failure]}


def describing(*image_tags: str) -> dict[str, Any]:
    return {"imageDetails": [{"imageDigest": IMAGE.digest.value, "imageTags": list(image_tags)}]}


def stored(content: str = CONTENT, **more: str) -> dict[str, Any]:
    image = {"imageId": {"imageDigest": IMAGE.digest.value}, "imageManifest": content, **more}
    return {"images": [image], "failures": []}


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ImageNotFound", ImageNotFoundError),
        ("KmsError", RefusedByRegistryError),
        ("ImageInaccessible", RefusedByRegistryError),
        ("UpstreamAccessDenied", AccessDeniedError),
        ("UpstreamTooManyRequests", ThrottledError),
        ("UpstreamUnavailable", RegistryUnavailableError),
    ],
)
def test_a_failure_is_an_error_when_the_answer_is_a_success(
    registry: EcrRegistry, ecr: Stubber, code: str, error: type[Exception]
) -> None:
    ecr.add_response("batch_get_image", failing(code), ASKED)

    with pytest.raises(error, match=r"team-a/api"):
        registry.add_image_tag(IMAGE, LATEST)


def test_one_bad_index_hides_no_other_when_children_are_read(registry: EcrRegistry, ecr: Stubber) -> None:
    """Anybody who may push can put an index that ECR takes and we do not; one may be out of reach."""
    good = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []})
    bad = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "layers": []})
    other, unreadable = Digest(f"sha256:{'0' * 64}"), Digest(f"sha256:{'1' * 64}")
    answered = [
        {"imageId": {"imageDigest": str(digest_of(content.encode()))}, "imageManifest": content}
        for content in (good, bad)
    ]
    answered.append({"imageId": {"imageDigest": str(other)}, "imageManifest": good})
    failure = {
        "failureCode": "KmsError",
        "failureReason": "no key",
        "imageId": {"imageDigest": str(unreadable)},
    }
    ecr.add_response("batch_get_image", {"images": answered, "failures": [failure]})

    found = registry.children(REPOSITORY, [digest_of(good.encode()), digest_of(bad.encode()), other, unreadable])

    assert found[digest_of(good.encode())] == ()
    assert isinstance(found[digest_of(bad.encode())], InvalidManifestError)
    assert isinstance(found[other], DigestMismatchError)
    assert isinstance(found[unreadable], RefusedByRegistryError)


def test_a_failure_is_raised_when_it_does_not_say_which_index_it_means(registry: EcrRegistry, ecr: Stubber) -> None:
    ecr.add_response("batch_get_image", failing("UpstreamTooManyRequests"))

    with pytest.raises(ThrottledError):
        registry.children(REPOSITORY, [IMAGE.digest])


def test_a_hundred_digests_are_asked_for_at_once_when_there_are_more(registry: EcrRegistry, ecr: Stubber) -> None:
    digests = [Digest(f"sha256:{number:064x}") for number in range(101)]
    asked = [{"imageDigest": digest.value} for digest in digests]
    for some in (asked[:100], asked[100:]):
        ecr.add_response("batch_get_image", {"images": [], "failures": []}, ASKED | {"imageIds": some})

    assert registry.children(REPOSITORY, digests) == {}


@pytest.mark.parametrize("code", ["KmsError", "MissingDigestAndTag"])
def test_a_failure_to_remove_a_tag_is_an_error_when_the_tag_may_still_be_there(
    registry: EcrRegistry, ecr: Stubber, code: str
) -> None:
    answer = {"failures": failing(code)["failures"]}
    identifier = {"imageDigest": IMAGE.digest.value, "imageTag": "latest"}
    asked = {"registryId": "123456789012", "repositoryName": "team-a/api", "imageIds": [identifier]}
    ecr.add_response("describe_images", describing("latest", "1.4.2"))
    ecr.add_response("batch_delete_image", answer, asked)

    with pytest.raises(RefusedByRegistryError, match=f"{code}: in its own words"):
        registry.remove_image_tag(IMAGE, LATEST)


def test_the_same_manifest_is_put_with_its_media_type_and_digest(registry: EcrRegistry, ecr: Stubber) -> None:
    ecr.add_response("batch_get_image", stored(imageManifestMediaType=OCI_MANIFEST), ASKED)
    ecr.add_response(
        "put_image",
        {},
        {
            "registryId": "123456789012",
            "repositoryName": "team-a/api",
            "imageManifest": CONTENT,
            "imageManifestMediaType": OCI_MANIFEST,
            "imageDigest": IMAGE.digest.value,
            "imageTag": "latest",
        },
    )

    registry.add_image_tag(IMAGE, LATEST)


def test_nothing_is_put_when_other_bytes_came_under_the_digest(registry: EcrRegistry, ecr: Stubber) -> None:
    ecr.add_response("batch_get_image", stored(CONTENT + " "))

    with pytest.raises(DigestMismatchError, match=str(IMAGE.digest)):
        registry.add_image_tag(IMAGE, LATEST)


@pytest.mark.parametrize("answer", [{"imageDetails": []}, "ImageNotFoundException"])
def test_there_is_no_tag_to_remove_when_the_image_is_archived_or_gone(
    registry: EcrRegistry, ecr: Stubber, answer: Any
) -> None:
    if isinstance(answer, str):
        ecr.add_client_error("describe_images", answer)
    else:
        ecr.add_response("describe_images", answer)

    registry.remove_image_tag(IMAGE, LATEST)


def test_no_call_is_made_that_would_delete_the_image_when_the_tag_is_its_last(
    registry: EcrRegistry, ecr: Stubber
) -> None:
    ecr.add_response("describe_images", describing("latest"))

    with pytest.raises(LastImageTagError, match="latest"):
        registry.remove_image_tag(IMAGE, LATEST)


def test_a_listing_ends_with_an_error_when_a_page_leads_to_itself(registry: EcrRegistry, ecr: Stubber) -> None:
    described = {"repositoryName": "team-a/api", "imageTagMutability": "MUTABLE"}
    page = {"repositories": [described], "nextToken": "again"}
    ecr.add_response("describe_repositories", page)
    ecr.add_response("describe_repositories", page)

    with pytest.raises(RegistryUnavailableError, match="same next token"):
        list(registry.repositories(REPOSITORY.registry))


def test_other_repositories_are_listed_when_one_has_a_setting_of_a_newer_ecr(
    registry: EcrRegistry, ecr: Stubber
) -> None:
    """core 6.6"""
    newer = {"repositoryName": "team-a/api", "imageTagMutability": "MUTABLE_ON_FRIDAYS"}
    known = {"repositoryName": "team-b/api", "imageTagMutability": "MUTABLE"}
    ecr.add_response("describe_repositories", {"repositories": [newer, known]})

    found = [repository.settings.mutability for repository in registry.repositories(REPOSITORY.registry)]

    assert [str(mutability) for mutability in found] == ["MUTABLE_ON_FRIDAYS", "MUTABLE"]


def test_a_repository_is_gone_when_it_was_deleted_between_two_reads(registry: EcrRegistry, ecr: Stubber) -> None:
    described = {"repositoryName": "team-a/api", "imageTagMutability": "MUTABLE"}
    ecr.add_response("describe_repositories", {"repositories": [described]})
    ecr.add_client_error("get_repository_policy", "RepositoryNotFoundException")

    with pytest.raises(RepositoryNotFoundError):
        registry.repository(REPOSITORY)


def test_an_immutable_tag_stays_when_moto_calls_that_an_image_that_exists(clients: AwsClients) -> None:
    with mock_aws():
        registry, ecr = EcrRegistry(clients), clients.ecr(REPOSITORY.registry)
        registry.create_repository(REPOSITORY, None)
        other = CONTENT.replace('"config": {}', '"config": {"size": 1}')
        for content, digest, tag in (
            (CONTENT, IMAGE.digest.value, "1.4.2"),
            (other, f"sha256:{hashlib.sha256(other.encode()).hexdigest()}", "latest"),
        ):
            ecr.put_image(repositoryName="team-a/api", imageManifest=content, imageDigest=digest, imageTag=tag)
        registry.put_tag_mutability(REPOSITORY, TagMutability(Mutability.IMMUTABLE))

        registry.add_image_tag(IMAGE, image_tag("1.4.2"))
        with pytest.raises(ImageTagIsImmutableError):
            registry.add_image_tag(IMAGE, LATEST)
