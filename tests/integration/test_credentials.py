"""One tick of the credentials' schedule that finds everything wrong that can be: each thing is said, the rest is done.

Three accounts are connected: in one the pull-only role may push, in one it may not pull, and one does not let us be it.
"""

import base64
import json
import re
from typing import Any

import pytest

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward_sandbox.demo.client import User

pytestmark = pytest.mark.slow

MAY_PUSH, MAY_NOT_PULL, NOT_ASSUMABLE, NOT_CONNECTED = "222233334444", "333344445555", "444455556666", "555566667777"
ROLE = "ecr-steward-pull-only"
OTHERS_LOGIN = {"auth": base64.b64encode(b"somebody:else").decode()}
HOME = "127.0.0.1"

HELD: dict[str, dict[str, Any]] = {
    "plain-text": {"SecretString": "hunter2"},
    "other-json": {"SecretString": json.dumps({"username": "somebody", "password": "hunter2"})},
    "no-logins": {"SecretString": json.dumps({"auths": ["somebody"]})},
    "bytes": {"SecretBinary": b"\x00\x01"},
    "deleted": {"SecretString": "{}"},
    "of-others": {"SecretString": json.dumps({"auths": {"quay.io": OTHERS_LOGIN}, "credsStore": "desktop"})},
    "may-push": {"SecretString": "{}"},
    "two-registries": {"SecretString": "{}"},
}
"""What secrets hold before the tick. Those of ``missing`` and ``last`` do not exist."""

SAID = {
    "plain-text": "the secret ecr-steward/plain-text holds text that is no JSON, not a Docker configuration",
    "other-json": "the secret ecr-steward/other-json holds JSON without `auths`, not a Docker configuration",
    "no-logins": "the secret ecr-steward/no-logins holds `auths` that map no host to a login",
    "bytes": "the secret ecr-steward/bytes holds bytes, not a Docker configuration: it is left as it is",
    "deleted": "the secret ecr-steward/deleted is marked for deletion: restore it",
    "may-push": f"a login to {MAY_PUSH}/us-east-1 as pull-only may push there, so nothing is published",
    "may-not-pull": f"a login to {MAY_NOT_PULL}/us-east-1 as pull-only may not pull there, so nothing is published",
    "not-assumable": f"account {NOT_ASSUMABLE} does not let us act as arn:aws:iam::{NOT_ASSUMABLE}:role/{ROLE}",
    "not-connected": f"account {NOT_CONNECTED} is not connected. Name it in the template's parameter SpokeAccounts",
    "two-registries": f"account {NOT_ASSUMABLE} does not let us act as arn:aws:iam::{NOT_ASSUMABLE}:role/{ROLE}",
}
"""What is said of each credential that cannot be refreshed."""


def credential(name: str, *accounts: str) -> dict[str, Any]:
    return {
        "name": name,
        "registries": [{"region": "us-east-1"} if account == HOME else {"account": account} for account in accounts],
        "sinks": [{"secretsmanager": f"ecr-steward/{name}"}],
    }


CREDENTIALS = [
    *(credential(name, HOME) for name in ("plain-text", "other-json", "no-logins", "bytes", "deleted", "of-others")),
    credential("missing", HOME),
    credential("may-push", MAY_PUSH),
    credential("may-not-pull", MAY_NOT_PULL),
    credential("not-assumable", NOT_ASSUMABLE),
    credential("not-connected", NOT_CONNECTED),
    credential("two-registries", HOME, NOT_ASSUMABLE),
    credential("last", HOME),
]


def allow(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def break_roles(house: Any) -> None:
    """Change the pull-only roles of the connected accounts, as somebody there may."""
    iam = house.sandbox.client("iam", account=MAY_PUSH)
    push = allow("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage")
    iam.put_role_policy(RoleName=ROLE, PolicyName="more", PolicyDocument=push)
    iam = house.sandbox.client("iam", account=MAY_NOT_PULL)
    login = allow("ecr:GetAuthorizationToken")
    iam.put_role_policy(RoleName=ROLE, PolicyName="PullFromThisAccount", PolicyDocument=login)
    iam = house.sandbox.client("iam", account=NOT_ASSUMABLE)
    trust = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] = "another"
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(trust))


@pytest.fixture(scope="module")
def house(open_house: Any) -> Any:
    house = open_house(spokes=[MAY_PUSH, MAY_NOT_PULL, NOT_ASSUMABLE])
    with house.unheard():
        house.push("team-a/api", "1.0.0")
        for account in (MAY_PUSH, MAY_NOT_PULL):
            house.push("team-b/api", "1.0.0", User(house.sandbox, "us-east-1", account))
    break_roles(house)
    secrets = house.sandbox.client("secretsmanager")
    for name, content in HELD.items():
        secrets.create_secret(Name=f"ecr-steward/{name}", **content)
    secrets.delete_secret(SecretId="ecr-steward/deleted", RecoveryWindowInDays=7)
    house.rulebook.deploy(lambda rulebook: rulebook.update(credentials=CREDENTIALS))
    return house


@pytest.fixture(scope="module")
def ran(house: Any) -> Any:
    """The one tick."""
    return house.refresh()


@pytest.fixture(scope="module")
def kept(house: Any, ran: Any) -> Any:
    """What the failure queue holds after it."""
    return house.take("FailureQueue")


def read(house: Any, name: str) -> dict[str, Any] | None:
    """The current version of a secret; ``None`` where there is none."""
    secrets = house.sandbox.client("secretsmanager")
    try:
        return dict(secrets.get_secret_value(SecretId=f"ecr-steward/{name}"))
    except secrets.exceptions.ResourceNotFoundException:
        return None


def version(house: Any, name: str) -> str:
    """The id of the current version of a secret."""
    secret = read(house, name)
    assert secret is not None
    return str(secret["VersionId"])


def logins(house: Any, name: str) -> dict[str, Any]:
    """The logins that a secret holds."""
    secret = read(house, name)
    assert secret is not None
    return dict(json.loads(secret["SecretString"])["auths"])


def may_pull(house: Any, auths: dict[str, Any]) -> bool:
    """Pull from home with what a secret holds."""
    host = house.sandbox.registry_url("us-east-1").partition("://")[2]
    digest = house.home.tags("team-a/api")["1.0.0"]
    client = DistributionClient(f"http://{host}", lambda: f"Basic {auths[host]['auth']}")
    return str(client.get_manifest("team-a/api", digest).digest) == digest


@pytest.mark.slow
def test_event_is_kept_once_with_every_reason_when_credentials_cannot_be_refreshed(ran: Any, kept: Any) -> None:
    (message,) = kept
    (tick,) = ran
    assert "RefreshCredentials" in message["function"]
    assert message["event"] == tick.event
    assert (message["error"], message["rule"]) == ("ForeignSecretError", "plain-text")
    first, *others = message["message"].split("; beside it ")
    assert SAID["plain-text"] in first
    assert [other.partition(":")[0] for other in others] == [f"({name})" for name in list(SAID)[1:]]
    assert all(said in other for said, other in zip(list(SAID.values())[1:], others, strict=True))


@pytest.mark.parametrize("name", SAID)
def test_log_says_why_nothing_was_published(name: str, house: Any, ran: Any) -> None:
    (outcome,) = [each for each in house.outcomes(ran) if each["subject"] == f"credential {name}"]
    assert SAID[name] in outcome["error"]
    assert outcome["applied"] is False


@pytest.mark.parametrize("name", ["plain-text", "other-json", "no-logins", "bytes", "may-push", "two-registries"])
def test_secret_holds_what_it_held_when_nothing_was_published(name: str, house: Any, ran: Any) -> None:
    secret = read(house, name)
    assert secret is not None
    assert {key: secret[key] for key in HELD[name]} == HELD[name]


@pytest.mark.parametrize("name", ["may-not-pull", "not-assumable", "not-connected"])
def test_no_secret_is_made_when_nothing_was_published(name: str, house: Any, ran: Any) -> None:
    assert read(house, name) is None


@pytest.mark.parametrize("name", ["missing", "of-others", "last"])
def test_other_credentials_are_refreshed_in_the_same_tick(name: str, house: Any, ran: Any) -> None:
    assert may_pull(house, logins(house, name))
    told = [each.event["detail"] for each in house.sandbox.events if "Credential" in each.event["detail-type"]]
    assert f"ecr-steward/{name}" in {detail["sink"] for detail in told}


def test_logins_of_other_hosts_and_other_keys_are_left_as_they_are(house: Any, ran: Any) -> None:
    secret = read(house, "of-others")
    assert secret is not None
    document = json.loads(secret["SecretString"])
    assert document["auths"]["quay.io"] == OTHERS_LOGIN
    assert document["credsStore"] == "desktop"
    assert len(document["auths"]) == 2


def test_upload_that_should_have_been_refused_is_cancelled(house: Any, ran: Any) -> None:
    made = [
        (each.operation, each.status)
        for each in house.sandbox.local_ecr.requests.entries()
        if each.account == MAY_PUSH and f"/{ROLE}/" in each.principal
    ]
    assert ("InitiateLayerUpload", 202) in made
    assert made[-1][1] == 204
    assert not [operation for operation, _ in made if operation in ("CompleteLayerUpload", "PutImage")]


def test_no_login_is_written_into_log_event_or_failure_queue(house: Any, ran: Any, kept: Any) -> None:
    (login,) = logins(house, "missing").values()
    said = json.dumps([kept, [each.log for each in ran], [each.event for each in house.sandbox.events]], default=str)
    assert login["password"] not in said
    assert login["auth"] not in said


def test_what_was_mended_is_refreshed_by_the_next_tick_and_the_rest_is_told_again(house: Any, kept: Any) -> None:
    secrets = house.sandbox.client("secretsmanager")
    secrets.put_secret_value(SecretId="ecr-steward/plain-text", SecretString="{}")
    secrets.restore_secret(SecretId="ecr-steward/deleted")
    house.sandbox.client("iam", account=MAY_PUSH).delete_role_policy(RoleName=ROLE, PolicyName="more")
    fresh = {name: version(house, name) for name in ("missing", "of-others", "last")}

    house.refresh()

    assert may_pull(house, logins(house, "plain-text"))
    assert may_pull(house, logins(house, "deleted"))
    assert len(logins(house, "may-push")) == 1
    assert {name: version(house, name) for name in fresh} == fresh
    (message,) = house.take("FailureQueue")
    left = [name for name in SAID if name not in ("plain-text", "deleted", "may-push")]
    assert [message["rule"], *re.findall(r"beside it \(([a-z-]+)\)", message["message"])] == left
