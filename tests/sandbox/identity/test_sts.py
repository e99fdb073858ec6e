"""A role is assumed by whom its trust policy and the caller's own policies let, for as long as STS allows."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_steward_sandbox.accounts import EXTERNAL_ID
from ecr_steward_sandbox.identity.sessions import Sessions
from local_ecr import Policy

HUB, SPOKE = "111122223333", "222233334444"
SPOKE_ROLE = f"arn:aws:iam::{SPOKE}:role/ecr-steward-spoke"
PULL_ONLY_ROLE = f"arn:aws:iam::{SPOKE}:role/ecr-steward-pull-only"


def assume(sts: Any, role_arn: str = SPOKE_ROLE, **arguments: Any) -> Any:
    """Assume a role as the hub's functions do."""
    given = {"RoleSessionName": "tested", "ExternalId": EXTERNAL_ID, **arguments}
    return sts.assume_role(RoleArn=role_arn, **{name: value for name, value in given.items() if value is not None})


def refused(code: str, sentence: str, ask: Callable[[], object]) -> None:
    """The call is refused with this code, in about these words."""
    with pytest.raises(ClientError, match=sentence) as error:
        ask()
    assert error.value.response["Error"]["Code"] == code


def test_session_acts_in_the_other_account_when_the_function_is_trusted_there(
    connected: Any, client_of: Callable[..., Any]
) -> None:
    answer = assume(client_of("Acts", "sts"))

    arn = f"arn:aws:sts::{SPOKE}:assumed-role/ecr-steward-spoke/tested"
    session = connected.client("sts", answer["Credentials"])
    ecr = connected.client("ecr", answer["Credentials"])
    assert answer["AssumedRoleUser"]["Arn"] == session.get_caller_identity()["Arn"] == arn
    assert session.get_caller_identity()["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]
    assert ecr.create_repository(repositoryName="release/api")["repository"]["registryId"] == SPOKE
    decision = next(one for one in reversed(connected.sandbox.decisions) if one.action == "sts:AssumeRole")
    assert (decision.is_allowed, decision.resource) == (True, SPOKE_ROLE)
    assert "role trust policy, statement 1" in decision.by


@pytest.mark.parametrize("external_id", ["somebody-elses", None])
def test_role_is_refused_when_the_external_id_is_not_the_agreed_one(
    client_of: Callable[..., Any], external_id: str | None
) -> None:
    sts = client_of("Acts", "sts")

    refused(
        "AccessDenied",
        f"User: arn:aws:sts::{HUB}:assumed-role/.*/Acts is not authorized to perform: sts:AssumeRole on resource: "
        f"{SPOKE_ROLE} because no role trust policy allows",
        lambda: assume(sts, ExternalId=external_id),
    )


def test_role_is_refused_when_another_role_of_the_trusted_account_asks(client_of: Callable[..., Any]) -> None:
    stranger, function = client_of("Stranger", "sts"), client_of("Acts", "sts")

    refused("AccessDenied", "no role trust policy allows", lambda: assume(stranger))
    refused("AccessDenied", "no role trust policy allows", lambda: assume(function, PULL_ONLY_ROLE))
    assert assume(client_of("Refreshes", "sts"), PULL_ONLY_ROLE)["Credentials"]


def test_role_is_refused_when_the_callers_own_policies_do_not_allow_it(client_of: Callable[..., Any]) -> None:
    sts = client_of("Timid", "sts")

    refused("AccessDenied", "no identity-based policy allows the sts:AssumeRole", lambda: assume(sts))


def test_role_is_refused_when_it_does_not_exist(client_of: Callable[..., Any]) -> None:
    sts = client_of("Acts", "sts")

    refused("AccessDenied", "not authorized", lambda: assume(sts, f"arn:aws:iam::{SPOKE}:role/nobody"))


def test_role_is_refused_when_a_root_asks(connected: Any) -> None:
    sts = connected.sandbox.client("sts", account=SPOKE)

    refused("AccessDenied", "Roles may not be assumed by root accounts", lambda: assume(sts))


def test_trust_of_the_own_account_is_enough_when_it_names_the_user(connected: Any) -> None:
    iam = connected.sandbox.client("iam")
    arn = iam.create_user(UserName="ann")["User"]["Arn"]
    iam.create_user(UserName="bob")
    for name, principal in (("named", arn), ("delegated", f"arn:aws:iam::{HUB}:root")):
        statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    ann, bob = (connected.client("sts", iam.create_access_key(UserName=name)["AccessKey"]) for name in ("ann", "bob"))

    assert ann.get_caller_identity()["Arn"] == arn
    assert assume(ann, f"arn:aws:iam::{HUB}:role/named", ExternalId=None)["Credentials"]
    for sts, role in ((bob, "named"), (ann, "delegated")):
        refused(
            "AccessDenied", "not authorized", lambda sts=sts, role=role: assume(sts, f"arn:aws:iam::{HUB}:role/{role}")
        )
    iam.put_user_policy(
        UserName="ann",
        PolicyName="act",
        PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}
        ),
    )
    assert assume(ann, f"arn:aws:iam::{HUB}:role/delegated")["Credentials"]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (
            {"DurationSeconds": 7200},
            "ValidationError",
            "exceeds the 1 hour session limit for roles assumed by role chai",
        ),
        ({"DurationSeconds": 60_000}, "ValidationError", "durationSeconds.*less than or equal to 43200"),
        ({"RoleSessionName": "not a name"}, "ValidationError", "Value 'not a name' at 'roleSessionName' failed"),
        ({"RoleSessionName": "zoë"}, "ValidationError", "at 'roleSessionName' failed"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]}, "NotImplemented", "not take PolicyArns"),
        ({"Tags": [{"Key": "a", "Value": "b"}]}, "NotImplemented", "The sandbox's STS does not take Tags"),
    ],
)
def test_session_is_refused_when_more_is_asked_than_there_is(
    client_of: Callable[..., Any], arguments: dict[str, Any], code: str, sentence: str
) -> None:
    sts = client_of("Acts", "sts")

    refused(code, sentence, lambda: assume(sts, **arguments))


def allowing(*actions: str, **elements: Any) -> str:
    """A session policy."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*", **elements}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_session_is_limited_by_the_policy_that_it_was_assumed_with(
    connected: Any, client_of: Callable[..., Any]
) -> None:
    """aws M5"""
    passed = allowing("ecr:Describe*", "ecr:GetAuthorizationToken", "ecr:BatchGetImage", "sqs:*")
    connected.sandbox.client("ecr", account=SPOKE).create_repository(repositoryName="limited/api")

    credentials = assume(client_of("Acts", "sts"), Policy=passed)["Credentials"]

    ecr, sqs = connected.client("ecr", credentials), connected.client("sqs", credentials)
    assert ecr.describe_repositories(repositoryNames=["limited/api"])["repositories"]
    decision = connected.sandbox.decisions[-1]
    assert decision.by == "identity policy KeepThisRegistry, statement ReadRepositories and session policy, statement 1"
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    refused(
        "AccessDeniedException",
        "because no session policy allows the ecr:PutRegistryPolicy action",
        lambda: ecr.put_registry_policy(policyText=policy),
    )
    assert "  session policy: 1 statement" in "\n".join(connected.sandbox.decisions[-1].explanation())
    refused("AccessDenied", "no identity-based policy allows the sqs:ListQueues action", sqs.list_queues)
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    host = connected.sandbox.registry_url("us-east-1", SPOKE).partition("//")[2]
    login = {"Authorization": f"Basic {token}", "Host": host}
    read, _ = connected.http("GET", "/v2/limited/api/manifests/none", headers=login)
    write, _ = connected.http("POST", "/v2/limited/api/blobs/uploads/", headers=login)
    assert (read, write) == (404, 403)  # the login is the session's


def test_session_that_a_repository_policy_names_is_not_limited_by_its_own(
    connected: Any, client_of: Callable[..., Any]
) -> None:
    root = connected.sandbox.client("ecr", account=SPOKE)
    root.create_repository(repositoryName="named/api")
    credentials = assume(client_of("Acts", "sts"), Policy=allowing("ecr:DescribeRepositories"))["Credentials"]
    ecr = connected.client("ecr", credentials)

    def name(principal: str) -> None:
        statement = {"Effect": "Allow", "Action": "ecr:ListImages", "Principal": {"AWS": principal}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        root.set_repository_policy(repositoryName="named/api", policyText=policy)

    name(SPOKE_ROLE)
    refused(
        "AccessDeniedException",
        "no session policy allows the ecr:ListImages",
        lambda: ecr.list_images(repositoryName="named/api"),
    )
    name(f"arn:aws:sts::{SPOKE}:assumed-role/ecr-steward-spoke/tested")
    assert ecr.list_images(repositoryName="named/api")["imageIds"] == []


def test_session_may_nothing_when_its_policy_has_been_forgotten(connected: Any) -> None:
    del connected  # the role stands in its moto
    known, another = Sessions(), Sessions()
    limit = Policy("session policy", json.loads(allowing("ecr:DescribeRepositories")))
    principal = known.begin(SPOKE_ROLE, "tested", timedelta(hours=1), limit).principal

    found = known.identity_of(principal)

    assert found is not None
    assert found.session == limit
    assert another.identity_of(principal) is None


LONGEST = allowing("ecr:PutImage").ljust(2048)
"""White space is part of the text."""


@pytest.mark.parametrize(
    ("policy", "code", "sentence"),
    [
        (LONGEST + " ", "ValidationError", "at 'policy' failed .* Member must have length less than or equal to 2048"),
        ('{"Statement": "\N{SNOWMAN}"}', "ValidationError", "at 'policy' failed .* regular expression pattern"),
        ("{", "MalformedPolicyDocument", "invalid Json"),
        ("[]", "MalformedPolicyDocument", "no JSON object"),
        ("{}", "MalformedPolicyDocument", "has no Statement"),
        (allowing("ecr:*", Principal="*"), "MalformedPolicyDocument", "names a principal"),
        (allowing("ecr:*", Effect="Maybe"), "MalformedPolicyDocument", "neither Allow nor Deny"),
    ],
)
def test_session_policy_is_refused_when_sts_would_refuse_it(
    client_of: Callable[..., Any], policy: str, code: str, sentence: str
) -> None:
    sts = client_of("Acts", "sts")

    refused(code, sentence, lambda: assume(sts, Policy=policy))
    assert assume(sts, Policy=LONGEST)["Credentials"]


def test_request_is_invalid_rather_than_denied_when_a_stranger_asks_for_more_than_any_session_lives(
    client_of: Callable[..., Any],
) -> None:
    sts = client_of("Stranger", "sts")

    refused("ValidationError", "durationSeconds.*or equal to 43200", lambda: assume(sts, DurationSeconds=43_201))


def test_session_lives_twelve_hours_when_role_and_user_allow_it(connected: Any) -> None:
    iam = connected.sandbox.client("iam")
    arn = iam.create_user(UserName="cat")["User"]["Arn"]
    statement = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(RoleName="long", AssumeRolePolicyDocument=trust, MaxSessionDuration=43_200)
    iam.create_role(RoleName="short", AssumeRolePolicyDocument=trust)
    sts = connected.client("sts", iam.create_access_key(UserName="cat")["AccessKey"])

    answer = assume(sts, f"arn:aws:iam::{HUB}:role/long", DurationSeconds=43_200)

    left = answer["Credentials"]["Expiration"] - connected.sandbox.clock.now
    assert timedelta(hours=11, minutes=59) < left <= timedelta(hours=12)
    refused(
        "ValidationError",
        "exceeds the MaxSessionDuration set for this role",
        lambda: assume(sts, f"arn:aws:iam::{HUB}:role/short", DurationSeconds=43_200),
    )


def test_operation_is_refused_by_name_when_it_is_not_simulated(client_of: Callable[..., Any]) -> None:
    sts = client_of("Acts", "sts")

    refused("NotImplemented", "The sandbox's STS has no GetSessionToken", sts.get_session_token)


@pytest.mark.parametrize(
    ("service", "code"),
    [("sts", "InvalidClientTokenId"), ("sqs", "InvalidClientTokenId"), ("dynamodb", "UnrecognizedClientException")],
)
def test_key_is_refused_in_the_services_words_when_nobody_has_it(connected: Any, service: str, code: str) -> None:
    calls = {"sts": "get_caller_identity", "sqs": "list_queues", "dynamodb": "list_tables"}
    known = connected.sandbox.credentials_of(SPOKE_ROLE, "known")
    for credentials in (
        {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x"},
        {**known, "AWS_SESSION_TOKEN": "of-another-session"},
    ):
        client = connected.client(service, credentials)

        refused(code, "The security token included in the request is invalid", getattr(client, calls[service]))


def test_session_is_refused_when_its_time_is_over(connected: Any, client_of: Callable[..., Any]) -> None:
    credentials = assume(client_of("Acts", "sts"), DurationSeconds=900)["Credentials"]
    clients = {name: connected.client(name, credentials) for name in ("sts", "ecr", "dynamodb", "lambda")}
    token = clients["ecr"].get_authorization_token()["authorizationData"][0]["authorizationToken"]

    connected.sandbox.move_clock(timedelta(minutes=16))

    sentence = "The security token included in the request is expired"
    refused("ExpiredToken", sentence, clients["sts"].get_caller_identity)
    refused("ExpiredTokenException", sentence, clients["ecr"].describe_registry)
    refused("ExpiredTokenException", sentence, clients["dynamodb"].list_tables)
    refused("ExpiredTokenException", sentence, clients["lambda"].list_functions)
    status, _ = connected.http("GET", "/v2/", headers={"Authorization": f"Basic {token}"})
    assert status == 200  # a login outlives the session that fetched it
