"""Resource tags of repositories through the API."""

import pytest
from botocore.exceptions import ClientError


def test_resource_tags_are_added_replaced_and_removed_when_asked(ecr):
    arn = ecr.create_repository(repositoryName="team/app", tags=[{"Key": "a", "Value": "1"}])["repository"][
        "repositoryArn"
    ]
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}])
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [
        {"Key": "a", "Value": "2"},
        {"Key": "b", "Value": ""},
    ]
    ecr.untag_resource(resourceArn=arn, tagKeys=["a", "unknown"])
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "b", "Value": ""}]


def test_resource_tags_are_refused_when_there_are_too_many_or_their_key_is_reserved(ecr):
    arn = ecr.create_repository(repositoryName="team/app")["repository"]["repositoryArn"]
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": f"k{n}", "Value": "v"} for n in range(50)])
    with pytest.raises(ClientError, match="TooManyTagsException"):
        ecr.tag_resource(resourceArn=arn, tags=[{"Key": "one-more", "Value": "v"}])
    with pytest.raises(ClientError, match="InvalidTagParameterException"):
        ecr.tag_resource(resourceArn=arn, tags=[{"Key": "aws:x", "Value": "v"}])
    assert len(ecr.list_tags_for_resource(resourceArn=arn)["tags"]) == 50


@pytest.mark.parametrize(
    "tag",
    [
        {"Key": "", "Value": "v"},
        {"Key": "k" * 129, "Value": "v"},
        {"Key": "k", "Value": "v" * 257},
        {"Key": "AWS:x", "Value": "v"},
        {"Key": "k", "Value": "aws:v"},
    ],
)
def test_a_resource_tag_is_refused_wherever_it_is_given_when_it_is_invalid(ecr, tag):
    arn = ecr.create_repository(repositoryName="team/app")["repository"]["repositoryArn"]
    with pytest.raises(ClientError, match=r"InvalidTagParameterException.*: Tag parameters are invalid"):
        ecr.create_repository(repositoryName="team/other", tags=[tag])
    with pytest.raises(ClientError, match="InvalidTagParameterException"):
        ecr.tag_resource(resourceArn=arn, tags=[{"Key": "good", "Value": ""}, tag])
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == []
    assert len(ecr.describe_repositories()["repositories"]) == 1


def test_a_key_that_nobody_may_give_cannot_be_taken_away(ecr):
    arn = ecr.create_repository(repositoryName="team/app")["repository"]["repositoryArn"]
    with pytest.raises(ClientError, match="InvalidTagParameterException"):
        ecr.untag_resource(resourceArn=arn, tagKeys=["aws:x"])


def test_another_accounts_repository_is_tagged_when_its_policy_says_so(stand, ecr):
    arn = ecr.create_repository(repositoryName="team/app")["repository"]["repositoryArn"]
    stand.trust("444455556666", "ecr:TagResource", "ecr:ListTagsForResource")
    guest = stand.client(account="444455556666")

    guest.tag_resource(resourceArn=arn, tags=[{"Key": "guest", "Value": "yes"}])

    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "guest", "Value": "yes"}]
    assert guest.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "guest", "Value": "yes"}]


@pytest.mark.parametrize(
    "arn",
    [
        "team/app",
        "arn:aws:s3:us-east-1:111122223333:repository/team/app",
        "arn:aws:ecr:us-east-1:111122223333:repository/../../etc",
        "arn:aws:ecr:eu-west-1:111122223333:repository/team/app",
    ],
)
def test_an_arn_is_refused_when_it_names_no_repository_of_this_endpoint(ecr, arn):
    ecr.create_repository(repositoryName="team/app")
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.list_tags_for_resource(resourceArn=arn)
