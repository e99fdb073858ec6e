"""The registry policy beside the repositories' own, in both its scopes; boundaries and condition keys at the gate."""

import json

import pytest
from botocore.exceptions import ClientError

from local_ecr import Policy
from local_ecr.iam import Identity

OWNER, VISITOR = "111122223333", "444455556666"
ACTION = "ecr:ListImages"
REPOSITORIES = f"arn:aws:ecr:us-east-1:{OWNER}:repository/*"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def to_visitor(*actions, **elements):
    return {
        "Effect": "Allow",
        "Principal": {"AWS": VISITOR},
        "Action": list(actions),
        "Resource": REPOSITORIES,
        **elements,
    }


@pytest.fixture
def registry_may(town):
    """Give the registry this policy, of a scope."""
    owner = town.client()

    def may(*statements, scope="V2"):
        owner.put_account_setting(name="REGISTRY_POLICY_SCOPE", value=scope)
        owner.put_registry_policy(policyText=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))

    yield may
    owner.delete_registry_policy()
    owner.put_account_setting(name="REGISTRY_POLICY_SCOPE", value="V2")


def listed(town, key):
    """The statements that let somebody list the images, or the end of the refusal."""
    try:
        town.client(key).list_images(registryId=OWNER, repositoryName="team/app")
    except ClientError as error:
        return error.response["Error"]["Message"].rpartition("repository/team/app ")[2]
    return town.ecr.decisions.entries()[-1].by


def test_another_account_gets_in_by_the_registry_policy_alone(town, registry_may):
    town.may(VISITOR, EVERYTHING)
    registry_may(to_visitor(ACTION, Sid="Partner"))
    assert listed(town, "visitor-ci") == "identity policy Build, statement 1 and registry policy, statement Partner"


def test_a_deny_of_the_registry_policy_beats_what_the_repository_and_the_role_allow(town, registry_may):
    town.may(OWNER, EVERYTHING)
    town.repository_may({"Effect": "Allow", "Principal": "*", "Action": ACTION})
    registry_may({"Sid": "Never", "Effect": "Deny", "Principal": "*", "Action": ACTION, "Resource": REPOSITORIES})
    assert listed(town, "owner-ci") == "with an explicit deny in a resource-based policy"
    assert town.ecr.decisions.entries()[-1].by == "registry policy, statement Never"


def test_a_registry_policy_is_asked_about_the_registry_itself_too(town, registry_may):
    town.may(OWNER, EVERYTHING)
    registry_may({"Effect": "Deny", "Principal": "*", "Action": "ecr:DescribeRegistry", "Resource": "*"})
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        town.client("owner-ci").describe_registry()


PASSED = f"arn:aws:iam::{OWNER}:role/makes-repositories"


def create_template(town, key):
    """A call that needs iam:PassRole besides."""
    town.client(key).create_repository_creation_template(
        prefix="passed", appliedFor=["REPLICATION"], customRoleArn=PASSED
    )


def test_a_registry_policy_allows_nothing_of_other_services(town, registry_may):
    town.may(OWNER, {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"})
    registry_may({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})
    with pytest.raises(ClientError, match="no identity-based policy allows the iam:PassRole action"):
        create_template(town, "owner-ci")


def test_a_registry_policy_denies_nothing_of_other_services(town, registry_may):
    town.may(OWNER, EVERYTHING)
    registry_may({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": PASSED})
    create_template(town, "owner-ci")
    town.client().delete_repository_creation_template(prefix="passed")


def test_a_registry_policy_of_the_first_scope_knows_three_actions_only(town, registry_may):
    town.may(VISITOR, EVERYTHING)
    registry_may(to_visitor("ecr:*"), scope="V1")
    assert listed(town, "visitor-ci") == f"because no resource-based policy allows the {ACTION} action"
    town.client("visitor-ci").create_repository(registryId=OWNER, repositoryName="of/visitor")
    town.client().delete_repository(repositoryName="of/visitor")


def test_a_registry_policy_is_for_its_own_region_only(town, registry_may):
    town.may(VISITOR, EVERYTHING)
    registry_may(to_visitor("ecr:*", Resource="*"))
    elsewhere = town.client_in("eu-west-1", "visitor-ci")
    with pytest.raises(ClientError, match="no resource-based policy allows the ecr:DescribeRepositories action"):
        elsewhere.describe_repositories(registryId=OWNER)


def bounded(*statements):
    """A role that may everything within a boundary of these statements."""
    everything = Policy("Build", {"Version": "2012-10-17", "Statement": [EVERYTHING]})
    return Identity((everything,), Policy("Limits", {"Version": "2012-10-17", "Statement": list(statements)}))


READ = {"Effect": "Allow", "Action": "ecr:List*", "Resource": "*"}
PUSH = {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*"}
WITHIN = "permission boundary Limits, statement 1"


@pytest.mark.parametrize(
    ("boundary", "principal", "expected"),
    [
        (READ, None, f"identity policy Build, statement 1 and {WITHIN}"),
        (PUSH, None, f"because no permissions boundary allows the {ACTION} action"),
        (PUSH, "role", f"because no permissions boundary allows the {ACTION} action"),
        (READ, "role", f"repository policy, statement 1 and {WITHIN}"),
        (PUSH, "session", "repository policy, statement 1"),
        (PUSH, "*", "repository policy, statement 1"),
        ({**READ, "Effect": "Deny"}, "session", "with an explicit deny in a permissions boundary"),
    ],
)
def test_a_boundary_limits_what_a_repository_allows_to_a_role_but_not_to_its_session(
    town, boundary, principal, expected
):
    town.identities[OWNER] = bounded(boundary)
    if principal:
        names = {"role": town.role_arn, "session": town.session_arn, "*": "*"}
        name = names[principal].format(account=OWNER)
        town.repository_may({"Effect": "Allow", "Principal": {"AWS": name}, "Action": ACTION})
    assert listed(town, "owner-ci") == expected


@pytest.mark.parametrize(
    ("condition", "is_let_in"),
    [
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "127.0.0.1"}}, False),
        ({"StringLike": {"aws:UserAgent": "Boto3/*"}}, True),
        ({"Bool": {"aws:SecureTransport": "true", "aws:ViaAWSService": "false"}}, True),
        ({"StringEquals": {"aws:PrincipalType": "AssumedRole", "aws:PrincipalTag/team": "a"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "b"}}, False),
        ({"StringEquals": {"ecr:ResourceTag/team": "${aws:PrincipalTag/team}"}}, True),
        ({"StringEquals": {"aws:username": "ci"}}, False),
        ({"Null": {"aws:SourceArn": "true", "aws:SourceVpc": "true", "aws:CalledVia": "true"}}, True),
        ({"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:00Z"}}, False),
    ],
)
def test_a_condition_sees_the_request_and_who_sends_it(town, condition, is_let_in):
    town.client().tag_resource(resourceArn=town.arn, tags=[{"Key": "team", "Value": "a"}])
    town.identities[OWNER] = Identity((), None, {"team": "a"})
    town.repository_may({"Effect": "Allow", "Principal": "*", "Action": ACTION, "Condition": condition})
    assert (listed(town, "owner-ci") == "repository policy, statement 1") is is_let_in


def test_an_account_setting_is_named_in_a_condition(town):
    statement = {
        **EVERYTHING,
        "Action": "ecr:GetAccountSetting",
        "Condition": {"StringEquals": {"ecr:AccountSetting": "BLOB_MOUNTING"}},
    }
    town.may(OWNER, statement)
    role = town.client("owner-ci")
    assert role.get_account_setting(name="BLOB_MOUNTING")["value"]
    with pytest.raises(ClientError, match="ecr:GetAccountSetting"):
        role.get_account_setting(name="REGISTRY_POLICY_SCOPE")
