"""Mutability and encryption of repositories through the API."""

import pytest
from botocore.exceptions import ClientError

KMS = "arn:aws:kms:us-east-1:111122223333"


@pytest.mark.parametrize(
    ("given", "described"),
    [
        ({"encryptionType": "AES256"}, {"encryptionType": "AES256"}),
        ({"encryptionType": "KMS"}, {"encryptionType": "KMS", "kmsKey": f"{KMS}:alias/aws/ecr"}),
        ({"encryptionType": "KMS", "kmsKey": "0b1c-2d3e"}, {"encryptionType": "KMS", "kmsKey": f"{KMS}:key/0b1c-2d3e"}),
        ({"encryptionType": "KMS", "kmsKey": f"{KMS}:key/1"}, {"encryptionType": "KMS", "kmsKey": f"{KMS}:key/1"}),
    ],
)
def test_a_key_is_described_by_its_arn_however_it_was_named(ecr, given, described):
    ecr.create_repository(repositoryName="team/app", encryptionConfiguration=given)
    assert ecr.describe_repositories()["repositories"][0]["encryptionConfiguration"] == described


@pytest.mark.parametrize(
    "given",
    [
        {"encryptionType": "DES"},
        {"encryptionType": "AES256", "kmsKey": f"{KMS}:key/1"},
        {"encryptionType": "KMS", "kmsKey": "arn:aws:kms:eu-west-1:111122223333:key/1"},
        {"encryptionType": "KMS", "kmsKey": "not a key"},
        {"encryptionType": "KMS_DSSE"},
    ],
)
def test_creation_is_refused_when_the_encryption_is_invalid(ecr, given):
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.create_repository(repositoryName="team/app", encryptionConfiguration=given)


def test_mutability_changes_when_it_is_put(ecr):
    ecr.create_repository(repositoryName="team/app")
    filters = [{"filterType": "WILDCARD", "filter": "v*.*"}]
    ecr.put_image_tag_mutability(
        repositoryName="team/app",
        imageTagMutability="MUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
    )
    found = ecr.describe_repositories()["repositories"][0]
    assert found["imageTagMutability"] == "MUTABLE_WITH_EXCLUSION"
    assert found["imageTagMutabilityExclusionFilters"] == filters


@pytest.mark.parametrize(
    "members",
    [
        {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"},
        {
            "imageTagMutability": "IMMUTABLE",
            "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "v*"}],
        },
        {"imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "v*"}]},
    ],
)
def test_mutability_is_refused_when_filters_and_mode_do_not_go_together(ecr, members):
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.create_repository(repositoryName="team/app", **members)


def test_mutability_is_refused_in_ecrs_words_when_its_filters_are_missing(ecr):
    with pytest.raises(ClientError, match="InvalidParameterException") as refused:
        ecr.create_repository(repositoryName="team/app", imageTagMutability="IMMUTABLE_WITH_EXCLUSION")
    assert refused.value.response["Error"]["Message"] == (
        "Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: "
        "'ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as IMMUTABLE_WITH_EXCLUSION'"
    )


@pytest.mark.parametrize(
    "filters",
    [
        [{"filterType": "WILDCARD", "filter": f"v{number}*"} for number in range(6)],
        [{"filterType": "WILDCARD", "filter": "v/*"}],
        [{"filterType": "WILDCARD", "filter": "v?"}],
        [{"filterType": "WILDCARD", "filter": "*-v*.*"}],
        [{"filterType": "WILDCARD", "filter": "v" * 129}],
        [{"filterType": "REGEX", "filter": "v.*"}],
    ],
)
def test_mutability_is_refused_when_a_filter_is_none(ecr, filters):
    ecr.create_repository(repositoryName="team/app")
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.put_image_tag_mutability(
            repositoryName="team/app",
            imageTagMutability="MUTABLE_WITH_EXCLUSION",
            imageTagMutabilityExclusionFilters=filters,
        )
    assert ecr.describe_repositories()["repositories"][0]["imageTagMutability"] == "MUTABLE"
