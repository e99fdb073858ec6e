"""Copies into another account: only as far as its registry policy lets this account."""

import json

import pytest

HERE = "111122223333"
OTHER = "444455556666"
HOME = "us-east-1"
ABROAD = "eu-west-1"
SOURCE = f"arn:aws:iam::{HERE}:root"


@pytest.fixture
def team_app(registries, team_app):
    """The repository team/app, of which everything pushed from now on is copied into another account."""
    registries.configure((ABROAD, OTHER))
    return team_app


def trust(stand, *actions, account=OTHER, effect="Allow", principal=SOURCE, **members):
    """Let another account copy into a registry of `account`."""
    statement = {
        "Effect": effect,
        "Principal": {"AWS": principal},
        "Action": list(actions),
        "Resource": f"arn:aws:ecr:{ABROAD}:{account}:repository/*",
        **members,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    stand.client(ABROAD, account).put_registry_policy(policyText=policy)


def test_an_image_arrives_in_an_account_that_lets_this_one_copy_and_create(stand, registries, team_app):
    trust(stand, "ecr:ReplicateImage", "ecr:CreateRepository")
    digest = team_app.push_image("one", "1.0")
    assert registries.held(ABROAD, OTHER) == {digest: {"1.0"}}
    assert registries.statuses(imageDigest=digest) == [(ABROAD, OTHER, "COMPLETE", None)]
    assert registries.names(ABROAD, HERE) == registries.names(HOME, OTHER) == set()


def test_the_event_is_the_other_accounts_and_names_the_source(registries, stand, team_app):
    trust(stand, "ecr:*")
    team_app.push_image("one", "1.0")
    [event] = registries.told()
    assert (event["account"], event["region"]) == (OTHER, ABROAD)
    assert event["resources"] == [f"arn:aws:ecr:{ABROAD}:{OTHER}:repository/team/app"]
    assert (event["detail"]["source-account"], event["detail"]["source-region"]) == (HERE, HOME)


def test_a_copy_fails_and_is_told_as_failed_when_the_other_account_says_nothing(registries, stand, team_app):
    digest = team_app.push_image("one", "1.0")
    assert registries.statuses(imageDigest=digest) == [(ABROAD, OTHER, "FAILED", "AccessDenied")]
    [event] = registries.told()
    assert (event["account"], event["region"]) == (OTHER, ABROAD)
    assert event["resources"] == [f"arn:aws:ecr:{ABROAD}:{OTHER}:repository/team/app"]
    assert event["detail"] == {
        "result": "FAILED",
        "repository-name": "team/app",
        "image-digest": digest,
        "source-account": HERE,
        "action-type": "REPLICATE",
        "source-region": HOME,
        "image-tag": "1.0",
    }
    assert registries.names(ABROAD, OTHER) == set()


def test_a_copy_fails_when_its_repository_is_missing_and_may_not_be_made(registries, stand, team_app):
    trust(stand, "ecr:ReplicateImage")
    digest = team_app.push_image("one", "1.0")
    assert registries.statuses(imageDigest=digest) == [(ABROAD, OTHER, "FAILED", "AccessDenied")]

    stand.client(ABROAD, OTHER).create_repository(repositoryName="team/app")
    later = team_app.push_image("two", "2.0")
    assert registries.held(ABROAD, OTHER) == {later: {"2.0"}}
    assert registries.statuses(imageDigest=digest) == [(ABROAD, OTHER, "FAILED", "AccessDenied")]


@pytest.mark.parametrize(
    "policy",
    [
        {"principal": "arn:aws:iam::777788889999:root"},
        {"Resource": f"arn:aws:ecr:{ABROAD}:{OTHER}:repository/base/*"},
        {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-another"}}},
    ],
    ids=["another account", "other repositories", "a condition that does not hold"],
)
def test_a_copy_fails_when_the_registry_policy_means_something_else(registries, stand, team_app, policy):
    trust(stand, "ecr:ReplicateImage", "ecr:CreateRepository", **policy)
    digest = team_app.push_image("one", "1.0")
    assert registries.statuses(imageDigest=digest) == [(ABROAD, OTHER, "FAILED", "AccessDenied")]


def test_a_failed_copy_is_not_tried_again_and_another_push_is(registries, stand, ecr, team_app):
    manifest = team_app.image("one")
    team_app.push_manifest("1.0", manifest)
    stand.ecr.wait_until_idle()
    trust(stand, "ecr:ReplicateImage", "ecr:CreateRepository")
    stand.ecr.background.wake()
    assert registries.names(ABROAD, OTHER) == set()
    team_app.push_manifest("again", manifest)
    assert list(registries.held(ABROAD, OTHER).values()) == [{"again"}]
    assert registries.statuses(imageTag="1.0") == [(ABROAD, OTHER, "FAILED", "AccessDenied")]
    assert registries.statuses(imageTag="again") == [(ABROAD, OTHER, "COMPLETE", None)]


def test_ones_own_registry_needs_no_policy_and_a_deny_in_it_still_counts(registries, stand, team_app):
    registries.configure((ABROAD, HERE))
    first = team_app.push_image("one", "1.0")
    assert registries.statuses(imageDigest=first) == [(ABROAD, HERE, "COMPLETE", None)]
    trust(stand, "ecr:ReplicateImage", account=HERE, effect="Deny")
    second = team_app.push_image("two", "2.0")
    assert registries.statuses(imageDigest=second) == [(ABROAD, HERE, "FAILED", "AccessDenied")]


def test_a_deletion_is_not_copied_and_nobody_is_told_when_the_other_account_no_longer_lets_it(
    registries, stand, ecr, team_app
):
    registries.configure((ABROAD, OTHER), deletes=True)
    trust(stand, "ecr:ReplicateImage", "ecr:CreateRepository")
    digest = team_app.push_image("one", "1.0")
    assert registries.held(ABROAD, OTHER) == {digest: {"1.0"}}
    told = registries.told()

    stand.client(ABROAD, OTHER).delete_registry_policy()
    ecr.batch_delete_image(repositoryName="team/app", imageIds=[{"imageDigest": digest}])

    assert registries.held(HOME) == {}
    assert registries.held(ABROAD, OTHER) == {digest: {"1.0"}}
    assert registries.told() == told


def test_the_log_of_decisions_says_by_which_statement_a_copy_was_allowed(stand, registries, team_app):
    trust(stand, "ecr:ReplicateImage", "ecr:CreateRepository", Sid="copies")
    team_app.push_image("one", "1.0")
    stand.ecr.wait_until_idle()
    made = [one for one in stand.ecr.decisions.entries() if one.face == "background"]
    assert [(one.action, one.principal, one.is_allowed) for one in made] == [
        ("ecr:ReplicateImage", SOURCE, True),
        ("ecr:CreateRepository", SOURCE, True),
    ]
    assert {one.by for one in made} == {"account root and registry policy, statement copies"}
    assert {one.resource for one in made} == {f"arn:aws:ecr:{ABROAD}:{OTHER}:repository/team/app"}
