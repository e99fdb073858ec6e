"""Accounts that do not let us in, or that nobody has told us of: each is said, and the others are served."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_steward.adapters.clients import AwsClients, new_session
from ecr_steward.bootstrap import Settings
from ecr_steward.domain.names import RegistryRef
from ecr_steward_sandbox.demo.client import User
from tests.given.aws import ONE_TRY

pytestmark = pytest.mark.slow

CONNECTED, CLOSED, STRANGER = "222233334444", "333344445555", "444455556666"
"""One that works, one whose role asks for another external id, one whose stack is there but unknown to the hub."""
SPOKE_ROLE = "ecr-steward-spoke"
NOT_CONNECTED = f"account {STRANGER} is not connected. Name it in the template's parameter SpokeAccounts"
NOT_ASSUMABLE = f"account {CLOSED} does not let us act as arn:aws:iam::{CLOSED}:role/{SPOKE_ROLE}"


def copy_everywhere(rulebook: dict[str, Any]) -> None:
    """Add a rule with four destinations; the two that cannot be reached come first."""
    accounts = [{"account": account} for account in (STRANGER, CLOSED, CONNECTED)]
    rulebook["rules"].append(
        {
            "name": "everywhere",
            "match": {"repositories": ["everywhere/**"], "accounts": ["111122223333"]},
            "mode": "enforce",
            "replicate": [{"to": [*accounts, {"region": "eu-west-1"}]}],
        }
    )


@pytest.fixture(scope="module")
def house(open_house: Any) -> Any:
    house = open_house(spokes=[CONNECTED, CLOSED, STRANGER], parameters={"SpokeAccounts": f"{CONNECTED},{CLOSED}"})
    house.rulebook.deploy(copy_everywhere)
    ask_for(house, "another")
    return house


def user(house: Any, account: str) -> User:
    return User(house.sandbox, "us-east-1", account)


def ask_for(house: Any, external_id: str) -> None:
    """Let the role of the closed account ask for an external id."""
    iam = house.sandbox.client("iam", account=CLOSED)
    trust = iam.get_role(RoleName=SPOKE_ROLE)["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] = external_id
    iam.update_assume_role_policy(RoleName=SPOKE_ROLE, PolicyDocument=json.dumps(trust))


@contextmanager
def let_onto_the_bus(house: Any, account: str) -> Iterator[None]:
    """Let an account put events on the hub's bus, by hand."""
    events, bus = house.sandbox.client("events"), "ecr-steward"
    statement = {"Action": "events:PutEvents", "Principal": account, "StatementId": "ByHand"}
    events.put_permission(EventBusName=bus, **statement)
    yield
    events.remove_permission(EventBusName=bus, StatementId="ByHand")


def clients_of(house: Any, function: str, monkeypatch: pytest.MonkeyPatch) -> AwsClients:
    """The clients of a function, as its environment and its role make them."""
    name = house.sandbox.deployment.resources[function].physical_id
    deployed = house.sandbox.client("lambda").get_function_configuration(FunctionName=name)
    credentials = house.sandbox.credentials_of(deployed["Role"], function)
    session = new_session("us-east-1")
    session.set_credentials(
        *(credentials[f"AWS_{key}"] for key in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"))
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL", house.sandbox.endpoint_url)
    return AwsClients(ONE_TRY, Settings.from_env(deployed["Environment"]["Variables"]).accounts, session)


REPOSITORY = {"repositoryName": "team-r/api"}
IMAGE = {**REPOSITORY, "imageIds": [{"imageTag": "1.0.0"}]}


@pytest.mark.parametrize(
    ("function", "operation", "arguments"),
    [
        (
            "EvaluateImageScanFunction",
            "PutRegistryPolicy",
            {"policyText": '{"Version": "2012-10-17", "Statement": []}'},
        ),
        ("EvaluateImageScanFunction", "DeleteRepositoryPolicy", REPOSITORY),
        ("EvaluateImageScanFunction", "BatchDeleteImage", IMAGE),
        ("RefreshCredentialsFunction", "BatchDeleteImage", IMAGE),
        ("RefreshCredentialsFunction", "BatchGetImage", IMAGE),
        ("EnforceImageTagsFunction", "DeleteRepositoryPolicy", REPOSITORY),
        ("ApplyRepositoryPoliciesFunction", "BatchDeleteImage", IMAGE),
        ("ApplyRepositoryPoliciesFunction", "GetAuthorizationToken", {}),
        ("ReplicateImageFunction", "DeleteRegistryPolicy", {}),
        ("ReconcileRegistryFunction", "InitiateLayerUpload", REPOSITORY),
    ],
)
def test_a_function_is_refused_in_a_connected_account_what_another_may_do_there(
    house: Any, monkeypatch: pytest.MonkeyPatch, function: str, operation: str, arguments: dict[str, Any]
) -> None:
    """aws M5"""
    ecr = user(house, CONNECTED).ecr
    if not user(house, CONNECTED).has_repository("team-r/api"):
        with house.unheard():
            ecr.create_repository(**REPOSITORY)
    there = clients_of(house, function, monkeypatch).ecr(RegistryRef(CONNECTED, "us-east-1"))
    call = getattr(there, re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower())

    with pytest.raises(ClientError, match=f"because no session policy allows the ecr:{operation} action"):
        call(**arguments)


def test_events_stay_in_the_failure_queue_of_an_account_when_the_hub_does_not_let_it_in(house: Any) -> None:
    before = len(house.sandbox.invocations)

    house.push("team-z/api", "1.0.0", user(house, STRANGER))

    kept = house.take("DeliveryFailureQueue", STRANGER)
    assert {each["account"] for each in kept} == {STRANGER}
    assert "ECR Image Action" in {each["detail-type"] for each in kept}
    assert house.sandbox.invocations[before:] == []
    assert house.take("FailureQueue") == house.take("DeliveryFailureQueue") == []
    assert house.sandbox.lost == []


def test_failure_queue_names_the_account_when_events_come_from_one_that_is_not_connected(house: Any) -> None:
    stranger = user(house, STRANGER)

    with let_onto_the_bus(house, STRANGER):
        house.push("team-z/by-hand", "1.0.0", stranger)

    kept = house.take("FailureQueue")
    assert {each["error"] for each in kept} == {"AccountNotConnectedError"}
    assert all(each["message"].startswith(NOT_CONNECTED) for each in kept)
    assert {each["function"].split("-")[2] for each in kept} == {
        "EnforceImageTagsFunction",
        "ApplyRepositoryPoliciesFunction",
        "ReplicateImageFunction",
    }
    assert {each["event"].get("detail", {}).get("account", each["event"].get("account")) for each in kept} == {STRANGER}
    assert set(stranger.tags("team-z/by-hand")) == {"1.0.0"}
    asked = [decision for decision in house.sandbox.decisions if decision.action == "sts:AssumeRole"]
    assert not [decision for decision in asked if STRANGER in decision.resource]


def test_other_destinations_get_the_image_when_two_accounts_cannot_be_reached(house: Any) -> None:
    pushed = house.push("everywhere/api", "1.0.0")

    digests = {str(manifest.digest) for manifest in pushed.manifests}
    assert user(house, CONNECTED).digests("everywhere/api") == digests
    assert house.away.digests("everywhere/api") == digests
    acted = [each for each in house.sandbox.decisions if f"assumed-role/{SPOKE_ROLE}/replicate_image" in each.principal]
    assert "ecr:PutImage" in {each.action for each in acted}
    assert {each.by.endswith("and session policy, statement 1") for each in acted if each.is_allowed} == {True}
    for account in (CLOSED, STRANGER):
        assert not user(house, account).has_repository("everywhere/api")
    kept = house.take("FailureQueue")
    # aws M12: the SBOM has a subject, and its push, an ECR Referrer Action, is answered like the image's
    assert {each["event"]["detail-type"] for each in kept} == {"Replication Requested"}
    assert {each["event"]["detail"]["image-digest"] for each in kept} == {
        str(pushed.index.digest),
        str(pushed.sbom.digest),
    }
    for each in kept:
        assert (each["error"], each["rule"]) == ("AccountNotConnectedError", "everywhere")
        assert each["message"].startswith(NOT_CONNECTED)
        assert f"beside it: {NOT_ASSUMABLE}" in each["message"]
    assert house.take("ReplicateImageDeadLetterQueue") == []


def test_sweep_goes_on_to_the_other_accounts_when_two_cannot_be_looked_at(house: Any) -> None:
    pushed = house.push("everywhere/swept", "1.0.0")
    house.push("team-b/swept", "1.0.0", user(house, CONNECTED))
    house.take("FailureQueue")
    with house.unheard():
        house.away.ecr.delete_repository(repositoryName="everywhere/swept", force=True)
        user(house, CONNECTED).ecr.delete_lifecycle_policy(repositoryName="team-b/swept")

    house.sweep()

    assert str(pushed.index.digest) in house.away.digests("everywhere/swept")
    assert user(house, CONNECTED).ecr.get_lifecycle_policy(repositoryName="team-b/swept")["lifecyclePolicyText"]
    cut, part = [each for each in house.take("FailureQueue") if each["error"] == "SweepIncompleteError"]
    assert cut["event"]["detail-type"] == "Scheduled Event"  # these registries could not be listed
    assert "everywhere/swept" in part["event"]["detail"]["repository-names"]  # and no copies be looked for there
    for each in (cut, part):
        assert each["message"].startswith("the sweep went on, but failed ")
        assert [each["message"].count(said) for said in (NOT_ASSUMABLE, NOT_CONNECTED)] == [1, 1]


def test_images_of_other_accounts_are_judged_when_a_batch_is_about_one_that_is_closed(
    house: Any, load_event: Any
) -> None:
    events = []
    with house.unheard():
        for account in (CLOSED, CONNECTED):
            pushed = house.push("payments/api", "1.0.0", user(house, account))
            children = [str(child.digest) for child in pushed.children]
            house.scan_ends("payments/api", children, account=account)
            for child in children:
                event = {**load_event("ecr_image_scan/complete_child"), "account": account}
                event["detail"] |= {"repository-name": "payments/api", "image-digest": child}
                events.append(event)

    ran = house.send("EvaluateImageScanQueue", *events)

    (batch,) = [each for each in ran if each.function == "EvaluateImageScanFunction"]
    assert len(batch.event["Records"]) == 4
    (verdict,) = house.verdicts("payments/api")
    assert (verdict["account"], verdict["verdict"]) == (CONNECTED, "pass")
    assert "1.0.0" in User(house.sandbox, "eu-west-1", CONNECTED).tags("payments/api")
    kept = house.take("FailureQueue")
    assert [each["event"] for each in kept] == events[:2]
    assert {each["error"] for each in kept} == {"RoleNotAssumableError"}
    assert house.take("EvaluateImageScanDeadLetterQueue") == []


def test_account_is_governed_by_the_replayed_events_when_its_role_lets_us_in_again(house: Any) -> None:
    house.take("FailureQueue")
    closed = user(house, CLOSED)
    pushed = house.push("team-c/api", "1.0.0", closed)
    kept = house.take("FailureQueue")
    before = set(closed.tags("team-c/api"))

    ask_for(house, "ecr-steward-sandbox")
    house.replay(kept)

    assert {each["error"] for each in kept} == {"RoleNotAssumableError"}
    assert all(NOT_ASSUMABLE in each["message"] and "docs/accounts.md" in each["message"] for each in kept)
    assert before == {"1.0.0"}
    digest = str(pushed.index.digest)
    assert closed.tags("team-c/api") == dict.fromkeys(("1.0.0", "1.0-latest", "1-latest"), digest)
    (described,) = closed.ecr.describe_repositories(repositoryNames=["team-c/api"])["repositories"]
    assert described["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert house.take("FailureQueue") == []
