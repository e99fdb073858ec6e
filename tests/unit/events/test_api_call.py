"""Calls of the ECR API, as CloudTrail tells them."""

import pytest

from ecr_steward.domain.callers import Caller
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.observations import RepositoryChanged
from ecr_steward.errors import InvalidNameError, MalformedEventError
from ecr_steward.events.api_call import ApiCallEvent
from ecr_steward.events.envelope import parse

REPOSITORY = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api")
ALICE = Caller(
    "arn:aws:sts::111122223333:assumed-role/developer/alice", role="arn:aws:iam::111122223333:role/developer"
)
FOLDER = "aws_api_call_via_cloudtrail"


@pytest.mark.parametrize(
    ("sample", "operation"),
    [
        ("create_repository", "CreateRepository"),
        ("delete_lifecycle_policy", "DeleteLifecyclePolicy"),
        ("tag_resource", "TagResource"),
    ],
)
def test_the_changed_repository_is_named_when_a_call_succeeded(load_event, sample, operation):
    event = parse(ApiCallEvent, load_event(f"{FOLDER}/{sample}"))

    assert event.to_repository_changed() == RepositoryChanged(REPOSITORY, operation, ALICE)


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/bob"}, "arn:aws:iam::111122223333:user/bob"),
        ({"type": "Root", "principalId": "111122223333", "accountId": "111122223333"}, "111122223333"),
        ({"type": "AWSService", "invokedBy": "replication.ecr.amazonaws.com"}, "replication.ecr.amazonaws.com"),
        (
            {"arn": "arn:aws:iam::111122223333:user/bob", "invokedBy": "cloudformation.amazonaws.com"},
            "arn:aws:iam::111122223333:user/bob through cloudformation.amazonaws.com",
        ),
        ({"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": "444455556666"}, "AIDAEXAMPLE"),
    ],
)
def test_the_caller_has_the_best_name_that_there_is_when_the_identity_is_of_any_kind(load_event, identity, name):
    event = load_event(f"{FOLDER}/tag_resource")
    event["detail"]["userIdentity"] = identity

    assert str(parse(ApiCallEvent, event).to_repository_changed().by) == name


@pytest.mark.parametrize("identity", [None, {}, "root", {"type": "Unknown"}, {"arn": 12}, {"sessionContext": []}])
def test_the_change_is_looked_at_when_nobody_knows_who_made_it(load_event, identity):
    event = load_event(f"{FOLDER}/tag_resource")
    event["detail"]["userIdentity"] = identity

    assert parse(ApiCallEvent, event).to_repository_changed() == RepositoryChanged(REPOSITORY, "TagResource")


def test_nothing_changed_when_the_call_failed(load_event):
    event = parse(ApiCallEvent, load_event(f"{FOLDER}/create_repository_failed"))

    with pytest.raises(
        MalformedEventError, match="failed with RepositoryAlreadyExistsException and so changed nothing"
    ):
        event.to_repository_changed()


@pytest.mark.parametrize(
    "asked", [None, {}, {"resourceArn": "arn:aws:ecr:us-east-1:111122223333:registry"}, {"repositoryName": None}]
)
def test_the_error_says_what_is_missing_when_a_call_names_no_repository(load_event, asked):
    event = load_event(f"{FOLDER}/create_repository")
    event["detail"]["requestParameters"] = asked

    with pytest.raises(MalformedEventError, match="neither repositoryName nor a resourceArn of a repository"):
        parse(ApiCallEvent, event).to_repository_changed()


def test_the_place_is_named_when_request_parameters_are_malformed(load_event):
    event = load_event(f"{FOLDER}/create_repository")
    event["detail"]["requestParameters"]["repositoryName"] = 12

    with pytest.raises(
        MalformedEventError, match=r"detail.requestParameters.repositoryName: input should be a valid string"
    ):
        parse(ApiCallEvent, event)


def test_the_name_is_refused_when_an_arn_holds_an_impossible_one(load_event):
    event = load_event(f"{FOLDER}/tag_resource")
    event["detail"]["requestParameters"]["resourceArn"] = "arn:aws:ecr:us-east-1:111122223333:repository/UPPER"

    with pytest.raises(InvalidNameError, match="'UPPER' is not a repository name"):
        parse(ApiCallEvent, event).to_repository_changed()
