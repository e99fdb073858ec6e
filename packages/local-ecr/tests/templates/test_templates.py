"""Repository creation templates through the API."""

import json
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::111122223333:role/creator"
KEY = "arn:aws:kms:us-east-1:111122223333:key/0b1c2d3e"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "pull", "Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}],
}
LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10},
            "action": {"type": "expire"},
        }
    ]
}
EVERYTHING = {
    "description": "What a team gets",
    "appliedFor": ["REPLICATION", "CREATE_ON_PUSH"],
    "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
    "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "dev-*"}],
    "encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": KEY},
    "resourceTags": [{"Key": "team", "Value": "a"}],
    "repositoryPolicy": json.dumps(POLICY),
    "lifecyclePolicy": json.dumps(LIFECYCLE),
    "customRoleArn": ROLE,
}


def create(ecr, prefix="team", **members):
    given = {"prefix": prefix, "appliedFor": ["CREATE_ON_PUSH"], **members}
    return ecr.create_repository_creation_template(**given)["repositoryCreationTemplate"]


def only(ecr):
    [found] = ecr.describe_repository_creation_templates()["repositoryCreationTemplates"]
    return found


def test_a_template_is_described_as_it_was_created_when_every_setting_is_given(ecr):
    created = create(ecr, **EVERYTHING)

    assert only(ecr) == created
    policies = {"repositoryPolicy", "lifecyclePolicy"}
    assert {name: created[name] for name in EVERYTHING.keys() - policies} == {
        name: EVERYTHING[name] for name in EVERYTHING.keys() - policies
    }
    assert (json.loads(created["repositoryPolicy"]), json.loads(created["lifecyclePolicy"])) == (POLICY, LIFECYCLE)


def test_a_template_tells_its_defaults_when_only_prefix_and_cause_are_given(ecr):
    created = create(ecr)
    created.pop("createdAt")
    created.pop("updatedAt")
    assert created == {
        "prefix": "team",
        "appliedFor": ["CREATE_ON_PUSH"],
        "encryptionConfiguration": {"encryptionType": "AES256"},
        "imageTagMutability": "MUTABLE",
        "resourceTags": [],
    }


def test_the_key_that_aws_manages_is_taken_when_a_template_names_none(ecr):
    created = create(ecr, encryptionConfiguration={"encryptionType": "KMS", "kmsKey": ""})
    assert created["encryptionConfiguration"] == {
        "encryptionType": "KMS",
        "kmsKey": "arn:aws:kms:us-east-1:111122223333:alias/aws/ecr",
    }


@pytest.mark.parametrize("prefix", ["team", "team/"])
def test_creation_is_refused_when_the_prefix_has_a_template(ecr, prefix):
    create(ecr, "team")
    with pytest.raises(ClientError, match="TemplateAlreadyExistsException"):
        create(ecr, prefix)


@pytest.mark.parametrize(
    "members",
    [
        {"prefix": "Team"},
        {"prefix": "a" * 257},
        {"prefix": "team//"},
        {"description": "d" * 257},
        {"appliedFor": []},
        {"appliedFor": ["PUSH"]},
        {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"},
        {"imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "v*"}]},
        {"encryptionConfiguration": {"encryptionType": "AES256", "kmsKey": KEY}},
        {"encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "alias/one"}},
        {"encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": KEY.replace("us-east-1", "eu-west-1")}},
        {"encryptionConfiguration": {"encryptionType": "KMS_DSSE"}},
        {"repositoryPolicy": "{}"},
        {"repositoryPolicy": " " * 10_241},
        {"lifecyclePolicy": '{"rules": []}'},
        {"lifecyclePolicy": " " * 30_721},
        {"customRoleArn": "creator"},
        {"customRoleArn": ROLE.replace("1111", "9999")},
    ],
)
def test_a_template_is_refused_when_a_setting_is_invalid(ecr, members):
    with pytest.raises(ClientError, match="InvalidParameterException"):
        create(ecr, **members)
    assert ecr.describe_repository_creation_templates()["repositoryCreationTemplates"] == []


def test_two_layers_of_encryption_are_taken_in_govcloud(stand):
    created = create(stand.client("us-gov-west-1"), encryptionConfiguration={"encryptionType": "KMS_DSSE"})
    assert created["encryptionConfiguration"]["kmsKey"].startswith("arn:aws-us-gov:kms:us-gov-west-1:")


def test_resource_tags_of_a_template_are_refused_as_a_repositorys_are(ecr):
    with pytest.raises(ClientError, match="InvalidTagParameterException"):
        create(ecr, resourceTags=[{"Key": "aws:team", "Value": "a"}])


@pytest.mark.parametrize("name", sorted(EVERYTHING.keys() - {"imageTagMutability"}))
def test_an_update_changes_what_is_given_and_nothing_else(stand, ecr, name):
    before = create(ecr, **EVERYTHING)
    stand.clock.ahead = timedelta(hours=1)
    other = {
        "description": "Another",
        "appliedFor": ["PULL_THROUGH_CACHE"],
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "*"}],
        "encryptionConfiguration": {"encryptionType": "AES256"},
        "resourceTags": [],
        "repositoryPolicy": json.dumps({**POLICY, "Id": "other"}),
        "lifecyclePolicy": json.dumps(LIFECYCLE).replace("10", "11"),
        "customRoleArn": ROLE + "-2",
    }[name]

    ecr.update_repository_creation_template(prefix="team/", **{name: other})

    after = only(ecr)
    assert after.pop("updatedAt") > before.pop("updatedAt")
    assert {key for key in before if before[key] != after[key]} == {name}


@pytest.mark.parametrize("name", ["description", "repositoryPolicy", "lifecyclePolicy", "customRoleArn"])
def test_an_update_takes_a_setting_away_when_it_is_empty(ecr, name):
    create(ecr, **EVERYTHING)
    ecr.update_repository_creation_template(prefix="team", **{name: ""})
    assert name not in only(ecr)


@pytest.mark.parametrize(
    ("given", "mode", "filters"),
    [
        ({"imageTagMutability": "MUTABLE"}, "MUTABLE", None),
        ({"imageTagMutability": "MUTABLE_WITH_EXCLUSION"}, "MUTABLE_WITH_EXCLUSION", ["dev-*"]),
        (
            {"imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "v*"}]},
            "IMMUTABLE_WITH_EXCLUSION",
            ["v*"],
        ),
    ],
)
def test_an_update_of_mutability_keeps_the_filters_that_still_count(ecr, given, mode, filters):
    create(ecr, **EVERYTHING)

    ecr.update_repository_creation_template(prefix="team", **given)

    found = only(ecr)
    shown = found.get("imageTagMutabilityExclusionFilters")
    assert (found["imageTagMutability"], shown and [one["filter"] for one in shown]) == (mode, filters)


def test_an_update_and_a_deletion_are_refused_when_there_is_no_such_template(ecr):
    create(ecr, "team")
    for operation in (ecr.update_repository_creation_template, ecr.delete_repository_creation_template):
        with pytest.raises(ClientError, match="TemplateNotFoundException"):
            operation(prefix="tea")


def test_all_templates_are_described_once_when_pages_are_small(stand, ecr):
    prefixes = ["ROOT", *(f"team-{number}" for number in range(6))]
    for prefix in reversed(prefixes):
        create(ecr, prefix)
    pages = list(ecr.get_paginator("describe_repository_creation_templates").paginate(PaginationConfig={"PageSize": 3}))
    assert [[one["prefix"] for one in page["repositoryCreationTemplates"]] for page in pages] == [
        prefixes[:3],
        prefixes[3:6],
        prefixes[6:],
    ]
    other = stand.client("eu-west-1")
    assert other.describe_repository_creation_templates()["repositoryCreationTemplates"] == []


def test_templates_are_paged_too_when_prefixes_are_asked_for(ecr):
    for prefix in ("a", "b", "c", "d"):
        create(ecr, prefix)
    asked = {"prefixes": ["d", "b/", "a", "unknown"], "maxResults": 2}
    first = ecr.describe_repository_creation_templates(**asked)
    second = ecr.describe_repository_creation_templates(**asked, nextToken=first["nextToken"])
    shown = [[one["prefix"] for one in page["repositoryCreationTemplates"]] for page in (first, second)]
    assert shown == [["a", "b"], ["d"]]
    assert "nextToken" not in second
