"""Repositories through the API."""

import json

import pytest
from botocore.exceptions import ClientError

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "pull", "Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage"]}],
}
LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 14,
            },
            "action": {"type": "expire"},
        }
    ]
}


def test_a_repository_is_described_as_it_was_created_when_every_setting_is_given(ecr):
    filters = [{"filterType": "WILDCARD", "filter": "*-latest"}]
    created = ecr.create_repository(
        repositoryName="team/app",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
        imageScanningConfiguration={"scanOnPush": True},
        encryptionConfiguration={"encryptionType": "KMS", "kmsKey": "alias/one"},
        tags=[{"Key": "team", "Value": "a"}],
    )["repository"]

    found = ecr.describe_repositories(repositoryNames=["team/app"])["repositories"]

    assert found == [created]
    assert created["repositoryArn"] == "arn:aws:ecr:us-east-1:111122223333:repository/team/app"
    assert created["repositoryUri"].endswith("/team/app")
    assert created["imageTagMutabilityExclusionFilters"] == filters
    assert created["imageScanningConfiguration"] == {"scanOnPush": True}
    assert created["encryptionConfiguration"] == {
        "encryptionType": "KMS",
        "kmsKey": "arn:aws:kms:us-east-1:111122223333:alias/one",
    }
    assert ecr.list_tags_for_resource(resourceArn=created["repositoryArn"])["tags"] == [{"Key": "team", "Value": "a"}]


def test_creation_is_refused_when_the_name_is_taken(ecr):
    ecr.create_repository(repositoryName="team/app")
    with pytest.raises(ClientError, match="RepositoryAlreadyExistsException"):
        ecr.create_repository(repositoryName="team/app")


def test_the_same_name_is_another_repository_when_region_or_account_differ(stand):
    stand.client("us-east-1").create_repository(repositoryName="team/app")
    assert stand.client("eu-west-1").describe_repositories()["repositories"] == []
    assert stand.client(account="444455556666").describe_repositories()["repositories"] == []


def test_another_account_is_looked_into_when_registry_id_names_it(stand):
    stand.client().create_repository(repositoryName="team/app")
    stand.trust("444455556666", "ecr:DescribeRepositories")
    other = stand.client(account="444455556666")
    asked = {"registryId": "111122223333", "repositoryNames": ["team/app"]}
    found = other.describe_repositories(**asked)["repositories"]
    assert [one["repositoryName"] for one in found] == ["team/app"]


def test_a_repository_is_created_for_another_account_when_its_registry_policy_says_so(stand, ecr):
    guest = stand.client(account="444455556666")
    wanted = {"registryId": "111122223333", "repositoryName": "team/app"}
    with pytest.raises(ClientError, match="AccessDeniedException"):
        guest.create_repository(**wanted)
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "444455556666"},
        "Action": "ecr:CreateRepository",
        "Resource": "arn:aws:ecr:us-east-1:111122223333:repository/team/*",
    }
    ecr.put_registry_policy(policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    created = guest.create_repository(**wanted)["repository"]

    assert created["registryId"] == "111122223333"
    assert ecr.describe_repositories()["repositories"] == [created]
    assert guest.describe_repositories()["repositories"] == []


@pytest.mark.parametrize(
    ("name", "constraint"),
    [
        ("Team/app", "must satisfy regular expression"),
        ("team//app", "must satisfy regular expression"),
        ("/team", "must satisfy regular expression"),
        ("team/", "must satisfy regular expression"),
        ("team/-app", "must satisfy regular expression"),
        ("te..am", "must satisfy regular expression"),
        ("te___am", "must satisfy regular expression"),
        ("team/app:1", "must satisfy regular expression"),
        ("a" * 257, "Member must have length less than or equal to 256"),
    ],
)
def test_creation_is_refused_in_ecrs_words_when_the_name_is_invalid(ecr, name, constraint):
    with pytest.raises(ClientError, match="InvalidParameterException") as refused:
        ecr.create_repository(repositoryName=name)
    told = refused.value.response["Error"]["Message"]
    assert told.startswith("Invalid parameter at 'repositoryName' failed to satisfy constraint: '")
    assert constraint in told


@pytest.mark.parametrize("name", ["ab", "0a", "a.b", "a_b", "a__b", "a---b", "a/b/c", "a" * 256])
def test_a_repository_is_created_when_its_name_just_satisfies_the_rules(ecr, name):
    ecr.create_repository(repositoryName=name)
    assert [one["repositoryName"] for one in ecr.describe_repositories()["repositories"]] == [name]


def test_a_repository_goes_whole_when_it_is_forced(stand, ecr, team_app):
    image = team_app.push_image("one", "1.0")
    team_app.push_index("2.0", [image])
    team_app.send("POST", "blobs/uploads/")
    assert list(stand.data.glob("*/*/uploads/*"))
    ecr.put_lifecycle_policy(repositoryName="team/app", lifecyclePolicyText=json.dumps(LIFECYCLE))
    stand.trust("444455556666", "ecr:BatchGetImage")
    ecr.start_image_scan(repositoryName="team/app", imageId={"imageTag": "1.0"})

    ecr.delete_repository(repositoryName="team/app", force=True)

    ecr.create_repository(repositoryName="team/app")
    assert ecr.list_images(repositoryName="team/app")["imageIds"] == []
    for left in (ecr.get_lifecycle_policy, ecr.get_repository_policy):
        with pytest.raises(ClientError, match="PolicyNotFoundException"):
            left(repositoryName="team/app")
    assert not list(stand.data.glob("*/*/blobs/*/*")), "bits of a deleted repository are still on disk"
    assert not list(stand.data.glob("*/*/uploads/*"))


def test_all_repositories_are_listed_once_when_pages_are_small(ecr):
    names = [f"team/app-{number}" for number in range(7)]
    for name in names:
        ecr.create_repository(repositoryName=name)
    pages = list(ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 3}))
    assert [len(page["repositories"]) for page in pages] == [3, 3, 1]
    assert [one["repositoryName"] for page in pages for one in page["repositories"]] == names


@pytest.mark.parametrize("token", ["", "x", "eyJhZnRlciI6MX0.00", "é.é"])
def test_a_page_is_refused_when_its_token_is_forged(ecr, token):
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.describe_repositories(nextToken=token)


def test_a_page_is_refused_when_its_token_is_from_another_listing(stand, ecr, team_app):
    ecr.create_repository(repositoryName="team/other")
    token = ecr.describe_repositories(maxResults=1)["nextToken"]
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.list_images(repositoryName="team/app", nextToken=token)


@pytest.mark.parametrize(
    ("operation", "others"),
    [
        ("list_images", {"repositoryName": "team/other"}),
        ("list_images", {"filter": {"tagStatus": "TAGGED"}}),
        ("describe_images", {}),
    ],
    ids=["repository", "filter", "operation"],
)
def test_a_page_is_refused_when_its_token_is_from_another_listing_of_images(stand, ecr, team_app, operation, others):
    ecr.create_repository(repositoryName="team/other")
    for image_tag in ("1", "2"):
        team_app.push_image("one", image_tag)
    asked = {
        "repositoryName": "team/app",
        "nextToken": ecr.list_images(repositoryName="team/app", maxResults=1)["nextToken"],
    }
    assert ecr.list_images(**asked, registryId="111122223333", maxResults=5)["imageIds"][0]["imageTag"] == "2"
    with pytest.raises(ClientError, match="InvalidParameterException"):
        getattr(ecr, operation)(**{**asked, **others})


def test_a_page_is_refused_when_its_token_is_from_another_region(stand, ecr):
    for name in ("team/app", "team/other"):
        ecr.create_repository(repositoryName=name)
    token = ecr.describe_repositories(maxResults=1)["nextToken"]
    with pytest.raises(ClientError, match="InvalidParameterException"):
        stand.client("eu-west-1").describe_repositories(nextToken=token)


@pytest.mark.parametrize("paging", [{"maxResults": 5}, {"nextToken": "x"}])
def test_named_repositories_are_not_paged(ecr, team_app, paging):
    with pytest.raises(ClientError, match="repositoryNames"):
        ecr.describe_repositories(repositoryNames=["team/app"], **paging)


def test_a_repository_with_images_goes_only_when_forced(stand, ecr, team_app):
    team_app.push_image("one", "1.0")
    with pytest.raises(ClientError, match="RepositoryNotEmptyException"):
        ecr.delete_repository(repositoryName="team/app")

    ecr.delete_repository(repositoryName="team/app", force=True)

    assert ecr.describe_repositories()["repositories"] == []
    assert not list(stand.data.glob("*/*/blobs/*/*")), "bits of a deleted repository are still on disk"


def test_a_layer_stays_when_another_repository_of_the_registry_has_it(stand, ecr, team_app):
    digest = team_app.push_blob(b"shared")
    ecr.create_repository(repositoryName="team/other")
    other = stand.distribution(repository_name="team/other")
    other.push_blob(b"shared")
    other.refer_to(digest)

    ecr.delete_repository(repositoryName="team/app", force=True)

    assert other.send("GET", f"blobs/{digest}").data == b"shared"


def test_every_operation_says_not_found_when_the_repository_is_missing(ecr):
    calls = {
        "delete_repository": {},
        "describe_images": {},
        "list_images": {},
        "get_repository_policy": {},
        "get_lifecycle_policy": {},
        "delete_lifecycle_policy": {},
        "delete_repository_policy": {},
        "initiate_layer_upload": {},
        "put_image": {"imageManifest": "{}"},
        "batch_get_image": {"imageIds": [{"imageTag": "x"}]},
        "batch_delete_image": {"imageIds": [{"imageTag": "x"}]},
        "put_image_tag_mutability": {"imageTagMutability": "MUTABLE"},
        "put_image_scanning_configuration": {"imageScanningConfiguration": {"scanOnPush": True}},
        "set_repository_policy": {"policyText": json.dumps(TRUST)},
        "put_lifecycle_policy": {"lifecyclePolicyText": json.dumps(LIFECYCLE)},
        "batch_check_layer_availability": {"layerDigests": ["sha256:" + "0" * 64]},
        "list_image_referrers": {"subjectId": {"imageDigest": "sha256:" + "0" * 64}},
    }
    manifest_first = {"put_image": "InvalidParameterException"}
    for operation, members in calls.items():
        with pytest.raises(ClientError, match=manifest_first.get(operation, "RepositoryNotFoundException")):
            getattr(ecr, operation)(repositoryName="no/such", **members)


def test_the_registry_replicates_nowhere_when_nothing_was_configured(ecr):
    answer = ecr.describe_registry()
    assert answer["registryId"] == "111122223333"
    assert answer["replicationConfiguration"] == {"rules": []}
