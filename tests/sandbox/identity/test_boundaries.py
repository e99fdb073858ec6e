"""A role may no more than its permission boundary, and its tags are what conditions see, whatever service it calls."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/bounded"
PULL_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str, **elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": "*", **elements}


@pytest.fixture(scope="module")
def box(new_template: Callable[[], Any], start: Callable[..., Any]) -> Any:
    """A queue and a repository, and a role that may everything with both, as far as its boundary goes."""
    stack = new_template()
    stack.queue("Jobs")
    found = start(stack)
    found.sandbox.client("ecr").create_repository(repositoryName="team/api")
    iam = found.sandbox.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    tags = [{"Key": "team", "Value": "a"}]
    iam.create_role(
        RoleName="bounded", AssumeRolePolicyDocument=document(trust), PermissionsBoundary=PULL_ONLY, Tags=tags
    )
    iam.put_role_policy(RoleName="bounded", PolicyName="all", PolicyDocument=document(allow("*")))
    return found


@pytest.fixture(scope="module")
def client(box: Any) -> Callable[[str], Any]:
    """Makes a client with a session of the role."""
    credentials = box.sandbox.credentials_of(ROLE, "tested")
    return lambda service: box.client(service, credentials)


def test_what_a_boundary_leaves_out_is_refused_for_every_service(box: Any, client: Callable[[str], Any]) -> None:
    ecr = client("ecr")
    assert ecr.batch_get_image(repositoryName="team/api", imageIds=[{"imageTag": "none"}])["failures"]
    with pytest.raises(ClientError, match="because no permissions boundary allows the ecr:ListImages action"):
        ecr.list_images(repositoryName="team/api")
    with pytest.raises(ClientError, match="because no permissions boundary allows the sqs:ListQueues action"):
        client("sqs").list_queues()
    assert "    statement 1 would allow it, but the action is sqs:ListQueues, not ecr:GetAuthorizationToken, " in (
        "\n".join(box.sandbox.decisions[-1].explanation())
    )


def test_a_boundary_counts_from_the_moment_when_it_is_set_or_deleted(box: Any, client: Callable[[str], Any]) -> None:
    iam, sqs = box.sandbox.client("iam"), client("sqs")
    arn = iam.create_policy(PolicyName="queues", PolicyDocument=document(allow("sqs:*")))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="bounded", PermissionsBoundary=arn)
    assert sqs.list_queues()["QueueUrls"]
    with pytest.raises(ClientError, match="no permissions boundary allows the ecr:BatchGetImage action"):
        client("ecr").batch_get_image(repositoryName="team/api", imageIds=[{"imageTag": "none"}])

    iam.delete_policy(PolicyArn=arn)
    with pytest.raises(ClientError, match="no permissions boundary allows the sqs:ListQueues action"):
        sqs.list_queues()

    iam.delete_role_permissions_boundary(RoleName="bounded")
    assert sqs.list_queues()["QueueUrls"]
    iam.put_role_permissions_boundary(RoleName="bounded", PermissionsBoundary=PULL_ONLY)


@pytest.mark.parametrize(("team", "is_let_in"), [("a", True), ("b", False)])
def test_tags_of_a_role_are_seen_by_conditions(
    box: Any, client: Callable[[str], Any], team: str, is_let_in: bool
) -> None:
    tagged = {"StringEquals": {"aws:PrincipalTag/team": team}}
    statement = {**allow("ecr:ListImages", Principal="*"), "Condition": tagged}
    box.sandbox.client("ecr").set_repository_policy(repositoryName="team/api", policyText=document(statement))
    if is_let_in:
        assert client("ecr").list_images(repositoryName="team/api")["imageIds"] == []
    else:
        with pytest.raises(ClientError, match="no permissions boundary allows the ecr:ListImages action"):
            client("ecr").list_images(repositoryName="team/api")
