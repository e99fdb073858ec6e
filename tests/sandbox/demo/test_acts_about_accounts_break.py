"""Acts 7 and 10 of the demo, a login for others and a second account: broken on purpose, they must fail.

Each is played after the acts that it builds on, without those in between. Which claim fails is asserted, too: where
nothing works at all every act would fail.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ecr_steward_sandbox.demo.stage import HOME, SPOKE, Stage

pytestmark = pytest.mark.slow

_UPLOAD = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
)


def publish_what_may_push(house: Any) -> None:
    house.hub.give("PullOnlyRole", *_UPLOAD)
    house.code("usecases/refresh_credentials.py", "if self.logins.may_push(token):", "if False:")


def publish_what_may_not_pull(house: Any) -> None:
    house.hub.take("PullOnlyRole", "ecr:BatchGetImage")
    house.code("usecases/refresh_credentials.py", "if not self.logins.may_pull(token):", "if False:")


def stop_the_clock(stage: Stage) -> None:
    stage.move_clock = lambda by, why: None  # type: ignore[method-assign]


def spoke_resource(stage: Stage, logical_id: str) -> str:
    return stage.sandbox.deployments[SPOKE].resources[logical_id].physical_id


def let_nobody_in(stage: Stage) -> None:
    nobody = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]}
    stage.sandbox.client("iam", account=SPOKE).update_assume_role_policy(
        RoleName=spoke_resource(stage, "SpokeRole"), PolicyDocument=json.dumps(nobody)
    )


def let_nothing_be_forwarded(stage: Stage) -> None:
    stage.sandbox.client("iam", account=SPOKE).delete_role_policy(
        RoleName=spoke_resource(stage, "ForwardToStewardRole"), PolicyName="PutEventsOnHubBus"
    )


def close_the_bus(stage: Stage) -> None:
    stage.aws("events").remove_permission(EventBusName="ecr-steward", StatementId="EventsOfSpokeAccounts")


def change_a_byte_in_account_two(stage: Stage) -> None:
    """Not at once: what is to be changed comes there in the act."""
    blob = stage.release("1.1.0").children[0].blobs[-1].digest
    stored = stage.layout.root.parent / "data" / "ecr" / SPOKE / HOME / "blobs" / "sha256" / blob.hex
    settle = stage.settle

    def settle_and_change() -> None:
        settle()
        if stored.exists():
            content = bytearray(stored.read_bytes())
            content[-1] ^= 1
            stored.chmod(0o644)
            stored.write_bytes(content)

    stage.settle = settle_and_change  # type: ignore[method-assign]


BREAKS: list[tuple[int, str, Callable[[Any], None], str]] = [
    (
        7,
        "entry of the rulebook",
        lambda house: house.rulebook(lambda book: book.pop("credentials")),
        "there is a secret ecr-steward/on-prem-cluster",
    ),
    (
        7,
        "registry of the entry",
        lambda house: house.rulebook(lambda book: book["credentials"][0].update(registries=[{"region": "eu-west-1"}])),
        "holds a Docker config for the registry",
    ),
    (
        7,
        "trust of the pull-only role",
        lambda house: house.hub.set(
            "PullOnlyRole",
            *("AssumeRolePolicyDocument", "Statement", 0, "Principal", "AWS"),
            {"Fn::GetAtt": ["ReconcileRegistryFunctionRole", "Arn"]},
        ),
        "there is a secret ecr-steward/on-prem-cluster",
    ),
    (
        7,
        "permission to log in",
        lambda house: house.hub.take("PullOnlyRole", "ecr:GetAuthorizationToken"),
        "there is a secret ecr-steward/on-prem-cluster",
    ),
    (
        7,
        "permission to pull",
        lambda house: house.hub.take("PullOnlyRole", "ecr:GetDownloadUrlForLayer"),
        "there is a secret ecr-steward/on-prem-cluster",
    ),
    (
        7,
        "limit to pulling",
        lambda house: house.hub.give("PullOnlyRole", *_UPLOAD),
        "there is a secret ecr-steward/on-prem-cluster",
    ),
    (7, "limit to pulling, and the trial of it", publish_what_may_push, "pushing with it is refused"),
    (7, "permission to pull, and the trial of it", publish_what_may_not_pull, "not allowed: ecr:BatchGetImage"),
    (
        7,
        "permission to create a secret",
        lambda house: house.hub.take("RefreshCredentialsFunction", "secretsmanager:CreateSecret"),
        "there is a secret ecr-steward/on-prem-cluster",
    ),
    (
        7,
        "permission to write a secret again",
        lambda house: house.hub.take("RefreshCredentialsFunction", "secretsmanager:PutSecretValue"),
        "another login lies in the secret",
    ),
    (
        7,
        "user in what is written",
        lambda house: house.code(
            "domain/credentials.py", '"auth": token.basic.reveal', '"auth": token.password.reveal'
        ),
        "not allowed: ecr:BatchGetImage",
    ),
    (
        7,
        "patience with a fresh login",
        lambda house: house.code("domain/credentials.py", "if age >= DUE_AFTER:", "if True:"),
        "it is fresh, so it stays as it is",
    ),
    (
        7,
        "end of half a life",
        lambda house: house.code("domain/credentials.py", "if age >= DUE_AFTER:", "if False:"),
        "another login lies in the secret",
    ),
    (
        7,
        "schedule of the refresh",
        lambda house: house.hub.default("CredentialSchedule", "rate(1 day)"),
        "another login lies in the secret",
    ),
    (
        7,
        "clock of the functions",
        lambda house: house.keep_workers_in_the_past(7),
        "another login lies in the secret",
    ),
    (7, "clock", lambda house: house.before(7, stop_the_clock), "the old login is refused"),
    (
        10,
        "permission of replicate_image to act there",
        lambda house: house.hub.take("ReplicateImageFunction", "sts:AssumeRole"),
        "account 222233334444 has release/payments/api",
    ),
    (
        10,
        "permission of enforce_image_tags to act there",
        lambda house: house.hub.take("EnforceImageTagsFunction", "sts:AssumeRole"),
        "the hub gave it the aliases",
    ),
    (
        10,
        "permission to create repositories there",
        lambda house: house.spoke.take("SpokeRole", "ecr:CreateRepository"),
        "account 222233334444 has release/payments/api",
    ),
    (
        10,
        "permission to log in there",
        lambda house: house.spoke.take("SpokeRole", "ecr:GetAuthorizationToken"),
        "every digest equal",
    ),
    (
        10,
        "permission to set policies there",
        lambda house: house.spoke.take("SpokeRole", "ecr:SetRepositoryPolicy"),
        "FailureQueue is empty",
    ),
    (
        10,
        "trust of the role there",
        lambda house: house.before(10, let_nobody_in),
        "account 222233334444 has release/payments/api",
    ),
    (
        10,
        "EventBridge rule there",
        lambda house: house.spoke.disable("ForwardToStewardRule"),
        "the hub gave it the aliases",
    ),
    (
        10,
        "permission to forward events from there",
        lambda house: house.before(10, let_nothing_be_forwarded),
        "the hub gave it the aliases",
    ),
    (10, "bus policy", lambda house: house.before(10, close_the_bus), "the hub gave it the aliases"),
    (
        10,
        "account among those of a rule",
        lambda house: house.rule("services", lambda rule: rule["match"].update(accounts=["111122223333"])),
        "the hub gave it the aliases",
    ),
    (
        10,
        "account of the destination",
        lambda house: house.code("domain/rules.py", "self.account or source.account", "source.account"),
        "account 222233334444 has release/payments/api",
    ),
    (
        10,
        "name at the destination",
        lambda house: house.code("domain/rules.py", '(template or "{name}")', '"{name}"'),
        "account 222233334444 has release/payments/api",
    ),
    (
        10,
        "role behind a login",
        lambda house: house.code(
            "adapters/registry_login.py",
            "client = self._clients.ecr(registry",
            'client = __import__("boto3").client("ecr", region_name=registry.region) or (registry',
        ),
        "every digest equal",
    ),
    (10, "byte in account two", lambda house: house.before(10, change_a_byte_in_account_two), "the bytes sent as"),
    (
        10,
        "independence of destinations",
        lambda house: house.code("usecases/replicate_image.py", "            error = cause\n", "            raise\n"),
        "1.2.0 are in eu-west-1, every digest equal",
    ),
    (
        10,
        "sweep of connected accounts",
        lambda house: house.code("bootstrap.py", "for account in sorted(self.connected)", "for account in ()"),
        "the sweep put the alias back",
    ),
    (
        10,
        "clock of the functions",
        lambda house: house.keep_workers_in_the_past(10),
        "the failure queue says whose role let nobody in",
    ),
]


@pytest.mark.parametrize(
    ("act", "take_away", "claim"),
    [pytest.param(a, take, claim, id=f"act {a}: {what}") for a, what, take, claim in BREAKS],
)
def test_act_notices_when_a_part_is_missing(act: int, take_away: Callable[[Any], None], claim: str, house: Any) -> None:
    take_away(house)

    ending, account = house.tell(act=act)

    assert ending.failed_act == act, account
    assert claim in ending.why, account


@pytest.mark.parametrize("act", [7, 10])
def test_act_holds_without_those_in_between_when_nothing_is_missing(act: int, house: Any) -> None:
    ending, account = house.tell(act=act)

    assert ending.failed_act is None, account
