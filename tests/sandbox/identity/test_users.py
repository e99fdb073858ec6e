"""Users of IAM and roles are judged by their policies as they are at the moment of the call, whatever service it is."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

ACCOUNT, OTHER = "111122223333", "222233334444"
PULL_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"


@pytest.fixture(scope="module")
def box(new_template: Callable[[], Any], start: Callable[..., Any]) -> Any:
    """A queue, a repository and a function that may write to the queue."""
    stack = new_template()
    stack.queue("Jobs")
    stack.function("Writer", Policies=[stack.allow("sqs:SendMessage", stack.arn("Jobs"))])
    found = start(stack)
    found.sandbox.client("ecr").create_repository(repositoryName="team/api")
    return found


@pytest.fixture(scope="module")
def user(box: Any) -> Callable[[str], dict[str, str]]:
    """Makes users; the answer is an access key."""

    def make(name: str) -> dict[str, str]:
        iam = box.sandbox.client("iam")
        iam.create_user(UserName=name)
        return dict(iam.create_access_key(UserName=name)["AccessKey"])

    return make


def policy(action: str, resource: str = "*", **elements: Any) -> str:
    """A document of one statement."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **elements}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_user_may_pull_and_not_push_when_the_managed_policy_says_so(
    box: Any, user: Callable[[str], dict[str, str]]
) -> None:
    key = user("puller")
    box.sandbox.client("iam").attach_user_policy(UserName="puller", PolicyArn=PULL_ONLY)
    ecr = box.client("ecr", key)
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    headers = {"Authorization": f"Basic {token}"}

    assert ecr.batch_get_image(repositoryName="team/api", imageIds=[{"imageTag": "none"}])["failures"]
    with pytest.raises(ClientError, match="not authorized to perform: ecr:InitiateLayerUpload"):
        ecr.initiate_layer_upload(repositoryName="team/api")
    with pytest.raises(ClientError, match="not authorized to perform: ecr:PutImage"):
        ecr.put_image(repositoryName="team/api", imageManifest="{}")
    assert box.http("GET", "/v2/team/api/manifests/none", headers=headers)[0] == 404
    assert box.http("POST", "/v2/team/api/blobs/uploads/", headers=headers)[0] == 403
    assert base64.b64decode(token).startswith(b"AWS:")


def test_user_may_what_the_group_may_when_in_it(box: Any, user: Callable[[str], dict[str, str]]) -> None:
    key = user("member")
    iam, sqs = box.sandbox.client("iam"), box.client("sqs", key)
    with pytest.raises(ClientError, match=f"User: arn:aws:iam::{ACCOUNT}:user/member is not authorized"):
        sqs.list_queues()

    iam.create_group(GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="list", PolicyDocument=policy("sqs:ListQueues"))
    iam.add_user_to_group(GroupName="readers", UserName="member")
    assert sqs.list_queues()["QueueUrls"]

    iam.remove_user_from_group(GroupName="readers", UserName="member")
    with pytest.raises(ClientError, match="no identity-based policy allows the sqs:ListQueues action"):
        sqs.list_queues()


def test_default_version_counts_when_a_managed_policy_has_several(
    box: Any, user: Callable[[str], dict[str, str]]
) -> None:
    key = user("versioned")
    iam, sqs = box.sandbox.client("iam"), box.client("sqs", key)
    arn = iam.create_policy(PolicyName="changing", PolicyDocument=policy("sns:*"))["Policy"]["Arn"]
    iam.attach_user_policy(UserName="versioned", PolicyArn=arn)
    with pytest.raises(ClientError, match="not authorized"):
        sqs.list_queues()

    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy("sqs:*"), SetAsDefault=True)

    assert sqs.list_queues()["QueueUrls"]


@pytest.mark.parametrize("end", ["update_access_key", "delete_access_key"])
def test_key_is_refused_when_it_was_ended(box: Any, user: Callable[[str], dict[str, str]], end: str) -> None:
    key = user(f"gone-{end}")
    arguments = {"Status": "Inactive"} if end == "update_access_key" else {}
    sts = box.client("sts", key)
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{key['UserName']}"

    getattr(box.sandbox.client("iam"), end)(UserName=key["UserName"], AccessKeyId=key["AccessKeyId"], **arguments)

    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        sts.get_caller_identity()


def test_login_and_keys_end_with_a_user_when_another_gets_the_name(
    box: Any, user: Callable[[str], dict[str, str]]
) -> None:
    key, iam = user("again"), box.sandbox.client("iam")
    iam.attach_user_policy(UserName="again", PolicyArn=PULL_ONLY)
    ecr = box.client("ecr", key)
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    asked = {"headers": {"Authorization": f"Basic {token}"}}
    assert box.http("GET", "/v2/team/api/manifests/none", **asked)[0] == 404

    iam.delete_access_key(UserName="again", AccessKeyId=key["AccessKeyId"])
    iam.detach_user_policy(UserName="again", PolicyArn=PULL_ONLY)
    iam.delete_user(UserName="again")
    user("again")
    iam.attach_user_policy(UserName="again", PolicyArn=PULL_ONLY)

    status, told = box.http("GET", "/v2/team/api/manifests/none", **asked)
    assert (status, told["errors"][0]["code"]) == (403, "DENIED")
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        ecr.get_authorization_token()


def test_session_and_login_end_with_a_role_when_another_gets_the_name(box: Any) -> None:
    iam = box.sandbox.client("iam")
    statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def make() -> str:
        arn = iam.create_role(RoleName="brief", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        iam.attach_role_policy(RoleName="brief", PolicyArn=PULL_ONLY)
        return str(arn)

    credentials = box.sandbox.credentials_of(make(), "first")
    sts, ecr = box.client("sts", credentials), box.client("ecr", credentials)
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    iam.detach_role_policy(RoleName="brief", PolicyArn=PULL_ONLY)
    iam.delete_role(RoleName="brief")
    new = box.sandbox.credentials_of(make(), "second")

    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        sts.get_caller_identity()
    headers = {"Authorization": f"Basic {token}"}
    assert box.http("GET", "/v2/team/api/manifests/none", headers=headers)[0] == 403
    assert box.client("sts", new).get_caller_identity()["Arn"].endswith("/brief/second")


def test_role_loses_and_gains_what_its_policies_say_when_they_change(box: Any) -> None:
    role = box.sandbox.deployment.resources["WriterRole"]
    iam = box.sandbox.client("iam")
    name = iam.list_role_policies(RoleName=role.physical_id)["PolicyNames"][0]
    sqs = box.client("sqs", box.sandbox.credentials_of(role.arn, "writer"))
    sqs.send_message(QueueUrl=box.url("Jobs"), MessageBody="{}")

    iam.delete_role_policy(RoleName=role.physical_id, PolicyName=name)

    with pytest.raises(ClientError, match="no identity-based policy allows the sqs:SendMessage"):
        sqs.send_message(QueueUrl=box.url("Jobs"), MessageBody="{}")
    assert not box.sandbox.engine.wiring.role_may(role.arn, "sqs:SendMessage", box.arn("Jobs"))

    iam.put_role_policy(RoleName=role.physical_id, PolicyName=name, PolicyDocument=policy("sqs:SendMessage"))
    sqs.send_message(QueueUrl=box.url("Jobs"), MessageBody="{}")
    assert box.sandbox.engine.wiring.role_may(role.arn, "sqs:SendMessage", box.arn("Jobs"))
    assert len(box.messages("Jobs")) == 2


def test_call_to_any_other_service_is_refused_when_no_policy_allows_it(
    box: Any, user: Callable[[str], dict[str, str]]
) -> None:
    key = user("climber")
    iam = box.client("iam", key)

    with pytest.raises(ClientError, match="not authorized to perform: iam:PutUserPolicy") as refused:
        iam.put_user_policy(UserName="climber", PolicyName="all", PolicyDocument=policy("*"))

    assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_queue_of_another_account_is_written_when_its_policy_and_the_users_allow_it(
    box: Any, user: Callable[[str], dict[str, str]]
) -> None:
    owner = box.sandbox.client("sqs", account=OTHER)
    url = owner.create_queue(QueueName="theirs")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{OTHER}:theirs"
    sqs = box.client("sqs", user("visitor"))
    box.sandbox.client("iam").put_user_policy(
        UserName="visitor", PolicyName="send", PolicyDocument=policy("sqs:SendMessage", arn)
    )
    with pytest.raises(ClientError, match="no resource-based policy allows"):
        sqs.send_message(QueueUrl=url, MessageBody="hello")

    statement = policy("sqs:SendMessage", arn, Principal={"AWS": ACCOUNT})
    owner.set_queue_attributes(QueueUrl=url, Attributes={"Policy": statement})
    sqs.send_message(QueueUrl=url, MessageBody="hello")

    assert [message["Body"] for message in owner.receive_message(QueueUrl=url)["Messages"]] == ["hello"]


def test_decisions_of_all_services_are_in_one_log_when_asked_for_over_http(
    box: Any, user: Callable[[str], dict[str, str]]
) -> None:
    key = user("watched")
    for service, ask in (("ecr", "describe_repositories"), ("dynamodb", "list_tables")):
        with pytest.raises(ClientError, match="not authorized"):
            getattr(box.client(service, key), ask)()

    status, told = box.http("GET", "/_sandbox/decisions?refused=true")

    mine = [one["action"] for one in told if one["principal"].endswith("/watched")]
    assert (status, mine) == (200, ["ecr:DescribeRepositories", "dynamodb:ListTables"])
    assert {one["is_allowed"] for one in told} == {False}
