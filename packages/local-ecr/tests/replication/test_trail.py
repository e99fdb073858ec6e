"""What the trail of a destination says of the repositories that copies need: ECR made them, by a role of its own."""

import json

import pytest

ACCOUNT = "111122223333"
OTHER = "444455556666"
ABROAD = "eu-west-1"
REPLICATION_ROLE = (
    "role/aws-service-role/replication.ecr.amazonaws.com/AWSServiceRoleForECRReplication",
    "replication.ecr.amazonaws.com",
)
TEMPLATE_ROLE = "role/aws-service-role/ecr.amazonaws.com/AWSServiceRoleForECRTemplate", "ecr.amazonaws.com"


def creations(stand, region):
    """CreateRepository as the trails of a region have it, when all is copied."""
    stand.ecr.wait_until_idle()
    calls = [one for one in stand.api_calls() if one["awsRegion"] == region]
    return [one for one in calls if one["eventName"] == "CreateRepository"]


def maker(call):
    """Role that the call was made by, and service that assumed it."""
    identity = call["userIdentity"]
    return identity["sessionContext"]["sessionIssuer"]["arn"], identity["invokedBy"]


@pytest.fixture
def team_app(registries, team_app):
    """The repository team/app, of which everything pushed from now on is copied to eu-west-1."""
    registries.configure((ABROAD, ACCOUNT))
    return team_app


def test_the_trail_tells_once_that_replications_own_role_made_a_missing_repository(stand, team_app):
    for number in range(2):
        team_app.push_image(f"image {number}", f"{number}.0")

    [told] = creations(stand, ABROAD)
    role, service = REPLICATION_ROLE
    assert maker(told) == (f"arn:aws:iam::{ACCOUNT}:{role}", service)
    assert told["requestParameters"]["repositoryName"] == "team/app"
    assert told["responseElements"]["repository"]["repositoryArn"] == (
        f"arn:aws:ecr:{ABROAD}:{ACCOUNT}:repository/team/app"
    )


def test_nothing_is_told_when_the_repository_is_there(stand, team_app):
    stand.client(ABROAD).create_repository(repositoryName="team/app")
    [by_hand] = creations(stand, ABROAD)

    team_app.push_image("one", "1.0")

    assert creations(stand, ABROAD) == [by_hand]


def test_the_role_for_templates_makes_the_repository_when_one_is_for_it(stand, team_app):
    stand.client(ABROAD).create_repository_creation_template(
        prefix="team", appliedFor=["REPLICATION"], imageTagMutability="IMMUTABLE"
    )

    team_app.push_image("one", "1.0")

    [told] = creations(stand, ABROAD)
    role, service = TEMPLATE_ROLE
    assert maker(told) == (f"arn:aws:iam::{ACCOUNT}:{role}", service)
    assert told["requestParameters"]["imageTagMutability"] == "IMMUTABLE"


def test_the_trail_of_the_other_account_tells_it_when_a_copy_goes_there(stand, registries, team_app):
    registries.configure((ABROAD, OTHER))
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": ACCOUNT},
        "Action": ["ecr:CreateRepository", "ecr:ReplicateImage"],
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    stand.client(ABROAD, OTHER).put_registry_policy(policyText=policy)

    team_app.push_image("one", "1.0")

    [told] = creations(stand, ABROAD)
    assert (told["recipientAccountId"], told["userIdentity"]["accountId"]) == (OTHER, OTHER)


def test_nothing_is_told_when_the_copy_fails_and_its_repository_is_not_made(stand, registries, team_app):
    registries.configure((ABROAD, OTHER))

    team_app.push_image("one", "1.0")

    assert creations(stand, ABROAD) == []
    assert registries.names(ABROAD, OTHER) == set()
